using System.Runtime.CompilerServices;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>One patch of one group of blocks: where its source values lie and where its results go.</summary>
/// <param name="geometry">How the work is cut.</param>
/// <param name="firstBlock">First block.</param>
/// <param name="blocks">Blocks, whose images lie side by side.</param>
/// <param name="patch">The patch's number.</param>
internal readonly unsafe struct SparsePatch(SparseGeometry geometry, int firstBlock, int blocks, int patch)
{
    private readonly int _row = patch / geometry.PatchesAcross * geometry.PatchRows;
    private readonly int _column = patch % geometry.PatchesAcross * geometry.PatchColumns;

    /// <summary>Whether a tile holds pixels of the target.</summary>
    /// <param name="row">The tile's first row in the patch.</param>
    /// <param name="column">The tile's first column in the patch, blocks side by side.</param>
    public bool Reaches(int row, int column) =>
        _row + row < geometry.PlaneRows && _column + column / blocks < geometry.PlaneColumns;

    /// <summary>Lists a tile's pixels that exist in the target.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="row">Its first row in the patch.</param>
    /// <param name="column">Its first column in the patch, blocks side by side.</param>
    /// <param name="phase">Phase of the target.</param>
    /// <param name="pixels">For each pixel the offset in the tile's sums and the offset in a target channel.</param>
    /// <returns>Pixels listed.</returns>
    public int Pixels(SparseTile tile, int row, int column, int phase, int* pixels)
    {
        int count = 0, stride = geometry.TargetStride, width = geometry.Target.Width;
        int rowPhase = phase / geometry.Columns.TargetPhases, columnPhase = phase % geometry.Columns.TargetPhases;
        for (int i = 0; i < tile.Rows; i++)
        {
            int targetRow = (_row + row + i) * stride + rowPhase;
            if (row + i >= geometry.PatchRows || targetRow >= geometry.Target.Height)
                break;
            for (int j = 0; j < tile.Columns; j++)
            {
                int patchColumn = (column + j) / blocks, block = firstBlock + (column + j) % blocks;
                int targetColumn = (_column + patchColumn) * stride + columnPhase;
                if (patchColumn >= geometry.PatchColumns || targetColumn >= width)
                    break;
                pixels[2 * count] = (i * tile.Columns + j) * Layout.Lanes;
                pixels[2 * count + 1] = checked(
                    (block * geometry.Target.Length + targetRow * width + targetColumn) * Layout.Lanes);
                count++;
            }
        }
        return count;
    }

    /// <summary>Lists all pixels of a tile of a target of one phase.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="row">Its first row in the patch.</param>
    /// <param name="column">Its first column in the patch, blocks side by side.</param>
    /// <param name="offsets">For each pixel the offset in a target channel; -1 for one that does not exist.</param>
    public void Pixels(SparseTile tile, int row, int column, int* offsets)
    {
        int* pixels = stackalloc int[2 * 16];
        int count = Pixels(tile, row, column, 0, pixels);
        new Span<int>(offsets, tile.Pixels).Fill(-1);
        for (int i = 0; i < count; i++)
            offsets[pixels[2 * i] / Layout.Lanes] = pixels[2 * i + 1];
    }

    /// <summary>Copies the source values of some channels, with zeros around the image.</summary>
    /// <param name="source">The source tensor.</param>
    /// <param name="firstChannel">First channel.</param>
    /// <param name="endChannel">End of the channels.</param>
    /// <param name="to">Channel, phase, row, column, block, image.</param>
    public void Copy<TLanes, TVector>(float* source, int firstChannel, int endChannel, float* to)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        int stride = geometry.SourceStride, rows = geometry.SourceRows, columns = geometry.SourceColumns;
        int width = geometry.Source.Width, height = geometry.Source.Height;
        nint blockStride = (nint)geometry.Source.Length * Layout.Lanes;
        source += firstBlock * blockStride;
        for (int channel = firstChannel; channel < endChannel; channel++)
        {
            float* plane = source + (nint)channel * geometry.Source.Pixels * Layout.Lanes;
            foreach ((int rowPhase, int columnPhase) in geometry.SourcePhases)
            {
                int top = (_row + geometry.Rows.FirstStep) * stride + rowPhase;
                int left = (_column + geometry.Columns.FirstStep) * stride + columnPhase;
                int before = Math.Min(columns, left < 0 ? (stride - 1 - left) / stride : 0);
                int end = Math.Clamp((width - left + stride - 1) / stride, before, columns);
                for (int row = 0; row < rows; row++, to += (nint)columns * blocks * Layout.Lanes)
                {
                    int sourceRow = top + row * stride;
                    if (sourceRow < 0 || sourceRow >= height)
                    {
                        Clear<TLanes, TVector>(to, columns * blocks);
                        continue;
                    }
                    Clear<TLanes, TVector>(to, before * blocks);
                    CopyRow<TLanes, TVector>(
                        plane + ((nint)sourceRow * width + left + before * stride) * Layout.Lanes, stride * Layout.Lanes,
                        blockStride, blocks, end - before, to + (nint)before * blocks * Layout.Lanes,
                        (nint)geometry.Source.Pixels * Layout.Lanes);
                    Clear<TLanes, TVector>(to + (nint)end * blocks * Layout.Lanes, (columns - end) * blocks);
                }
            }
        }
    }

    // The same row of the next channel is asked for meanwhile: rows are too short for the hardware to see where this goes.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRow<TLanes, TVector>(
        float* from, nint step, nint blockStride, int blocks, int columns, float* to, nint channelStride)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        for (; columns > 0; columns--, from += step)
        {
            float* at = from;
            for (int block = blocks; block > 0; block--, at += blockStride, to += Layout.Lanes)
            {
                Prefetch.Line(at + channelStride);
                for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                    TLanes.Store(to + lane, TLanes.Load(at + lane));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Clear<TLanes, TVector>(float* to, int vectors)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        for (float* end = to + (nint)vectors * Layout.Lanes; to < end; to += TLanes.Width)
            TLanes.Store(to, TLanes.Zero);
    }
}
