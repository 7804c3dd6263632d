using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>What a filter gradient over one block of sixteen images costs, counted as <see cref="ConvolutionCost"/> counts
/// passes.</summary>
internal static class FilterGradientCost
{
    /// <summary>Whether summing up kept weights only is cheaper than summing up all.</summary>
    public static bool PrefersSparse(ConvolutionPrices prices, SparseGeometry geometry, ConvolutionShape shape, int kept) =>
        kept < shape.WeightCount
        && prices.SparseGradient.Of(Sparse(geometry, kept, Chunk(prices, geometry, kept)))
            < prices.Gradient.Of(ConvolutionCost.Direct(shape, forward: true));

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
