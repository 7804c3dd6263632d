using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Where attacks are cheaper in bfloat16. As with <see cref="ConvolutionCost"/> the choice is a function of shape and
/// kept weights alone.</summary>
internal static class BFloat16Cost
{
    // It rounds more, so it must gain a tenth.
    private const double Gain = 0.9;

    /// <summary>Whether bfloat16 is cheaper than the best in float32.</summary>
    /// <param name="kernels">What computes in bfloat16.</param>
    /// <param name="prices">Prices in float32.</param>
    /// <param name="sparse">How lists are cut.</param>
    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="best">The algorithm in float32.</param>
    /// <param name="kept">Kept weights.</param>
    public static bool IsCheaper(
        BFloat16Kernels kernels, ConvolutionPrices prices, SparseGeometry sparse, ConvolutionShape shape, bool forward,
        ConvolutionAlgorithm best, int kept)
    {
        return Of(kernels, shape, forward) < Gain * ConvolutionCost.Of(prices, sparse, shape, forward, kept, best);
    }

    /// <summary>What a pass over a block costs in bfloat16, in nanoseconds.</summary>
    public static double Of(BFloat16Kernels kernels, ConvolutionShape shape, bool forward)
    {
        double[] steps = Steps(new BFloat16Geometry(shape, forward, kernels));
        BFloat16Prices prices = kernels.Prices;
        return prices.Product * steps[0] + prices.Step * steps[1] + prices.Packed * steps[2] + prices.Written * steps[3];
    }

    /// <summary>Counted steps of a pass over a block, in the order of <see cref="BFloat16Prices"/>.</summary>
    public static double[] Steps(BFloat16Geometry geometry)
    {
        double taps = Taps(geometry.RowTaps) * Taps(geometry.ColumnTaps);
        double steps = taps * geometry.Chunks * geometry.Bundles * geometry.GroupsTogether;
        double packed = 0;
        for (int band = 0; band < geometry.Bands; band++)
        {
            (int first, int end) = geometry.SourceRows(band);
            packed += (double)(end - first) * geometry.Source.Width * geometry.Chunks * geometry.Pairs;
        }
        return [steps * geometry.Pairs * geometry.Rows, steps, packed, geometry.Target.Length];
    }

    private static double Taps(AxisMap map) => map.Taps.Sum(taps => taps.Length);
}
