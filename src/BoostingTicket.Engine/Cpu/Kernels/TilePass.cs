using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A convolution by minimal filtering: some tiles are transformed for all input channels, multiplied by the transformed
/// filters in small matrix products, one for each element of a transformed tile, and transformed back, while they lie in the
/// caches. Tiles of all blocks are numbered through, so images of one tile fill the products too.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal abstract unsafe class TilePass<TLanes, TVector> : ConvolutionPass
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    /// <summary>Output channels whose weights lie side by side.</summary>
    protected const int GroupSize = WinogradTransforms.GroupSize;

    // What transforming the inputs costs, as a share of multiplying them by all output channels: an item that takes only
    // some of the output channels does it again.
    private const double InputShare = 0.1;
    private const int MaximalSplits = 8;

    private readonly int _elements;
    private readonly int[] _weightOf;
    private readonly int _weightElements;
    private readonly int _sourceChannels;
    private readonly int _targetChannels;
    private readonly int _groups;
    private readonly int _groupsTogether;
    private readonly int _tilesTogether;
    private readonly int _tileRows;
    private readonly int _tileColumns;
    private readonly nint _inputStride;
    private readonly nint _productStride;
    private readonly NativeBlock _weights;
    private readonly WorkerScratch _scratch;

    /// <param name="shape">The convolution.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="targetsOfTile">Targets of a tile along an axis.</param>
    /// <param name="weightOf">For each element of a transformed tile, the element of the transformed filter that multiplies
    /// it.</param>
    /// <param name="channelsTogether">Output channels that are transformed back together: few enough that their products stay in
    /// the second-level cache.</param>
    /// <param name="scratch">Memory of the workers.</param>
    protected TilePass(
        ConvolutionShape shape, bool forward, int targetsOfTile, int[] weightOf, int channelsTogether, WorkerScratch scratch)
        : base(shape, forward)
    {
        _elements = weightOf.Length;
        _weightOf = weightOf;
        _weightElements = weightOf.Max() + 1;
        _sourceChannels = Source.Channels;
        _targetChannels = Target.Channels;
        _groups = (_targetChannels + GroupSize - 1) / GroupSize;
        _tileRows = (Target.Height + targetsOfTile - 1) / targetsOfTile;
        _tileColumns = (Target.Width + targetsOfTile - 1) / targetsOfTile;
        _weights = new NativeBlock(WeightElement * _weightElements * sizeof(float));
        _tilesTogether = WinogradProduct<TLanes, TVector>.TileWidth;
        _groupsTogether = Math.Min(_groups, channelsTogether / GroupSize);
        _inputStride = (nint)_sourceChannels * _tilesTogether * Layout.Lanes + Layout.Lanes;
        _productStride = (nint)_groupsTogether * GroupSize * _tilesTogether * Layout.Lanes + Layout.Lanes;
        _scratch = scratch;
        scratch.Reserve((_elements * (_inputStride + _productStride) + _elements * Layout.Lanes) * sizeof(float));
    }

    // Floats of one element of all transformed filters, and some more, so that a filter's elements, which are written together,
    // do not share a cache set.
    private nint WeightElement => (nint)_groups * GroupSize * _sourceChannels + Layout.Lanes;

    public override long Bytes => _weights.Bytes;

    public override void Prepare(WorkerPool pool, float* weight, float* scale)
    {
        var job = new PackJob(this, weight, scale);
        pool.Run(ref job, _groups);
    }

    public override void Run(WorkerPool pool, int blocks, float* source, float* target, in PassEpilogue epilogue)
    {
        int tiles = blocks * _tileRows * _tileColumns;
        int tileGroups = (tiles + _tilesTogether - 1) / _tilesTogether;
        int splits = Splits(tileGroups, pool.Threads);
        int groupsPerItem = (_groups + splits - 1) / splits;
        splits = (_groups + groupsPerItem - 1) / groupsPerItem;
        var job = new RunJob(this, tiles, groupsPerItem, splits, source, target, epilogue);
        pool.Run(ref job, tileGroups * splits);
    }

    public override void Dispose() => _weights.Dispose();

    /// <summary>Transforms four filters, one in each lane.</summary>
    /// <param name="filter">The values, row after row, turned by half a turn in an input gradient.</param>
    /// <param name="result">Receives element after element.</param>
    /// <param name="stride">Floats from an element's four values to the next element's.</param>
    protected abstract void TransformFilter(Vector256<double>* filter, float* result, nint stride);

    /// <summary>Where a tile lies.</summary>
    /// <param name="block">Block of sixteen images.</param>
    /// <param name="row">Its row among tiles.</param>
    /// <param name="column">Its column among tiles.</param>
    protected abstract WinogradTile Place(int block, int row, int column);

    /// <summary>Transforms tiles of every source channel.</summary>
    protected abstract void TransformInputs(
        WinogradTile* places, int tiles, float* source, float* scratch, float* inputs, nint tileStride, nint elementStride);

    /// <summary>Transforms tiles of some target channels back and finishes them.</summary>
    protected abstract void TransformOutputs(
        WinogradTile* places, int tiles, float* products, nint tileStride, nint elementStride, int channels, float* scratch,
        float* target, in PassEpilogue epilogue);

    // Transformed filters: element, group, source channel, four target channels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackGroup(int group, float* weight, float* scale)
    {
        int taps = Shape.KernelHeight * Shape.KernelWidth;
        float* side = stackalloc float[taps * GroupSize];
        Vector256<double>* filter = stackalloc Vector256<double>[taps];
        int first = group * GroupSize, rows = Math.Min(GroupSize, _targetChannels - first);
        nint filterLength = (nint)Shape.Input.Channels * taps;
        float* result = (float*)_weights.Data + (nint)first * _sourceChannels;
        for (int channel = 0; channel < _sourceChannels; channel++, result += GroupSize)
        {
            float* from = weight + (Forward ? first * filterLength + channel * taps : channel * filterLength + first * taps);
            nint stride = Forward ? filterLength : taps;
            if (rows == GroupSize)
                WeightPacking.Interleave(from, stride, Vector128<float>.One, taps, side);
            else
                InterleaveFew(from, stride, rows, taps, side);
            Vector256<double> factors = Vector256<double>.One;
            if (scale != null)
                factors = Forward ? FactorsOf(scale + first, rows) : Vector256.Create((double)scale[channel]);
            for (int tap = 0; tap < taps; tap++)
            {
                (Vector128<double> low, Vector128<double> high) = Vector128.Widen(Vector128.Load(side + tap * GroupSize));
                filter[Forward ? tap : taps - 1 - tap] = Vector256.Create(low, high) * factors;
            }
            TransformFilter(filter, result, WeightElement);
        }
    }

    private static Vector256<double> FactorsOf(float* scale, int rows) => Vector256.Create(
        scale[0], rows > 1 ? scale[1] : 0, rows > 2 ? scale[2] : 0, rows > 3 ? scale[3] : (double)0);

    private static void InterleaveFew(float* from, nint stride, int rows, int taps, float* side)
    {
        for (int i = 0; i < taps * GroupSize; i++)
            side[i] = i % GroupSize < rows ? from[i % GroupSize * stride + i / GroupSize] : 0;
    }

    private void RunTiles(in RunJob job, int firstTile, int tiles, int firstGroup, int endGroup, int worker)
    {
        float* scratch = (float*)_scratch.Of(worker);
        float* inputs = scratch + _elements * Layout.Lanes, products = inputs + _elements * _inputStride;
        nint tileStride = (nint)_tilesTogether * Layout.Lanes;
        WinogradTile* places = stackalloc WinogradTile[_tilesTogether];
        int perBlock = _tileRows * _tileColumns;
        for (int tile = 0; tile < tiles; tile++)
        {
            int number = firstTile + tile, within = number % perBlock;
            places[tile] = Place(number / perBlock, within / _tileColumns, within % _tileColumns);
        }
        TransformInputs(places, tiles, job.Source, scratch, inputs, tileStride, _inputStride);
        nint targetRow = (nint)Target.Width * Layout.Lanes, targetChannel = (nint)Target.Pixels * Layout.Lanes;
        PassEpilogue all = job.Epilogue;
        for (int group = firstGroup; group < endGroup; group += _groupsTogether)
        {
            int groups = Math.Min(_groupsTogether, endGroup - group);
            Multiply(inputs, products, tiles, group, groups);
            int channel = group * GroupSize, channels = Math.Min(groups * GroupSize, _targetChannels - channel);
            nint offset = channel * targetChannel;
            PassEpilogue epilogue = all.From(channel, offset);
            TransformOutputs(
                places, tiles, products, tileStride, _productStride, channels, scratch, job.Target + offset, epilogue);
            if (epilogue.Late != Activation.None)
                Finish(places, tiles, channels, job.Target + offset, targetRow, targetChannel, epilogue);
        }
    }

    private static void Finish(
        WinogradTile* places, int tiles, int channels, float* target, nint targetRow, nint targetChannel,
        in PassEpilogue epilogue)
    {
        for (int channel = 0; channel < channels; channel++)
        {
            for (int tile = 0; tile < tiles; tile++)
            {
                nint at = places[tile].Target + channel * targetChannel;
                for (int row = 0; row < places[tile].Rows; row++, at += targetRow)
                    ActivationKernel<TLanes, TVector>.Finish(epilogue, target, at, (nint)places[tile].Columns * Layout.Lanes);
            }
        }
    }

    // Into how many parts of the output channels the tiles' items are cut, for few tiles on many threads.
    private int Splits(int tileGroups, int threads)
    {
        int best = 1;
        double least = double.MaxValue;
        for (int splits = 1; splits <= Math.Min(MaximalSplits, _groups); splits++)
        {
            double time = (tileGroups * splits + threads - 1) / threads * (InputShare + 1.0 / splits);
            if (time < least)
                (best, least) = (splits, time);
        }
        return best;
    }

    private void Multiply(float* inputs, float* products, int tiles, int group, int groups)
    {
        nint tileStride = (nint)_tilesTogether * Layout.Lanes;
        float* weights = (float*)_weights.Data + (nint)group * GroupSize * _sourceChannels;
        for (int element = 0; element < _elements; element++)
        {
            Multiply(
                tiles, weights + _weightOf[element] * WeightElement,
                inputs + element * _inputStride, products + element * _productStride,
                _sourceChannels, groups, tileStride);
        }
    }

    private static void Multiply(
        int columns, float* weights, float* inputs, float* products, int channels, int groups, nint stride)
    {
        switch (columns)
        {
            case 1:
                WinogradProduct<TLanes, TVector>.Run<One>(weights, inputs, products, channels, groups, stride);
                break;
            case 2:
                WinogradProduct<TLanes, TVector>.Run<Two>(weights, inputs, products, channels, groups, stride);
                break;
            case 3:
                WinogradProduct<TLanes, TVector>.Run<Three>(weights, inputs, products, channels, groups, stride);
                break;
            default:
                WinogradProduct<TLanes, TVector>.Run<Four>(weights, inputs, products, channels, groups, stride);
                break;
        }
    }

    private readonly struct PackJob(TilePass<TLanes, TVector> pass, float* weight, float* scale) : IParallelJob
    {
        private readonly float* _weight = weight;
        private readonly float* _scale = scale;

        public void Run(int item, int worker) => pass.PackGroup(item, _weight, _scale);
    }

    private readonly struct RunJob(
        TilePass<TLanes, TVector> pass, int tiles, int groupsPerItem, int splits, float* source, float* target,
        PassEpilogue epilogue) : IParallelJob
    {
        public readonly float* Source = source;
        public readonly float* Target = target;
        public readonly PassEpilogue Epilogue = epilogue;

        public void Run(int item, int worker)
        {
            int firstTile = item / splits * pass._tilesTogether, firstGroup = item % splits * groupsPerItem;
            pass.RunTiles(
                this, firstTile, Math.Min(pass._tilesTogether, tiles - firstTile), firstGroup,
                Math.Min(pass._groups, firstGroup + groupsPerItem), worker);
            if (Epilogue.Streams)
                Prefetch.CompleteStreams();
        }
    }
}
