using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>One algorithm for the filter gradient of one convolution.</summary>
internal abstract unsafe class FilterGradient : IDisposable
{
    /// <summary>Computes the gradient of the weights.</summary>
    /// <param name="pool">Threads.</param>
    /// <param name="blocks">Blocks of sixteen images.</param>
    /// <param name="x">Input.</param>
    /// <param name="dy">Gradient of the output, zero in unused lanes.</param>
    /// <param name="dw">Gradient of the weights in logical order; overwritten.</param>
    public abstract void Run(WorkerPool pool, int blocks, float* x, float* dy, float* dw);

    /// <summary>Frees what was prepared.</summary>
    public abstract void Dispose();
}

/// <summary>Direct filter gradient of any convolution. A work item owns the gradients of some output and some input
/// channels and adds up all blocks itself, so no sums are merged between threads and results do not depend on them.
/// Columns of the output that are reached through the same columns of the filter form a class; every class sums over
/// rectangles in which all products exist.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class FilterGradient<TLanes, TVector> : FilterGradient
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Output pixels that are summed between two sums over the lanes: enough to make those cheap, few enough that the
    // gradients of a tile's channels stay in the first-level cache.
    private const int SegmentPixels = 128;

    // Channels of an item: their planes share the second-level cache.
    private const int ChannelsOfItem = 16;

    private readonly ConvolutionShape _shape;
    private readonly int _kernelTaps;
    private readonly int _outputsOfItem;
    private readonly int _inputsOfItem;
    private readonly (int First, int End)[] _rows;
    private readonly ColumnClass[] _columns;
    private readonly NativeBlock _streams;

    public FilterGradient(ConvolutionShape shape)
    {
        _shape = shape = ConvolutionPass.Flattened(shape);
        _kernelTaps = shape.KernelHeight * shape.KernelWidth;
        _inputsOfItem = Math.Min(ChannelsOfItem, shape.Input.Channels);
        int rows = FilterGradientKernel<TLanes, TVector>.TileRows;
        _outputsOfItem = Math.Min(ChannelsOfItem, (shape.OutputChannels + 3) / 4) / rows * rows;
        _outputsOfItem = Math.Max(_outputsOfItem, rows);
        _rows = RowsOf(AxisMap.Rows(shape, forward: true), shape.KernelHeight);
        var table = new List<int>();
        _columns = [.. ClassesOf(AxisMap.Columns(shape, forward: true), shape, table)];
        _streams = new NativeBlock((long)table.Count * sizeof(int));
        CollectionsMarshal.AsSpan(table).CopyTo(new Span<int>(_streams.Data, table.Count));
    }

    public override void Run(WorkerPool pool, int blocks, float* x, float* dy, float* dw)
    {
        int outputRanges = (_shape.OutputChannels + _outputsOfItem - 1) / _outputsOfItem;
        int inputRanges = (_shape.Input.Channels + _inputsOfItem - 1) / _inputsOfItem;
        var job = new Job(this, blocks, x, dy, dw, inputRanges);
        pool.Run(ref job, outputRanges * inputRanges);
    }

    public override void Dispose() => _streams.Dispose();

    // For each row of the filter, the output rows that it contributes to.
    private static (int, int)[] RowsOf(AxisMap map, int kernel)
    {
        var rows = new (int First, int End)[kernel];
        Array.Fill(rows, (int.MaxValue, 0));
        for (int output = 0; output < map.Taps.Length; output++)
        {
            foreach (AxisTap tap in map.Taps[output])
                rows[tap.Kernel] = (Math.Min(rows[tap.Kernel].First, output), output + 1);
        }
        return rows;
    }

    private static IEnumerable<ColumnClass> ClassesOf(AxisMap map, ConvolutionShape shape, List<int> table)
    {
        int plane = shape.Input.Pixels * Layout.Lanes, taps = shape.KernelHeight * shape.KernelWidth;
        for (int first = 0, end; first < map.Taps.Length; first = end)
        {
            for (end = first + 1; end < map.Taps.Length && map.Classes[end] == map.Classes[first]; end++)
            {
            }
            AxisTap[] read = map.Taps[first];
            if (read.Length == 0)
                continue;
            yield return new ColumnClass(first, end - first, table.Count, read.Length);
            for (int channel = 0; channel < shape.Input.Channels; channel++)
            {
                foreach (AxisTap tap in read)
                {
                    table.Add(checked(channel * plane + tap.Input * Layout.Lanes));
                    table.Add(checked(channel * taps + tap.Kernel));
                }
            }
        }
    }

    private void RunItem(in Job job, int firstOutput, int firstInput)
    {
        int endOutput = Math.Min(firstOutput + _outputsOfItem, _shape.OutputChannels);
        int endInput = Math.Min(firstInput + _inputsOfItem, _shape.Input.Channels);
        nint filter = (nint)_shape.Input.Channels * _kernelTaps;
        for (int output = firstOutput; output < endOutput; output++)
        {
            float* start = job.Result + output * filter + (nint)firstInput * _kernelTaps;
            new Span<float>(start, (endInput - firstInput) * _kernelTaps).Clear();
        }
        int height = _shape.Output.Height;
        foreach (ColumnClass columns in _columns)
        {
            int bandRows = Math.Clamp(SegmentPixels / columns.Count, 1, height);
            int blocksTogether = bandRows < height ? 1 : Math.Max(1, SegmentPixels / (height * columns.Count));
            for (int block = 0; block < job.Blocks; block += blocksTogether)
            {
                for (int row = 0; row < height; row += bandRows)
                {
                    var segment = new Segment(
                        block, Math.Min(blocksTogether, job.Blocks - block), row, Math.Min(height, row + bandRows));
                    RunSegment(job, columns, segment, (firstOutput, endOutput), (firstInput, endInput));
                }
            }
        }
    }

    private void RunSegment(
        in Job job, ColumnClass columns, Segment segment, (int First, int End) outputs, (int First, int End) inputs)
    {
        int tileRows = FilterGradientKernel<TLanes, TVector>.TileRows;
        int tileStreams = FilterGradientKernel<TLanes, TVector>.TileStreams;
        nint rowIn = (nint)_shape.Input.Width * Layout.Lanes, rowOut = (nint)_shape.Output.Width * Layout.Lanes;
        var call = new FilterGradientCall
        {
            ResultStride = (nint)_shape.Input.Channels * _kernelTaps,
            GradientChannelStride = (nint)_shape.Output.Pixels * Layout.Lanes,
            GradientRowStride = rowOut,
            GradientBlockStride = (nint)_shape.Output.Length * Layout.Lanes,
            InputColumnStride = (nint)_shape.Stride * Layout.Lanes,
            InputRowStride = _shape.Stride * rowIn,
            InputBlockStride = (nint)_shape.Input.Length * Layout.Lanes,
            Blocks = segment.Blocks,
            Columns = columns.Count,
        };
        int* streams = (int*)_streams.Data + columns.Streams;
        for (int output = outputs.First; output < outputs.End; output += tileRows)
        {
            for (int kernelRow = 0; kernelRow < _rows.Length; kernelRow++)
            {
                int first = Math.Max(_rows[kernelRow].First, segment.FirstRow);
                call.Rows = Math.Min(_rows[kernelRow].End, segment.EndRow) - first;
                if (call.Rows <= 0)
                    continue;
                call.Gradient = job.Gradient + segment.Block * call.GradientBlockStride
                    + output * call.GradientChannelStride + first * rowOut + (nint)columns.First * Layout.Lanes;
                call.Input = job.Input + segment.Block * call.InputBlockStride
                    + ((nint)first * _shape.Stride - _shape.Padding + kernelRow) * rowIn;
                call.Result = job.Result + output * call.ResultStride + (nint)kernelRow * _shape.KernelWidth;
                int end = inputs.End * columns.Taps;
                for (int stream = inputs.First * columns.Taps; stream < end; stream += tileStreams)
                {
                    call.Streams = streams + 2 * stream;
                    Invoke(call, Math.Min(tileRows, outputs.End - output), Math.Min(tileStreams, end - stream));
                }
            }
        }
    }

    private static void Invoke(in FilterGradientCall call, int rows, int streams)
    {
        switch (rows)
        {
            case 1:
                Invoke<One>(call, streams);
                break;
            case 2:
                Invoke<Two>(call, streams);
                break;
            case 3:
                Invoke<Three>(call, streams);
                break;
            default:
                Invoke<Four>(call, streams);
                break;
        }
    }

    private static void Invoke<TRows>(in FilterGradientCall call, int streams)
        where TRows : struct, ICount
    {
        switch (streams)
        {
            case 1:
                FilterGradientKernel<TLanes, TVector>.Run<TRows, One>(call);
                break;
            case 2:
                FilterGradientKernel<TLanes, TVector>.Run<TRows, Two>(call);
                break;
            case 3:
                FilterGradientKernel<TLanes, TVector>.Run<TRows, Three>(call);
                break;
            case 4:
                FilterGradientKernel<TLanes, TVector>.Run<TRows, Four>(call);
                break;
            case 5:
                FilterGradientKernel<TLanes, TVector>.Run<TRows, Five>(call);
                break;
            default:
                FilterGradientKernel<TLanes, TVector>.Run<TRows, Six>(call);
                break;
        }
    }

    /// <summary>Neighbouring output columns that read through the same filter columns.</summary>
    /// <param name="First">First output column.</param>
    /// <param name="Count">Output columns.</param>
    /// <param name="Streams">Where the class's streams start in the table.</param>
    /// <param name="Taps">Filter columns; streams of an input channel.</param>
    private readonly record struct ColumnClass(int First, int Count, int Streams, int Taps);

    private readonly record struct Segment(int Block, int Blocks, int FirstRow, int EndRow);

    private readonly struct Job(
        FilterGradient<TLanes, TVector> owner, int blocks, float* x, float* dy, float* dw, int inputRanges) : IParallelJob
    {
        public readonly int Blocks = blocks;
        public readonly float* Input = x;
        public readonly float* Gradient = dy;
        public readonly float* Result = dw;

        public void Run(int item, int worker) => owner.RunItem(
            this, item / inputRanges * owner._outputsOfItem, item % inputRanges * owner._inputsOfItem);
    }
}
