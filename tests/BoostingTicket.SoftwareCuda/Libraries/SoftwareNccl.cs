using System.Security.Cryptography;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>NCCL on a software device. Like the real one with communicators that do not block, it goes on after a call:
/// transfers are in the stream only when <see cref="IsReady"/> says so, and until then what is to be received counts as never
/// written.</summary>
/// <param name="device">The device; it outlives the library.</param>
/// <param name="network">What joins it with others.</param>
/// <param name="version">The version that it says it is.</param>
internal sealed class SoftwareNccl(SoftwareCudaDevice device, SoftwareNcclNetwork network, int version = 22_809) : INccl
{
    /// <summary>ncclInvalidArgument.</summary>
    public const int InvalidArgument = 4;

    /// <summary>ncclInvalidUsage.</summary>
    public const int InvalidUsage = 5;

    private const int FirstHandle = 0x0cc15000;

    private readonly HandleTable _handles = new(FirstHandle);
    private readonly List<Transfer> _group = [];
    private bool _grouped;

    /// <inheritdoc/>
    public int Version => version;

    /// <summary>Bytes that were sent.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Communicators that were not ended.</summary>
    public IReadOnlyList<string> Leaks => _handles.Leaks;

    /// <inheritdoc/>
    public NcclId CreateId() => NcclId.Of(RandomNumberGenerator.GetBytes(NcclId.Size));

    /// <inheritdoc/>
    public nint Join(int ranks, in NcclId id, int rank)
    {
        const string call = "ncclCommInitRankConfig";
        Require(call, ranks > 0 && rank >= 0 && rank < ranks, InvalidArgument, $"rank {rank} of {ranks}");
        SoftwareNcclNetwork.Meeting meeting = network.Meet(id.ToArray(), ranks);
        Require(call, meeting.Ranks == ranks, InvalidArgument, $"others are {meeting.Ranks}, not {ranks}");
        Require(call, meeting.Join(rank), InvalidUsage, $"there are two processes of rank {rank}");
        return _handles.Add(new Communicator(meeting, rank));
    }

    /// <inheritdoc/>
    public bool IsReady(nint communicator)
    {
        Communicator known = Resolve("ncclCommGetAsyncError", communicator);
        if (!known.Meeting.IsComplete)
            return false;
        if (known.Submitted.Count == 0)
            return true;
        if (!known.HasSent)
        {
            known.HasSent = true;
            foreach (Transfer transfer in known.Submitted.Where(transfer => transfer.Sends))
                Send(known, transfer);
            return false;
        }
        known.Submitted.RemoveAll(transfer => transfer.Sends || TryReceive(known, transfer));
        return known.Submitted.Count == 0;
    }

    /// <inheritdoc/>
    public void BeginGroup()
    {
        Require("ncclGroupStart", !_grouped, InvalidUsage, "a group is open");
        _grouped = true;
    }

    /// <inheritdoc/>
    public void EndGroup()
    {
        const string call = "ncclGroupEnd";
        Require(call, _grouped, InvalidUsage, "no group is open");
        _grouped = false;
        foreach (Transfer transfer in _group)
        {
            Communicator known = Resolve(call, transfer.Communicator);
            Require(
                call, known.Meeting.IsComplete && (known.Submitted.Count == 0 || !known.HasSent), InvalidUsage,
                "the communicator is not ready");
            known.HasSent = false;
            known.Submitted.Add(transfer);
            if (!transfer.Sends)
                device.Forget(transfer.Values, transfer.Bytes);
        }
        _group.Clear();
    }

    /// <inheritdoc/>
    public void Send(DevicePointer values, nuint count, int peer, nint communicator, nint stream) =>
        Add("ncclSend", new Transfer(communicator, peer, Sends: true, values, (long)count * sizeof(float), stream));

    /// <inheritdoc/>
    public void Receive(DevicePointer values, nuint count, int peer, nint communicator, nint stream) =>
        Add("ncclRecv", new Transfer(communicator, peer, Sends: false, values, (long)count * sizeof(float), stream));

    /// <inheritdoc/>
    public void Abort(nint communicator)
    {
        Resolve("ncclCommAbort", communicator);
        _handles.Remove(communicator);
    }

    /// <summary>Ends the library.</summary>
    /// <exception cref="InvalidOperationException">Communicators were not ended.</exception>
    public void Dispose()
    {
        if (Leaks.Count > 0)
            throw new InvalidOperationException($"NCCL: not ended: {string.Join(", ", Leaks)}");
    }

    private void Add(string call, Transfer transfer)
    {
        Communicator known = Resolve(call, transfer.Communicator);
        Require(
            call, transfer.Peer >= 0 && transfer.Peer < known.Meeting.Ranks && transfer.Peer != known.Rank, InvalidArgument,
            $"there is no other process {transfer.Peer}");
        Require(call, !transfer.Values.IsNull, InvalidArgument, "the values are null");
        Require(call, _grouped, InvalidUsage, "a transfer outside a group would wait for another process");
        _group.Add(transfer);
    }

    private void Send(Communicator known, Transfer transfer) => device.Submit(transfer.Stream, "ncclSend", () =>
    {
        byte[] bytes = device.Read(transfer.Values, transfer.Bytes, "ncclSend").ToArray();
        BytesSent += bytes.Length;
        known.Meeting.Line(known.Rank, transfer.Peer).Enqueue(bytes);
    });

    private bool TryReceive(Communicator known, Transfer transfer)
    {
        if (!known.Meeting.Line(transfer.Peer, known.Rank).TryDequeue(out byte[]? bytes))
            return false;
        Require(
            "ncclRecv", bytes.Length == transfer.Bytes, InvalidArgument,
            $"{bytes.Length} bytes came of {transfer.Bytes}");
        device.Submit(
            transfer.Stream, "ncclRecv",
            () => bytes.CopyTo(device.Write(transfer.Values, transfer.Bytes, "ncclRecv")));
        return true;
    }

    private Communicator Resolve(string call, nint handle)
    {
        if (!_handles.TryGet(handle, out Communicator? known, out string problem))
            throw Failure(call, InvalidArgument, $"the communicator: {problem}");
        return known;
    }

    private static void Require(string call, bool holds, int status, string otherwise)
    {
        if (!holds)
            throw Failure(call, status, otherwise);
    }

    private static CudaException Failure(string call, int status, string reason) =>
        CudaStatus.Exception(CudaLibrary.Nccl, status, call, null, reason);

    private sealed record Transfer(
        nint Communicator, int Peer, bool Sends, DevicePointer Values, long Bytes, nint Stream);

    private sealed class Communicator(SoftwareNcclNetwork.Meeting meeting, int rank)
    {
        public SoftwareNcclNetwork.Meeting Meeting => meeting;

        public int Rank => rank;

        public List<Transfer> Submitted { get; } = [];

        public bool HasSent { get; set; }

        public override string ToString() => $"the communicator of rank {rank}";
    }
}
