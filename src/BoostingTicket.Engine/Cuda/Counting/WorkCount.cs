namespace BoostingTicket.Engine.Cuda.Counting;

/// <summary>What a program asked of a GPU, in numbers that do not depend on the machine.</summary>
/// <param name="Launches">Own kernels that ran, those inside graphs included.</param>
/// <param name="LibraryCalls">Calls of cuDNN and cuBLAS that compute, those inside graphs included.</param>
/// <param name="KernelBytes">Bytes of memory that own kernels read and write, each once a launch.</param>
/// <param name="LibraryBytes">Bytes of operands and results of library calls, each once a call.</param>
/// <param name="LibraryOperations">Multiplications and additions of library calls: two for each multiply-add.</param>
/// <param name="Copies">Copies and fills, those inside graphs included.</param>
/// <param name="HostWaits">Times that the host waited for the GPU.</param>
/// <param name="GraphLaunches">Launches of recorded work.</param>
/// <param name="LeastSeconds">Sum over launches and calls of the time that the GPU's peaks allow for their bytes and
/// operations.</param>
internal readonly record struct WorkCount(
    long Launches, long LibraryCalls, long KernelBytes, long LibraryBytes, double LibraryOperations, long Copies, long HostWaits,
    long GraphLaunches, double LeastSeconds)
{
    /// <summary>One after the other.</summary>
    public static WorkCount operator +(in WorkCount a, in WorkCount b) => new(
        a.Launches + b.Launches, a.LibraryCalls + b.LibraryCalls, a.KernelBytes + b.KernelBytes, a.LibraryBytes + b.LibraryBytes,
        a.LibraryOperations + b.LibraryOperations, a.Copies + b.Copies, a.HostWaits + b.HostWaits,
        a.GraphLaunches + b.GraphLaunches, a.LeastSeconds + b.LeastSeconds);

    /// <summary>What was added since.</summary>
    public static WorkCount operator -(in WorkCount a, in WorkCount b) => new(
        a.Launches - b.Launches, a.LibraryCalls - b.LibraryCalls, a.KernelBytes - b.KernelBytes, a.LibraryBytes - b.LibraryBytes,
        a.LibraryOperations - b.LibraryOperations, a.Copies - b.Copies, a.HostWaits - b.HostWaits,
        a.GraphLaunches - b.GraphLaunches, a.LeastSeconds - b.LeastSeconds);
}
