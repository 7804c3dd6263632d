using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Tiles of one width that share a list of taps.</summary>
/// <param name="Class">Which list of taps.</param>
/// <param name="Width">Pixels of a tile.</param>
/// <param name="FirstTile">Index of the first tile's first offset in <see cref="GatherPlan.Tiles"/>.</param>
/// <param name="TileCount">Tiles.</param>
internal readonly record struct TileRun(int Class, int Width, int FirstTile, int TileCount);

/// <summary>How a direct convolution walks over one to four blocks: output pixels that read through the same taps are tiled
/// together, wherever they lie, in bands of rows whose input stays in the cache.</summary>
internal sealed class GatherPlan
{
    /// <summary>Most blocks that are tiled together.</summary>
    public const int MaxBlocks = 4;

    /// <param name="input">Shape read.</param>
    /// <param name="output">Shape written.</param>
    /// <param name="rows">Taps of the output's rows.</param>
    /// <param name="columns">Taps of the output's columns.</param>
    /// <param name="blocks">Blocks of sixteen images, 1 to 4.</param>
    /// <param name="tileWidth">Pixels of a full tile.</param>
    /// <param name="bandPixels">Pixels of a band at least, if the image has as many.</param>
    public GatherPlan(
        FeatureShape input, FeatureShape output, AxisMap rows, AxisMap columns, int blocks, int tileWidth, int bandPixels)
    {
        int bandRows = Math.Clamp((bandPixels + output.Width * blocks - 1) / (output.Width * blocks), 1, output.Height);
        var tiles = new List<int>();
        var runs = new List<TileRun>();
        var bands = new List<int> { 0 };
        for (int row = 0; row < output.Height; row += bandRows)
        {
            AddBand(row, Math.Min(output.Height, row + bandRows));
            bands.Add(runs.Count);
        }
        Tiles = [.. tiles];
        Runs = [.. runs];
        Bands = [.. bands];

        void AddBand(int firstRow, int endRow)
        {
            var classes = new List<(int Input, int Output)>[rows.ClassCount * columns.ClassCount];
            for (int row = firstRow; row < endRow; row++)
            {
                for (int column = 0; column < output.Width; column++)
                {
                    int number = rows.Classes[row] * columns.ClassCount + columns.Classes[column];
                    (classes[number] ??= []).Add((Base(row, column), (row * output.Width + column) * Layout.Lanes));
                }
            }
            for (int number = 0; number < classes.Length; number++)
            {
                if (classes[number] is { } pixels)
                    AddClass(number, pixels);
            }
        }

        // Full tiles lie within one block, where neighbours share cache lines; what is left over is tiled across blocks.
        void AddClass(int number, List<(int Input, int Output)> pixels)
        {
            int full = pixels.Count / tileWidth * tileWidth;
            var ordered = new List<(int, int)>();
            for (int block = 0; block < blocks; block++)
                ordered.AddRange(pixels.Take(full).Select(pixel => InBlock(pixel, block)));
            foreach ((int, int) pixel in pixels.Skip(full))
            {
                for (int block = 0; block < blocks; block++)
                    ordered.Add(InBlock(pixel, block));
            }
            int done = 0;
            for (int width = tileWidth; width > 0; width--)
            {
                int count = (ordered.Count - done) / width;
                if (count == 0)
                    continue;
                runs.Add(new TileRun(number, width, tiles.Count, count));
                for (int tile = 0; tile < count; tile++, done += width)
                {
                    tiles.AddRange(ordered.Skip(done).Take(width).Select(pixel => pixel.Item1));
                    tiles.AddRange(ordered.Skip(done).Take(width).Select(pixel => pixel.Item2));
                }
            }
        }

        (int, int) InBlock((int Input, int Output) pixel, int block) => (
            checked(pixel.Input + block * input.Length * Layout.Lanes),
            checked(pixel.Output + block * output.Length * Layout.Lanes));

        int Base(int row, int column)
        {
            AxisTap[] rowTaps = rows.Taps[row], columnTaps = columns.Taps[column];
            return rowTaps.Length == 0 || columnTaps.Length == 0
                ? 0
                : (rowTaps[0].Input * input.Width + columnTaps[0].Input) * Layout.Lanes;
        }
    }

    /// <summary>For each tile the floats from the first block's start to its pixels' inputs, then to its outputs.</summary>
    public int[] Tiles { get; }

    /// <summary>All runs, band after band.</summary>
    public TileRun[] Runs { get; }

    /// <summary>First run of each band, then the number of runs.</summary>
    public int[] Bands { get; }

    /// <summary>The taps of one channel for each class: pairs of the distance from a pixel's base in floats and the index
    /// in the filter.</summary>
    public static (int Offset, int Kernel)[][] Taps(FeatureShape input, AxisMap rows, AxisMap columns, int kernelWidth)
    {
        var classes = new (int, int)[rows.ClassCount * columns.ClassCount][];
        for (int row = 0; row < rows.Taps.Length; row++)
        {
            for (int column = 0; column < columns.Taps.Length; column++)
            {
                AxisTap[] rowTaps = rows.Taps[row], columnTaps = columns.Taps[column];
                classes[rows.Classes[row] * columns.ClassCount + columns.Classes[column]] ??= [
                    .. from r in rowTaps
                       from c in columnTaps
                       select (
                           ((r.Input - rowTaps[0].Input) * input.Width + c.Input - columnTaps[0].Input) * Layout.Lanes,
                           r.Kernel * kernelWidth + c.Kernel)];
            }
        }
        return classes;
    }
}
