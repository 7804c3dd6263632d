using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Ranks;

/// <summary>Values of a device on their way to another process, or from there.</summary>
/// <param name="Peer">The other process's rank.</param>
/// <param name="Sends">Whether they go there; else they come from there.</param>
/// <param name="Values">Where they are; as many on both sides.</param>
internal readonly record struct DeviceTransfer(int Peer, bool Sends, BufferSlice Values);

/// <summary>What carries values between the devices of several processes. It moves bits and adds nothing up: sums of libraries
/// depend on the number of processes. All processes make the same calls in the same order.</summary>
internal interface IDeviceLine : IDisposable
{
    /// <summary>What carries, for people.</summary>
    string Description { get; }

    /// <summary>Sends and receives. Between two processes, transfers come in the order of their lists. What was called on the
    /// device before is done before; what is called afterwards finds what was received.</summary>
    /// <exception cref="TeamException">Another process failed or was lost.</exception>
    void Exchange(ReadOnlySpan<DeviceTransfer> transfers);

    /// <summary>Waits until what was exchanged has arrived; no wait for a device after it waits for another process.</summary>
    /// <exception cref="TeamException">Another process failed or was lost.</exception>
    void Finish();
}

/// <summary>What may carry values between devices.</summary>
internal enum DeviceLineUse
{
    /// <summary>NCCL between GPUs of their own, where it is there; else the memory of the host.</summary>
    Auto,

    /// <summary>The memory of the host, and what joins the processes.</summary>
    Host,

    /// <summary>NCCL; refused where it cannot be.</summary>
    Nccl,
}
