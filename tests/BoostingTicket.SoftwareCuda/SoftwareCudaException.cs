namespace BoostingTicket.SoftwareCuda;

/// <summary>What CUDA would do something undefined about: a defect of a kernel or of its caller. The message names the call or
/// the kernel, the instruction, the thread and the place.</summary>
internal sealed class SoftwareCudaException : Exception
{
    /// <summary>A defect.</summary>
    public SoftwareCudaException(string message) : base(message) { }
}
