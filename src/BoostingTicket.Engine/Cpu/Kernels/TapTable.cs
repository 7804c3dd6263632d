using System.Runtime.InteropServices;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The taps of each class of output pixels over a chunk of source channels, in native memory: pairs of the
/// distance from a pixel's base and the offset into a group's weights, channel after channel.</summary>
internal sealed unsafe class TapTable : IDisposable
{
    private readonly NativeBlock _memory;
    private readonly int[] _first;
    private readonly int[] _perChannel;

    public TapTable(FeatureShape source, AxisMap rows, AxisMap columns, int kernelWidth, int kernelTaps, int chunk)
    {
        (int Offset, int Kernel)[][] classes = GatherPlan.Taps(source, rows, columns, kernelWidth);
        _perChannel = [.. classes.Select(taps => taps.Length)];
        _first = new int[classes.Length];
        var table = new List<int>();
        for (int number = 0; number < classes.Length; number++)
        {
            _first[number] = table.Count;
            for (int channel = 0; channel < chunk; channel++)
            {
                foreach ((int offset, int kernel) in classes[number])
                {
                    table.Add(checked(offset + channel * source.Pixels * Layout.Lanes));
                    table.Add((channel * kernelTaps + kernel) * 4);
                }
            }
        }
        _memory = new NativeBlock((long)table.Count * sizeof(int));
        CollectionsMarshal.AsSpan(table).CopyTo(new Span<int>(_memory.Data, table.Count));
    }

    /// <summary>First pair of a class.</summary>
    public int* Of(int number) => (int*)_memory.Data + _first[number];

    /// <summary>Pairs of a class over so many channels.</summary>
    public int Count(int number, int channels) => _perChannel[number] * channels;

    public void Dispose() => _memory.Dispose();
}

/// <summary>A <see cref="GatherPlan"/> whose offsets lie in native memory.</summary>
internal sealed unsafe class TilePlan : IDisposable
{
    private readonly NativeBlock _memory;
    private readonly TileRun[] _runs;
    private readonly int[] _bands;

    public TilePlan(GatherPlan plan)
    {
        _runs = plan.Runs;
        _bands = plan.Bands;
        _memory = new NativeBlock((long)plan.Tiles.Length * sizeof(int));
        plan.Tiles.CopyTo(new Span<int>(_memory.Data, plan.Tiles.Length));
    }

    /// <summary>Offsets of all tiles.</summary>
    public int* Tiles => (int*)_memory.Data;

    /// <summary>Bands.</summary>
    public int Bands => _bands.Length - 1;

    /// <summary>First run of a band.</summary>
    public int FirstRun(int band) => _bands[band];

    /// <summary>A run.</summary>
    public TileRun Run(int number) => _runs[number];

    public void Dispose() => _memory.Dispose();
}
