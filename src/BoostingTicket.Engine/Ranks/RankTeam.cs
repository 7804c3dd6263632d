using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Ranks;

/// <summary>Processes of which rank 0 runs the program, and the others do what it calls for on devices of their own: it alone
/// reads and writes files, prints, and is stopped by users. A call is a number and bytes; who answers knows what they
/// mean.</summary>
/// <param name="group">The processes.</param>
/// <param name="watch">Notices what becomes of them; null where they cannot be lost, as threads of one process.</param>
internal sealed unsafe class RankTeam(IRankGroup group, RankWatch? watch) : IDisposable
{
    /// <summary>The call that ends the other processes; its number is their exit code.</summary>
    public const int End = 0;

    private static readonly ConditionalWeakTable<IBackend, RankTeam> Teams = [];

    private readonly long[] _head = GC.AllocateArray<long>(3, pinned: true);
    private IDeviceLine? _line;

    /// <summary>The processes.</summary>
    public IRankGroup Group { get; } = group;

    /// <summary>Whether this process runs the program.</summary>
    public bool Leads => Group.Rank == 0;

    /// <summary>What is known of the other processes; null where they cannot be lost.</summary>
    public RankWatch? Watch { get; } = watch;

    /// <summary>Machine of each rank.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [.. Enumerable.Repeat(Environment.MachineName, group.Count)];

    /// <summary>Threads that this process computes on where nothing else is asked for: its share of the processors that it may
    /// use.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Number of this process on its machine.</summary>
    public int LocalRank { get; init; }

    /// <summary>A process that is bound to one processor, though there are more for it; null for none.</summary>
    public BoundRank? Bound { get; init; }

    /// <summary>What the other processes have, by what it is here; filled by who brings it to them.</summary>
    public Dictionary<Type, object> Brought { get; } = [];

    /// <summary>Whether a call was begun and not ended, so that others wait for this process within it.</summary>
    public bool IsCalling { get; private set; }

    /// <summary>The processes that compute with a device like this one; null for none.</summary>
    public static RankTeam? Of(IBackend backend) => Teams.TryGetValue(backend, out RankTeam? team) ? team : null;

    /// <summary>What may carry values between devices.</summary>
    public DeviceLineUse LineUse { get; set; }

    /// <summary>What carries values between the devices in use.</summary>
    public IDeviceLine Line => _line ?? throw new InvalidOperationException("No device is in use.");

    /// <summary>Says with whom a device computes.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="line">What carries its values, belonging to the device; null for the memory of the host.</param>
    public void Use(IBackend backend, IDeviceLine? line = null)
    {
        Teams.Add(backend, this);
        _line = line ?? new HostLine(Group, backend);
    }

    /// <summary>Rank 0 asks all others for work, in which they and it then exchange values.</summary>
    /// <param name="work">Its number.</param>
    /// <param name="payload">What the work needs.</param>
    public void Call(int work, ReadOnlySpan<byte> payload)
    {
        if (!Leads)
            throw new InvalidOperationException("Only rank 0 calls for work.");
        Watch?.ThrowIfFailed();
        IsCalling = true;
        (_head[0], _head[1]) = (work, payload.Length);
        Broadcast(MemoryMarshal.AsBytes(_head.AsSpan()));
        if (payload.Length > 0)
        {
            fixed (byte* data = payload)
                Group.Broadcast((nint)data, payload.Length);
        }
    }

    /// <summary>Says that the work that was called for is done here.</summary>
    public void Done() => IsCalling = false;

    /// <summary>Another process waits for work.</summary>
    public (int Work, byte[] Payload) Next()
    {
        Broadcast(MemoryMarshal.AsBytes(_head.AsSpan()));
        byte[] payload = new byte[_head[1]];
        Broadcast(payload);
        return ((int)_head[0], payload);
    }

    /// <summary>Copies rank 0's values to all.</summary>
    public void Broadcast<T>(Span<T> values)
        where T : unmanaged
    {
        if (values.IsEmpty)
            return;
        fixed (T* data = values)
            Group.Broadcast((nint)data, (long)values.Length * sizeof(T));
    }

    /// <summary>Copies rank 0's bytes to all, however many they are.</summary>
    /// <param name="own">On rank 0, the bytes.</param>
    /// <returns>They.</returns>
    public byte[] BroadcastBytes(byte[] own)
    {
        ArgumentNullException.ThrowIfNull(own);
        int[] length = [own.Length];
        Broadcast<int>(length);
        byte[] bytes = Leads ? own : new byte[length[0]];
        Broadcast<byte>(bytes);
        return bytes;
    }

    /// <summary>Brings values of every other process to rank 0, in order of ranks.</summary>
    /// <param name="own">What this process sends, if it is not rank 0.</param>
    /// <param name="all">On rank 0, receives as many values of each rank; those of rank 0 are left alone.</param>
    public void Gather<T>(ReadOnlySpan<T> own, Span<T> all)
        where T : unmanaged
    {
        fixed (T* sent = own, received = all)
        {
            long bytes = (long)own.Length * sizeof(T);
            if (!Leads)
            {
                Group.Exchange([new RankTransfer(0, Sends: true, (nint)sent, bytes)]);
                return;
            }
            var transfers = new RankTransfer[Group.Count - 1];
            for (int rank = 1; rank < Group.Count; rank++)
                transfers[rank - 1] = new RankTransfer(
                    rank, Sends: false, (nint)(received + (long)rank * own.Length), bytes);
            Group.Exchange(transfers);
        }
    }

    /// <summary>Brings bytes of every process to rank 0, as many as each has.</summary>
    /// <param name="own">Those of this process.</param>
    /// <returns>On rank 0 those of each rank, its own first; empty elsewhere.</returns>
    public IReadOnlyList<byte[]> GatherBytes(byte[] own)
    {
        ArgumentNullException.ThrowIfNull(own);
        long[] lengths = new long[Group.Count];
        Gather<long>([own.Length], lengths);
        fixed (byte* sent = own)
        {
            if (!Leads)
            {
                Group.Exchange([new RankTransfer(0, Sends: true, (nint)sent, own.Length)]);
                return [];
            }
        }
        byte[][] all = [own, .. lengths.Skip(1).Select(length => GC.AllocateUninitializedArray<byte>((int)length, pinned: true))];
        Group.Exchange([.. Enumerable.Range(1, Group.Count - 1).Select(rank => new RankTransfer(
            rank, Sends: false, Marshal.UnsafeAddrOfPinnedArrayElement(all[rank], 0), lengths[rank]))]);
        return all;
    }

    /// <summary>Ends the other processes in good order, if they wait for work; else at once.</summary>
    /// <param name="exitCode">Exit code of all.</param>
    public void Finish(int exitCode)
    {
        if (Watch?.Failure is null && !IsCalling)
        {
            try
            {
                Call(End, BitConverter.GetBytes(exitCode));
                Watch?.Close();
                Group.Barrier();
                Group.Dispose();
                return;
            }
            catch (TeamException)
            {
                // One was lost in the last moment.
            }
        }
        Watch?.EndAll(exitCode);
        Watch?.Close();
        Group.Abort(exitCode);
    }

    /// <summary>Another process leaves in good order, after it was told to end.</summary>
    public void Leave()
    {
        Watch?.Close();
        Group.Barrier();
        Group.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Watch?.Dispose();
        Group.Dispose();
    }
}
