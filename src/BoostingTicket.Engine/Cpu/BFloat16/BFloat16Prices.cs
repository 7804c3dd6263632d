namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>What a pass over one block of sixteen images costs in bfloat16, in the nanoseconds of
/// <see cref="Kernels.ConvolutionPrices"/>.</summary>
/// <param name="Product">A row of a step: one output channel, one pixel, one pair of input channels, sixteen images.</param>
/// <param name="Step">A step of a tile for one group of output channels and one pixel, whatever its rows and pairs.</param>
/// <param name="Packed">Two input channels of a pixel rounded.</param>
/// <param name="Written">An output vector finished.</param>
internal readonly record struct BFloat16Prices(double Product, double Step, double Packed, double Written)
{
    /// <summary>AMX: fitted within 22 % (root of the mean square) to the shapes of <c>benchmarks/BoostingTicket.Calibration --
    /// --bf16</c> on one Emerald Rapids core. Each shape was timed in turn with float32 in five runs. The fastest of each count,
    /// scaled so that float32 costs what its prices say.</summary>
    /// <remarks>At times the machine was slower, tiles more than float32, perhaps since two threads of a core share its
    /// multiplier of tiles. Then bfloat16 gained less, at 16 channels of 32x32 nothing.</remarks>
    public static BFloat16Prices Tiles { get; } = new(0.038, 5.6, 5.4, 6.5);

    /// <summary>AVX512-BF16 where its products run as fast as float32's, two to one, as measured on Zen 4: then a pair costs what
    /// a multiply-add costs. The rest is AMX's.</summary>
    public static BFloat16Prices Vectors { get; } = new(0.298, 5.6, 5.4, 6.5);
}
