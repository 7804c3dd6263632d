using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>How a sparse pass cuts its work: the target into patches, whose source values, borders of zeros included, are copied
/// so that all kept weights apply to all pixels and everything a patch needs lies in the second-level cache; patches into
/// register tiles; source channels into groups that are copied together. Small images of several blocks lie side by side in a
/// patch.</summary>
internal sealed class SparseGeometry
{
    /// <summary>Bytes of a patch: half of a second-level cache of 1 MiB, which lists, sums and results share.</summary>
    public const long PatchBytes = 512 << 10;

    // Most blocks of single pixels side by side: enough accumulators to hide the latency of a multiply-add.
    private const int MaximalBlocks = 8;

    private const int VectorBytes = Layout.Lanes * sizeof(float);

    private readonly int _maximalPixels;
    private readonly int[] _phaseIndex;

    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="maximalPixels">Most pixels of a register tile.</param>
    public SparseGeometry(ConvolutionShape shape, bool forward, int maximalPixels)
    {
        _maximalPixels = maximalPixels;
        Source = forward ? shape.Input : shape.Output;
        Target = forward ? shape.Output : shape.Input;
        SourceStride = forward ? shape.Stride : 1;
        TargetStride = forward ? 1 : shape.Stride;
        KernelWidth = shape.KernelWidth;
        KernelTaps = shape.KernelHeight * shape.KernelWidth;
        Rows = PhaseAxis.Rows(shape, forward);
        Columns = PhaseAxis.Columns(shape, forward);
        (_phaseIndex, SourcePhases) = UsedPhases();
        PlaneRows = Count(Target.Height, TargetStride);
        PlaneColumns = Count(Target.Width, TargetStride);
        BlocksTogether = (PlaneRows * PlaneColumns) switch
        {
            1 => MaximalBlocks,
            <= 4 and var pixels => maximalPixels / pixels,
            _ => 1,
        };
        (PatchRows, PatchColumns) = ChoosePatch();
        ChannelPixels = SourcePhases.Length * SourceRows * SourceColumns;
        GroupChannels = (int)Math.Clamp(
            PatchBytes / ((long)ChannelPixels * BlocksTogether * VectorBytes), 1, Source.Channels);
        int groups = Count(Source.Channels, GroupChannels);
        GroupChannels = Count(Source.Channels, groups);
    }

    /// <summary>Shape read.</summary>
    public FeatureShape Source { get; }

    /// <summary>Shape written.</summary>
    public FeatureShape Target { get; }

    /// <summary>Step between source indices of a phase.</summary>
    public int SourceStride { get; }

    /// <summary>Step between target indices of a phase.</summary>
    public int TargetStride { get; }

    /// <summary>Columns of the filter.</summary>
    public int KernelWidth { get; }

    /// <summary>Weights of the filter for a channel.</summary>
    public int KernelTaps { get; }

    /// <summary>Rows.</summary>
    public PhaseAxis Rows { get; }

    /// <summary>Columns.</summary>
    public PhaseAxis Columns { get; }

    /// <summary>Phases of the source that are read: row phase, column phase.</summary>
    public (int Row, int Column)[] SourcePhases { get; }

    /// <summary>Phases of the target: row phases by column phases.</summary>
    public int TargetPhases => Rows.TargetPhases * Columns.TargetPhases;

    /// <summary>Rows of a target phase.</summary>
    public int PlaneRows { get; }

    /// <summary>Columns of a target phase.</summary>
    public int PlaneColumns { get; }

    /// <summary>Most blocks whose images lie side by side.</summary>
    public int BlocksTogether { get; }

    /// <summary>Target rows of a patch.</summary>
    public int PatchRows { get; }

    /// <summary>Target columns of a patch.</summary>
    public int PatchColumns { get; }

    /// <summary>Patches of a plane along its rows.</summary>
    public int PatchesDown => Count(PlaneRows, PatchRows);

    /// <summary>Patches of a plane along its columns.</summary>
    public int PatchesAcross => Count(PlaneColumns, PatchColumns);

    /// <summary>Source rows of a patch.</summary>
    public int SourceRows => PatchRows + Rows.Halo;

    /// <summary>Source columns of a patch.</summary>
    public int SourceColumns => PatchColumns + Columns.Halo;

    /// <summary>Pixels of a patch's source channel, all phases.</summary>
    public int ChannelPixels { get; }

    /// <summary>Source channels that are copied together.</summary>
    public int GroupChannels { get; }

    /// <summary>Register tile of a patch of so many blocks.</summary>
    public SparseTile Tile(int blocks) => SparseTile.Choose(
        _maximalPixels, PatchRows, PatchColumns * blocks, Rows.Halo, Columns.Halo * blocks);

    /// <summary>Whether a filter index contributes to a phase of the target.</summary>
    public bool Contributes(int targetPhase, int kernel) =>
        Rows.Contributes(targetPhase / Columns.TargetPhases, kernel / KernelWidth)
        && Columns.Contributes(targetPhase % Columns.TargetPhases, kernel % KernelWidth);

    /// <summary>From a target pixel's place in the patch to the source pixel that a filter index reads, in the first channel of a
    /// group.</summary>
    public int Offset(int targetPhase, int kernel)
    {
        int rowPhase = targetPhase / Columns.TargetPhases, columnPhase = targetPhase % Columns.TargetPhases;
        int row = kernel / KernelWidth, column = kernel % KernelWidth;
        int phase = Rows.SourcePhase(rowPhase, row) * SourceStride + Columns.SourcePhase(columnPhase, column);
        return (_phaseIndex[phase] * SourceRows + Rows.Step(rowPhase, row) - Rows.FirstStep) * SourceColumns
            + Columns.Step(columnPhase, column) - Columns.FirstStep;
    }

    /// <summary>Rounded up.</summary>
    public static int Count(int length, int part) => (length + part - 1) / part;

    private (int[] Index, (int Row, int Column)[] Phases) UsedPhases()
    {
        int[] index = new int[SourceStride * SourceStride];
        Array.Fill(index, -1);
        var phases = new List<(int, int)>();
        for (int phase = 0; phase < TargetPhases; phase++)
        {
            for (int kernel = 0; kernel < KernelTaps; kernel++)
            {
                if (!Contributes(phase, kernel))
                    continue;
                int row = Rows.SourcePhase(phase / Columns.TargetPhases, kernel / KernelWidth);
                int column = Columns.SourcePhase(phase % Columns.TargetPhases, kernel % KernelWidth);
                if (index[row * SourceStride + column] >= 0)
                    continue;
                index[row * SourceStride + column] = phases.Count;
                phases.Add((row, column));
            }
        }
        return (index, [.. phases]);
    }

    // The patch of whole tiles that fits into the cache with the fewest copies of border values; one tile where none fits.
    private (int Rows, int Columns) ChoosePatch()
    {
        SparseTile tile = SparseTile.Choose(
            _maximalPixels, PlaneRows, PlaneColumns * BlocksTogether, Rows.Halo, Columns.Halo * BlocksTogether);
        if (BlocksTogether > 1)
            return (PlaneRows, PlaneColumns);
        (int Rows, int Columns) best = (tile.Rows, tile.Columns);
        double least = double.MaxValue;
        for (int rows = tile.Rows; rows < PlaneRows + tile.Rows; rows += tile.Rows)
        {
            for (int columns = tile.Columns; columns < PlaneColumns + tile.Columns; columns += tile.Columns)
            {
                long pixels = (long)(rows + Rows.Halo) * (columns + Columns.Halo);
                double copies = (double)pixels * Count(PlaneRows, rows) * Count(PlaneColumns, columns);
                if (pixels * SourcePhases.Length * Source.Channels * VectorBytes > PatchBytes || copies >= least)
                    continue;
                (best, least) = ((rows, columns), copies);
            }
        }
        return best;
    }
}
