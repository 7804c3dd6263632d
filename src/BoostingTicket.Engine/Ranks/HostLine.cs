using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Ranks;

/// <summary>Carries values through the memory of the host, by what joins the processes. Where the device computes in that memory,
/// nothing is copied. Allocates nothing once it has seen its longest exchange.</summary>
/// <param name="group">The processes.</param>
/// <param name="backend">The device.</param>
internal sealed class HostLine(IRankGroup group, IBackend backend) : IDeviceLine
{
    private RankTransfer[] _transfers = [];
    private float[] _staged = [];

    /// <inheritdoc/>
    public string Description => group.Description;

    /// <inheritdoc/>
    public void Exchange(ReadOnlySpan<DeviceTransfer> transfers)
    {
        int needed = 0;
        foreach (DeviceTransfer transfer in transfers)
            needed += IsStaged(transfer.Values) ? transfer.Values.Length : 0;
        if (_staged.Length < needed)
            _staged = GC.AllocateArray<float>(needed, pinned: true);
        if (_transfers.Length < transfers.Length)
            _transfers = new RankTransfer[transfers.Length];
        int place = 0;
        for (int i = 0; i < transfers.Length; i++)
        {
            (int peer, bool sends, BufferSlice values) = transfers[i];
            nint address = values.Buffer.HostAddress + (nint)values.Offset * sizeof(float);
            if (IsStaged(values))
            {
                address = Marshal.UnsafeAddrOfPinnedArrayElement(_staged, place);
                if (sends)
                    backend.Download(values, _staged.AsSpan(place, values.Length));
                place += values.Length;
            }
            _transfers[i] = new RankTransfer(peer, sends, address, (long)values.Length * sizeof(float));
        }
        group.Exchange(_transfers.AsSpan(0, transfers.Length));
        place = 0;
        foreach (DeviceTransfer transfer in transfers)
        {
            if (!IsStaged(transfer.Values))
                continue;
            if (!transfer.Sends)
                backend.Upload(_staged.AsSpan(place, transfer.Values.Length), transfer.Values);
            place += transfer.Values.Length;
        }
    }

    /// <summary>Does nothing: an exchange ends when all has arrived.</summary>
    public void Finish() { }

    /// <summary>Does nothing: the processes belong to others.</summary>
    public void Dispose() { }

    private static bool IsStaged(BufferSlice values) => values.Buffer.HostAddress == 0;
}
