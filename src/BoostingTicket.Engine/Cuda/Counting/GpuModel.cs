using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda.Counting;

/// <summary>A kind of GPU, with what it can do at best. Of dense matrices, accumulated in float32.</summary>
/// <param name="Key">Its name on the command line.</param>
/// <param name="Name">Its name.</param>
/// <param name="Multiprocessors">Multiprocessors.</param>
/// <param name="Major">Compute capability, first number.</param>
/// <param name="Minor">Compute capability, second number.</param>
/// <param name="MemoryBytes">Bytes of memory.</param>
/// <param name="BytesPerSecond">Bytes that memory delivers or takes a second.</param>
/// <param name="BFloat16PerSecond">Multiplications and additions a second in bfloat16; 0 where there are none.</param>
/// <param name="TensorFloat32PerSecond">The same in TF32.</param>
/// <param name="Float32PerSecond">The same in float32.</param>
internal sealed record GpuModel(
    string Key, string Name, int Multiprocessors, int Major, int Minor, long MemoryBytes, double BytesPerSecond,
    double BFloat16PerSecond, double TensorFloat32PerSecond, double Float32PerSecond)
{
    /// <summary>The kinds that are known: the H200 with what programs reach of its data sheet's 4.8 TB/s and 989 TFLOP/s (and
    /// half of that in TF32), the others as NVIDIA has them.</summary>
    /// <remarks>All are of dense matrices; NVIDIA prints the doubled figures of sparse ones beside or instead. H200: "NVIDIA H200
    /// Tensor Core GPU" data sheet, SXM (141 GB, 4.8 TB/s, 67 TFLOP/s float32). A100: "NVIDIA A100 Tensor Core GPU" data sheet,
    /// 80 GB SXM (2,039 GB/s, 19.5, 156 and 312 TFLOP/s). RTX 4090: "NVIDIA Ada GPU Architecture" white paper (1,008 GB/s, 82.6,
    /// 82.6 and 165.2 TFLOP/s, sums in float32). V100: 5,120 cores at 1.53 GHz, and 900 GB/s, which
    /// was not looked up in a data sheet.</remarks>
    public static IReadOnlyList<GpuModel> All { get; } =
    [
        new("h200", "H200", 132, 9, 0, 141_000_000_000, 4.3e12, 790e12, 395e12, 67e12),
        new("a100", "A100 80 GB", 108, 8, 0, 80_000_000_000, 2.039e12, 312e12, 156e12, 19.5e12),
        new("rtx4090", "RTX 4090", 128, 8, 9, 24_000_000_000, 1.008e12, 165.2e12, 82.6e12, 82.6e12),
        new("v100", "V100 32 GB", 80, 7, 0, 32_000_000_000, 0.9e12, 0, 0, 15.7e12),
    ];

    /// <summary>Whether it computes in a number format.</summary>
    public bool Has(Precision precision) => PerSecond(precision) > 0;

    /// <summary>Multiplications and additions a second; 0 where the format is not there.</summary>
    public double PerSecond(Precision precision) => precision switch
    {
        Precision.BFloat16 => BFloat16PerSecond,
        Precision.TensorFloat32 => TensorFloat32PerSecond,
        _ => Float32PerSecond,
    };
}
