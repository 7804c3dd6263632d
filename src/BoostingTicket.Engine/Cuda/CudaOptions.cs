using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>How the CUDA backend computes.</summary>
/// <param name="Device">Number of the GPU among those that the driver shows.</param>
/// <param name="Precision">Number format of feature maps and multiply-adds; null for its own choice. Weights, statistics
/// and images are float32 in every precision.</param>
/// <param name="Deterministic">Whether algorithms are taken in a fixed order instead of by measurement, and only those that give
/// the same bits every time. Our own kernels always do.</param>
/// <param name="Records">Whether repeated work is replayed as CUDA graphs. Off, every call is made as it comes, which is slower
/// and names the kernel where one fails.</param>
internal sealed record CudaOptions(
    int Device = 0, Precision? Precision = null, bool Deterministic = false, bool Records = true)
{
    /// <summary>Whether what libraries compute is checked when it is used first; not on devices that compute nothing.</summary>
    internal bool ChecksValues { get; init; } = true;

    /// <summary>Environment variable that turns recording off when it is 0.</summary>
    public const string RecordsVariable = "BOOSTING_TICKET_CUDA_GRAPHS";
}
