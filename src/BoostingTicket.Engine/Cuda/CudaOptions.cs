using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>How the CUDA backend computes.</summary>
/// <param name="Device">Number of the GPU among those that the driver shows.</param>
/// <param name="Precision">Number format of feature maps and multiply-adds. Weights, statistics and images are float32 in every
/// precision.</param>
/// <param name="Deterministic">Whether algorithms are taken in a fixed order instead of by measurement, and only those that give the
/// same bits every time. Our own kernels always do.</param>
public sealed record CudaOptions(int Device = 0, Precision Precision = Precision.BFloat16, bool Deterministic = false);
