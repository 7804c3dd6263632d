using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>The steps of each class of target pixels in native memory, as <see cref="TileCall.Steps"/> has them, and the rows
/// that each band reads.</summary>
internal sealed unsafe class StepTable : IDisposable
{
    private readonly NativeBlock _memory;
    private readonly int[] _first;
    private readonly (int First, int End)[] _rows;

    /// <param name="geometry">How the pass is cut.</param>
    /// <param name="kernelWidth">Columns of a filter.</param>
    public StepTable(BFloat16Geometry geometry, int kernelWidth)
    {
        var plane = new FeatureShape(1, geometry.Source.Height, geometry.Source.Width);
        int weightBytes = geometry.GroupsTogether * TileCall.GroupBytes;
        var table = new List<int>();
        var first = new List<int> { 0 };
        foreach ((int Offset, int Kernel)[] taps in GatherPlan.Taps(plane, geometry.RowTaps, geometry.ColumnTaps, kernelWidth))
        {
            foreach ((int offset, int kernel) in taps)
            {
                for (int chunk = 0; chunk < geometry.Chunks; chunk++)
                {
                    table.Add(checked(offset / Layout.Lanes * geometry.PixelBytes + chunk * geometry.ChunkBytes));
                    table.Add(checked((kernel * geometry.Chunks + chunk) * weightBytes));
                }
            }
            first.Add(table.Count);
        }
        _first = [.. first];
        _rows = [.. Enumerable.Range(0, geometry.Bands).Select(geometry.SourceRows)];
        _memory = new NativeBlock((long)table.Count * sizeof(int));
        CollectionsMarshal.AsSpan(table).CopyTo(new Span<int>(_memory.Data, table.Count));
    }

    /// <summary>First step of a class.</summary>
    public int* Of(int number) => (int*)_memory.Data + _first[number];

    /// <summary>Steps of a class.</summary>
    public int Count(int number) => (_first[number + 1] - _first[number]) / 2;

    /// <summary>Source rows of a band: first, and the one behind the last.</summary>
    public (int First, int End) SourceRows(int band) => _rows[band];

    public void Dispose() => _memory.Dispose();
}
