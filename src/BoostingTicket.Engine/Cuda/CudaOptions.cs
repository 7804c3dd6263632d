using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>How the CUDA backend computes.</summary>
/// <param name="Device">Number of the GPU among those that the driver shows.</param>
/// <param name="Precision">Number format of feature maps and multiply-adds. Weights, statistics and images are float32 in every
/// precision.</param>
/// <param name="Deterministic">Whether algorithms are taken in a fixed order instead of by measurement, and only those that give the
/// same bits every time. Our own kernels always do.</param>
/// <param name="Records">Whether repeated work is replayed as CUDA graphs. Off, every call is made as it comes, which is slower and names
/// the kernel where one fails.</param>
public sealed record CudaOptions(
    int Device = 0, Precision Precision = Precision.BFloat16, bool Deterministic = false, bool Records = true)
{
    /// <summary>Environment variable that turns recording off when it is 0.</summary>
    public const string RecordsVariable = "BOOSTING_TICKET_CUDA_GRAPHS";
}
