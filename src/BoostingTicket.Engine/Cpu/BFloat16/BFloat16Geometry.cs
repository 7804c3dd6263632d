using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>How a pass in bfloat16 is cut: channels into chunks and groups, images into bands of rows whose packed inputs stay in
/// the second-level cache. Depends on the convolution alone.</summary>
internal sealed class BFloat16Geometry
{
    /// <summary>Input channels of a chunk and output channels of a group at most.</summary>
    private const int MostPairs = 16, MostRows = 16;

    // Of 1 MiB of second-level cache and more.
    private const long BandBytes = 640 << 10;

    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="kernels">What computes.</param>
    public BFloat16Geometry(ConvolutionShape shape, bool forward, BFloat16Kernels kernels)
    {
        Source = forward ? shape.Input : shape.Output;
        Target = forward ? shape.Output : shape.Input;
        KernelTaps = shape.KernelHeight * shape.KernelWidth;
        RowTaps = AxisMap.Rows(shape, forward);
        ColumnTaps = AxisMap.Columns(shape, forward);

        Chunks = Count(Source.Channels, 2 * MostPairs);
        Pairs = Count(Count(Source.Channels, Chunks), 2);
        int tiles = Count(Target.Channels, MostRows);
        GroupsTogether = Math.Min(tiles, kernels.MostGroups);
        Bundles = Count(tiles, GroupsTogether);
        Rows = Count(Target.Channels, Bundles * GroupsTogether);
        TileWidth = kernels.MostPixels(GroupsTogether);
        ChunkBytes = Pairs * Layout.Lanes * sizeof(int);

        // A line more, so that pixels do not share cache sets.
        PixelBytes = Chunks * ChunkBytes + Layout.Lanes * sizeof(int);

        long imageBytes = (long)Source.Pixels * PixelBytes;
        BlocksTogether = (int)Math.Clamp(BandBytes / imageBytes, 1, GatherPlan.MaxBlocks);
        int bands = imageBytes <= BandBytes ? 1 : BandCount();
        BandRows = Count(Target.Height, bands);
        Bands = Count(Target.Height, BandRows);
        int most = Enumerable.Range(0, Bands).Select(SourceRows).Max(rows => rows.End - rows.First);
        InputBytes = (long)BlocksTogether * (Bands == 1 ? Source.Height : most) * Source.Width * PixelBytes;
    }

    /// <summary>Shape read.</summary>
    public FeatureShape Source { get; }

    /// <summary>Shape written.</summary>
    public FeatureShape Target { get; }

    /// <summary>Weights of a pair of channels.</summary>
    public int KernelTaps { get; }

    /// <summary>Taps of the target's rows.</summary>
    public AxisMap RowTaps { get; }

    /// <summary>Taps of the target's columns.</summary>
    public AxisMap ColumnTaps { get; }

    /// <summary>Chunks of source channels.</summary>
    public int Chunks { get; }

    /// <summary>Pairs of source channels in a chunk; the last chunk's last ones may be zeros.</summary>
    public int Pairs { get; }

    /// <summary>Groups of target channels in a tile.</summary>
    public int GroupsTogether { get; }

    /// <summary>How many times <see cref="GroupsTogether"/> groups there are.</summary>
    public int Bundles { get; }

    /// <summary>Target channels of a group; the last one's last ones may be missing.</summary>
    public int Rows { get; }

    /// <summary>Target channels of a bundle.</summary>
    public int BundleChannels => Rows * GroupsTogether;

    /// <summary>Pixels of a full tile.</summary>
    public int TileWidth { get; }

    /// <summary>Bytes of a chunk of a packed pixel.</summary>
    public int ChunkBytes { get; }

    /// <summary>Bytes from one packed pixel of a block to the next.</summary>
    public int PixelBytes { get; }

    /// <summary>Blocks of sixteen images that are tiled together; more than one only where a band is a whole image.</summary>
    public int BlocksTogether { get; }

    /// <summary>Target rows of a band.</summary>
    public int BandRows { get; }

    /// <summary>Bands of an image.</summary>
    public int Bands { get; }

    /// <summary>Bytes of packed inputs that an item holds at most.</summary>
    public long InputBytes { get; }

    /// <summary>Bytes of packed weights of a bundle.</summary>
    public nint BundleBytes => (nint)KernelTaps * Chunks * GroupsTogether * TileCall.GroupBytes;

    /// <summary>Source rows that a band reads: first, and the one behind the last.</summary>
    public (int First, int End) SourceRows(int band)
    {
        int first = Source.Height, end = 0;
        for (int row = band * BandRows; row < Math.Min(Target.Height, (band + 1) * BandRows); row++)
        {
            foreach (AxisTap tap in RowTaps.Taps[row])
                (first, end) = (Math.Min(first, tap.Input), Math.Max(end, tap.Input + 1));
        }
        return (Math.Min(first, end), end);
    }

    private int BandCount()
    {
        long rows = Math.Max(1, BandBytes / ((long)Source.Width * PixelBytes));
        return (int)Math.Clamp(Count(Source.Height, (int)rows), 1, Target.Height);
    }

    private static int Count(int all, int together) => (all + together - 1) / together;
}
