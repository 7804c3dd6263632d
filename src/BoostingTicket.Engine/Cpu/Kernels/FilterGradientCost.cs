using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>How a convolution's filter gradient can be computed.</summary>
internal enum FilterGradientAlgorithm
{
    /// <summary><see cref="FilterGradient{TLanes,TVector}"/>.</summary>
    Direct,

    /// <summary><see cref="WinogradFilterGradient{TLanes,TVector}"/>.</summary>
    Winograd,

    /// <summary><see cref="SparseFilterGradient{TLanes,TVector}"/>.</summary>
    Sparse,
}

/// <summary>What a filter gradient over one block of sixteen images costs, counted as <see cref="ConvolutionCost"/> counts
/// passes.</summary>
internal static class FilterGradientCost
{
    // Winograd's algorithm rounds more, so it must gain something.
    private const double WinogradGain = 0.85;

    /// <summary>The cheapest algorithm.</summary>
    /// <param name="prices">Prices of the steps.</param>
    /// <param name="geometry">Of the sparse forward pass.</param>
    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="kept">Kept weights; all of them for a convolution without a mask.</param>
    public static FilterGradientAlgorithm Choose(
        ConvolutionPrices prices, SparseGeometry geometry, ConvolutionShape shape, int kept)
    {
        (FilterGradientAlgorithm dense, double least) =
            (FilterGradientAlgorithm.Direct, prices.Gradient.Of(ConvolutionCost.Direct(shape, forward: true)));
        if (WinogradApplies(shape) && prices.WinogradGradient.Of(Winograd(shape))
            is var winograd && winograd < WinogradGain * least)
            (dense, least) = (FilterGradientAlgorithm.Winograd, winograd);
        return kept < shape.WeightCount
            && prices.SparseGradient.Of(Sparse(geometry, kept, Chunk(prices, geometry, kept))) < least
            ? FilterGradientAlgorithm.Sparse
            : dense;
    }

    /// <summary>Nanoseconds of the algorithm that <see cref="Choose"/> takes, for a block of sixteen images on one
    /// core.</summary>
    /// <param name="prices">Prices of the steps.</param>
    /// <param name="geometry">Of the sparse forward pass.</param>
    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="kept">Kept weights.</param>
    public static double Of(ConvolutionPrices prices, SparseGeometry geometry, ConvolutionShape shape, int kept) =>
        Choose(prices, geometry, shape, kept) switch
        {
            FilterGradientAlgorithm.Winograd => prices.WinogradGradient.Of(Winograd(shape)),
            FilterGradientAlgorithm.Sparse => prices.SparseGradient.Of(Sparse(geometry, kept, Chunk(prices, geometry, kept))),
            _ => prices.Gradient.Of(ConvolutionCost.Direct(shape, forward: true)),
        };

    /// <summary>Whether Winograd's algorithm can compute a convolution's filter gradient.</summary>
    public static bool WinogradApplies(ConvolutionShape shape) =>
        shape is { KernelHeight: 3, KernelWidth: 3, Stride: 1, Padding: <= 2, IsLinear: false }
        && shape.Input.Channels % 4 == 0 && shape.OutputChannels % 4 == 0;

    /// <summary>Steps of a filter gradient by Winograd's algorithm: multiply-adds, tiles of channels transformed,
    /// weights.</summary>
    public static double[] Winograd(ConvolutionShape shape)
    {
        int outputs = WinogradTransforms.Inputs - 2;
        double tiles = (double)SparseGeometry.Count(shape.Output.Height, outputs)
            * SparseGeometry.Count(shape.Output.Width, outputs);
        double channels = (double)shape.Input.Channels * shape.OutputChannels;
        return [
            tiles * WinogradTransforms.Elements * channels, tiles * (shape.Input.Channels + shape.OutputChannels), channels];
    }

    /// <summary>Steps of a sparse filter gradient: multiply-adds whose operand is in the first-level cache, those whose operand
    /// is not, kept weights times register tiles, gradients read, lists times register tiles, vectors copied, weights.</summary>
    /// <param name="geometry">How the work is cut: the forward pass's.</param>
    /// <param name="kept">Kept weights.</param>
    /// <param name="chunk">Input channels of a chunk.</param>
    public static double[] Sparse(SparseGeometry geometry, int kept, int chunk)
    {
        double[] steps = ConvolutionCost.Sparse(geometry, kept, chunk);
        SparseTile tile = geometry.Tile(geometry.BlocksTogether);
        return [steps[0], steps[1], steps[2], steps[4] * tile.Pixels, steps[4], steps[5], kept];
    }

    /// <summary>Input channels of a chunk at which a sparse filter gradient is cheapest.</summary>
    public static int Chunk(ConvolutionPrices prices, SparseGeometry geometry, int kept)
    {
        int best = geometry.GroupChannels;
        double least = double.MaxValue;
        for (int parts = 1; parts <= geometry.GroupChannels; parts++)
        {
            int chunk = SparseGeometry.Count(geometry.GroupChannels, parts);
            if (prices.SparseGradient.Of(Sparse(geometry, kept, chunk)) is var cost && cost < least)
                (best, least) = (chunk, cost);
        }
        return best;
    }
}
