using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>How a convolution's forward pass or input gradient can be computed.</summary>
internal enum ConvolutionAlgorithm
{
    /// <summary><see cref="DirectPass{TLanes,TVector}"/>.</summary>
    Direct,

    /// <summary><see cref="WinogradPass{TLanes,TVector}"/>.</summary>
    Winograd,

    /// <summary><see cref="PolyphasePass{TLanes,TVector}"/>.</summary>
    Polyphase,

    /// <summary><see cref="SparsePass{TLanes,TVector}"/>.</summary>
    Sparse,

    /// <summary><see cref="BFloat16.BFloat16Pass{TLanes,TVector}"/>; in attacks alone.</summary>
    BFloat16,
}

/// <summary>What a pass over one block of sixteen images costs, as a sum of counted steps, each times its price. Prices come from
/// a measurement (<see cref="ConvolutionPrices"/>), so the choice between algorithms does too, and yet it is a function of shape
/// and number of kept weights alone: had every process its own stopwatch decide, near ties would fall this way or that, and
/// since algorithms round differently, equal seeds would not give equal bits.</summary>
internal static class ConvolutionCost
{
    /// <summary>Lines of 64 bytes that stay in a first-level cache of 32 KiB beside lists and sums.</summary>
    private const double CachedLines = 448;

    // Winograd's algorithm rounds more, so it must gain a quarter.
    private const double WinogradGain = 0.75;

    // By phases it rounds half as much, but the prices are less sure.
    private const double PolyphaseGain = 0.85;

    /// <summary>The cheapest algorithm. Lists are for pruned filters, and for all weights of a filter with a single target
    /// channel, whose direct pass has four sums at a time where the list's has sixteen.</summary>
    /// <param name="prices">Prices of the steps.</param>
    /// <param name="geometry">Of a sparse pass.</param>
    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="kept">Kept weights; all of them for a convolution without a mask.</param>
    public static ConvolutionAlgorithm Choose(
        ConvolutionPrices prices, SparseGeometry geometry, ConvolutionShape shape, bool forward, int kept)
    {
        (ConvolutionAlgorithm dense, double least) = (ConvolutionAlgorithm.Direct, prices.Direct.Of(Direct(shape, forward)));
        if (WinogradApplies(shape) && WinogradPrice(prices, shape, forward) is var winograd && winograd < WinogradGain * least)
            (dense, least) = (ConvolutionAlgorithm.Winograd, winograd);
        if (PolyphaseApplies(shape) && prices.Polyphase.Of(Polyphase(shape, forward))
            is var polyphase && polyphase < PolyphaseGain * least)
            (dense, least) = (ConvolutionAlgorithm.Polyphase, polyphase);
        bool mayList = kept < shape.WeightCount || TargetChannels(shape, forward) == 1;
        return mayList && prices.Sparse.Of(Sparse(geometry, kept, Chunk(prices, geometry, kept))) < least
            ? ConvolutionAlgorithm.Sparse
            : dense;
    }

    /// <summary>Nanoseconds of an algorithm for a block of sixteen images on one core.</summary>
    /// <param name="prices">Prices of the steps.</param>
    /// <param name="geometry">Of a sparse pass.</param>
    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="kept">Kept weights.</param>
    /// <param name="algorithm">The algorithm, of those in float32.</param>
    public static double Of(
        ConvolutionPrices prices, SparseGeometry geometry, ConvolutionShape shape, bool forward, int kept,
        ConvolutionAlgorithm algorithm) => algorithm switch
        {
            ConvolutionAlgorithm.Direct => prices.Direct.Of(Direct(shape, forward)),
            ConvolutionAlgorithm.Winograd => WinogradPrice(prices, shape, forward),
            ConvolutionAlgorithm.Polyphase => prices.Polyphase.Of(Polyphase(shape, forward)),
            ConvolutionAlgorithm.Sparse => prices.Sparse.Of(Sparse(geometry, kept, Chunk(prices, geometry, kept))),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "has no price in float32"),
        };

    /// <summary>Whether Winograd's algorithm can compute a convolution's forward pass and input gradient.</summary>
    public static bool WinogradApplies(ConvolutionShape shape) =>
        shape is { KernelHeight: 3, KernelWidth: 3, Stride: 1, Padding: <= 2, IsLinear: false }
            or { KernelHeight: 5, KernelWidth: 5, Stride: 1, Padding: 2, IsLinear: false };

    /// <summary>Whether a convolution's forward pass and input gradient can be computed by its phases.</summary>
    public static bool PolyphaseApplies(ConvolutionShape shape) =>
        shape is { KernelHeight: 3, KernelWidth: 3, Stride: 2, Padding: 1 };

    /// <summary>Steps of a direct pass: multiply-adds, vectors read and written. A single target channel counts as two: its sums
    /// are too few to hide the latency of a multiply-add.</summary>
    public static double[] Direct(ConvolutionShape shape, bool forward)
    {
        double taps = Taps(AxisMap.Rows(shape, forward)) * Taps(AxisMap.Columns(shape, forward));
        double channels = (double)shape.Input.Channels * shape.OutputChannels;
        return [
            taps * (TargetChannels(shape, forward) == 1 ? 2 * channels : channels), shape.Input.Length + shape.Output.Length];
    }

    /// <summary>Steps of a Winograd pass: multiply-adds, tiles transformed there, rows of tiles transformed back.</summary>
    public static double[] Winograd(ConvolutionShape shape, bool forward)
    {
        (double tiles, double sources, double targets, double rows) = Tiles(shape, forward, WinogradTransforms.Outputs);
        double elements = Math.Pow(WinogradTransforms.InputsOf(shape.KernelHeight), 2);
        return [tiles * elements * sources * rows, tiles * sources, tiles * targets * WinogradTransforms.Outputs];
    }

    /// <summary>Steps of a pass by phases: multiply-adds; tiles transformed there and back in a forward pass; the same in an
    /// input gradient.</summary>
    public static double[] Polyphase(ConvolutionShape shape, bool forward)
    {
        (double tiles, double sources, double targets, double rows) =
            Tiles(shape, forward, PolyphaseTransforms.Outputs * (forward ? 1 : 2));
        double there = tiles * sources, back = tiles * targets;
        return [
            tiles * PolyphaseTransforms.Elements * sources * rows, forward ? there : 0, forward ? back : 0,
            forward ? 0 : there, forward ? 0 : back];
    }

    /// <summary>Steps of a sparse pass: multiply-adds whose operand is in the first-level cache, those whose operand is not, kept
    /// weights times register tiles, partial sums, lists times register tiles, vectors copied, vectors written.</summary>
    /// <param name="geometry">How the work is cut.</param>
    /// <param name="kept">Kept weights.</param>
    /// <param name="chunk">Source channels of a chunk.</param>
    public static double[] Sparse(SparseGeometry geometry, int kept, int chunk)
    {
        int blocks = geometry.BlocksTogether;
        SparseTile tile = geometry.Tile(blocks);
        double patches = (double)geometry.PatchesDown * geometry.PatchesAcross / blocks;
        double tiles = patches * SparseGeometry.Count(geometry.PatchRows, tile.Rows)
            * SparseGeometry.Count(geometry.PatchColumns * blocks, tile.Columns);
        double lines = (double)chunk * geometry.SourcePhases.Length
            * (tile.Rows + geometry.Rows.Halo) * (tile.Columns + geometry.Columns.Halo * blocks);
        double products = kept * tiles * tile.Pixels, misses = Math.Max(0, 1 - CachedLines / lines);
        int chunks = SparseGeometry.Count(geometry.Source.Channels, geometry.GroupChannels)
            * SparseGeometry.Count(geometry.GroupChannels, chunk);
        double lists = (double)chunks * geometry.TargetPhases * geometry.Target.Channels * tiles;
        return [
            products * (1 - misses), products * misses, kept * tiles, chunks > 1 ? lists * tile.Pixels : 0, lists,
            patches * blocks * geometry.ChannelPixels * geometry.Source.Channels, geometry.Target.Length];
    }

    /// <summary>Source channels of a chunk at which a sparse pass is cheapest.</summary>
    public static int Chunk(ConvolutionPrices prices, SparseGeometry geometry, int kept)
    {
        int best = geometry.GroupChannels;
        double least = double.MaxValue;
        for (int parts = 1; parts <= geometry.GroupChannels; parts++)
        {
            int chunk = SparseGeometry.Count(geometry.GroupChannels, parts);
            if (prices.Sparse.Of(Sparse(geometry, kept, chunk)) is var cost && cost < least)
                (best, least) = (chunk, cost);
        }
        return best;
    }

    /// <summary>What copying a sparse pass's patches costs, as a share of the rest.</summary>
    public static double CopyShare(ConvolutionPrices prices, SparseGeometry geometry, int kept, int chunk)
    {
        double[] steps = Sparse(geometry, kept, chunk);
        double all = prices.Sparse.Of(steps);
        double copies = prices.Sparse.Of([0, 0, 0, 0, 0, steps[5], 0]);
        return copies / Math.Max(all - copies, all * 1e-3);
    }

    private static double WinogradPrice(ConvolutionPrices prices, ConvolutionShape shape, bool forward) =>
        (shape.KernelHeight == WideFilterTransforms.Kernel ? prices.WideWinograd : prices.Winograd).Of(Winograd(shape, forward));

    // Tiles, source channels, target channels, and these rounded up to whole groups.
    private static (double Tiles, double Sources, double Targets, double Rows) Tiles(
        ConvolutionShape shape, bool forward, int outputs)
    {
        FeatureShape source = forward ? shape.Input : shape.Output, target = forward ? shape.Output : shape.Input;
        return (
            (double)SparseGeometry.Count(target.Height, outputs) * SparseGeometry.Count(target.Width, outputs), source.Channels,
            target.Channels,
            SparseGeometry.Count(target.Channels, WinogradTransforms.GroupSize) * WinogradTransforms.GroupSize);
    }

    private static int TargetChannels(ConvolutionShape shape, bool forward) =>
        forward ? shape.OutputChannels : shape.Input.Channels;

    private static double Taps(AxisMap map) => map.Taps.Sum(taps => taps.Length);
}
