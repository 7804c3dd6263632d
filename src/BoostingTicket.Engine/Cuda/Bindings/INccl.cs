using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>What the processes of a communicator find one another by (ncclUniqueId).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NcclId
{
    /// <summary>Its size.</summary>
    public const int Size = 128;

    /// <summary>Its bytes, which only NCCL understands.</summary>
    public fixed byte Bytes[Size];

    /// <summary>Takes bytes that came from another process.</summary>
    public static NcclId Of(ReadOnlySpan<byte> bytes)
    {
        NcclId id = default;
        bytes[..Size].CopyTo(new Span<byte>(id.Bytes, Size));
        return id;
    }

    /// <summary>The bytes, to be sent to other processes.</summary>
    public readonly byte[] ToArray()
    {
        fixed (byte* bytes = Bytes)
            return new ReadOnlySpan<byte>(bytes, Size).ToArray();
    }
}

/// <summary>The calls of NCCL that the backend makes, and no others: it moves values between GPUs. Its reductions are not used,
/// because their order depends on the number of processes. Every call throws <see cref="CudaException"/> when its status is
/// neither success nor "in progress": communicators do not block, so that a wait can be ended. Calls act on the context that is
/// current for the calling thread.</summary>
internal interface INccl : IDisposable
{
    /// <summary>10,000 * major + 100 * minor + patch.</summary>
    int Version { get; }

    /// <summary>An id for processes to meet by; the process that makes it listens for the others.</summary>
    NcclId CreateId();

    /// <summary>Begins to join other processes; done when <see cref="IsReady"/> says so.</summary>
    /// <param name="ranks">Processes.</param>
    /// <param name="id">What they meet by.</param>
    /// <param name="rank">This one.</param>
    /// <returns>The communicator.</returns>
    nint Join(int ranks, in NcclId id, int rank);

    /// <summary>Whether the last call is done: the communicator was made, or a group's transfers are in their stream. Before, the
    /// stream must get no other work.</summary>
    /// <exception cref="CudaException">It failed, or an earlier transfer did.</exception>
    bool IsReady(nint communicator);

    /// <summary>Transfers from here on belong together, so that none waits for another one.</summary>
    void BeginGroup();

    /// <summary>Submits them; see <see cref="IsReady"/>.</summary>
    void EndGroup();

    /// <summary>Sends float32 values in the order of a stream.</summary>
    void Send(DevicePointer values, nuint count, int peer, nint communicator, nint stream);

    /// <summary>Receives float32 values in the order of a stream.</summary>
    void Receive(DevicePointer values, nuint count, int peer, nint communicator, nint stream);

    /// <summary>Ends a communicator at once, without the other processes, and what it still does.</summary>
    void Abort(nint communicator);
}
