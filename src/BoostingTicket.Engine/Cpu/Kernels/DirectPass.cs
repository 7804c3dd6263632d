using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Direct convolution of any shape, without a copy of its input: every output pixel adds up exactly the products
/// that exist. Input channels are taken in chunks, partial sums staying in the target, so that what a chunk reads stays in
/// the second-level cache while all output channels use it.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class DirectPass<TLanes, TVector> : ConvolutionPass
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int GroupSize = DirectKernel<TLanes, TVector>.GroupSize;

    // Measured on 1 MiB of second-level cache: what a chunk reads of a band should fill a good third of it. A 1x1 kernel
    // uses each value once a group, so its bands are smaller; with few groups nothing is reused and chunks should be small.
    private const int BandPixels = 128;
    private const int BandPixels1x1 = 64;
    private const long ReusedBytes = 384 << 10;
    private const long StreamedBytes = 96 << 10;
    private const int FewGroups = 2;

    // Images smaller than this are tiled together, so that pixels that are alone in their class fill tiles.
    private const int PixelsTogether = 256;

    private readonly int _kernelTaps;
    private readonly int _sourceChannels;
    private readonly int _targetChannels;
    private readonly int _groups;
    private readonly int _chunk;
    private readonly int _blocksTogether;
    private readonly NativeBlock _weights;
    private readonly TapTable _taps;
    private readonly TilePlan[] _plans;

    public DirectPass(ConvolutionShape shape, bool forward) : base(shape, forward)
    {
        _kernelTaps = Shape.KernelHeight * Shape.KernelWidth;
        _sourceChannels = Source.Channels;
        _targetChannels = Target.Channels;
        _groups = (_targetChannels + GroupSize - 1) / GroupSize;
        _weights = new NativeBlock((long)_groups * GroupSize * _sourceChannels * _kernelTaps * sizeof(float));

        AxisMap rows = AxisMap.Rows(Shape, forward), columns = AxisMap.Columns(Shape, forward);
        _blocksTogether = Math.Clamp(PixelsTogether / Target.Pixels, 1, GatherPlan.MaxBlocks);
        int bandPixels = _kernelTaps == 1 ? BandPixels1x1 : BandPixels;
        int bandRows = Math.Clamp(bandPixels / Target.Width / _blocksTogether, 1, Target.Height);
        long rowsRead = Math.Min(
            Source.Height,
            ((long)bandRows * Source.Height + Target.Height - 1) / Target.Height + Shape.KernelHeight - 1);
        long bytes = rowsRead * Source.Width * _blocksTogether * Layout.Lanes * sizeof(float);
        _chunk = (int)Math.Clamp((_groups <= FewGroups ? StreamedBytes : ReusedBytes) / bytes, 1, _sourceChannels);
        int chunks = (_sourceChannels + _chunk - 1) / _chunk;
        _chunk = (_sourceChannels + chunks - 1) / chunks;
        _taps = new TapTable(Source, rows, columns, Shape.KernelWidth, _kernelTaps, _chunk);
        _plans = [
            .. Enumerable.Range(1, _blocksTogether).Select(blocks => new TilePlan(new GatherPlan(
                Source, Target, rows, columns, blocks, DirectKernel<TLanes, TVector>.TileWidth, bandPixels)))];
    }

    public override long Bytes => _weights.Bytes;

    public override void Prepare(WorkerPool pool, float* weight, float* scale)
    {
        var job = new PackJob(this, weight, scale);
        pool.Run(ref job, _groups);
    }

    public override void Run(WorkerPool pool, int blocks, float* source, float* target, in PassEpilogue epilogue)
    {
        int blockGroups = (blocks + _blocksTogether - 1) / _blocksTogether;
        int splits = Math.Clamp(4 * pool.Threads / blockGroups, 1, _groups);
        int groupsPerItem = (_groups + splits - 1) / splits;
        splits = (_groups + groupsPerItem - 1) / groupsPerItem;
        var job = new RunJob(this, blocks, blockGroups, groupsPerItem, splits, source, target, epilogue);
        pool.Run(ref job, blockGroups * splits);
    }

    public override void Dispose()
    {
        _weights.Dispose();
        _taps.Dispose();
        foreach (TilePlan plan in _plans)
            plan.Dispose();
    }

    // Weights of a group: source channel, kernel tap, then the group's target channels side by side.
    private void PackGroup(int group, float* weight, float* scale)
    {
        int taps = _kernelTaps, first = group * GroupSize;
        int rows = Math.Min(GroupSize, _targetChannels - first);
        float* packed = (float*)_weights.Data + (nint)first * _sourceChannels * taps;
        if (rows == WeightPacking.Channels)
        {
            PackFullGroup(first, weight, scale, packed);
            return;
        }
        for (int channel = 0; channel < _sourceChannels; channel++)
        {
            for (int row = 0; row < rows; row++)
            {
                int output = Forward ? first + row : channel, input = Forward ? channel : first + row;
                float* from = weight + ((nint)output * Shape.Input.Channels + input) * taps;
                float factor = scale == null ? 1 : scale[output];
                for (int tap = 0; tap < taps; tap++)
                    packed[tap * GroupSize + row] = from[tap] * factor;
            }
            packed += taps * GroupSize;
        }
    }

    // Four target channels: of a forward pass four long runs, of an input gradient four short ones for each source channel.
    private void PackFullGroup(int first, float* weight, float* scale, float* packed)
    {
        int taps = _kernelTaps;
        nint filter = (nint)Shape.Input.Channels * taps;
        if (Forward)
        {
            Vector128<float> factors = scale == null ? Vector128<float>.One : Vector128.Load(scale + first);
            WeightPacking.Interleave(weight + first * filter, filter, factors, (int)filter, packed);
            return;
        }
        for (int channel = 0; channel < _sourceChannels; channel++, packed += taps * GroupSize)
        {
            Vector128<float> factor = Vector128.Create(scale == null ? 1 : scale[channel]);
            float* from = weight + channel * filter + first * taps;
            if (taps == 1)
                (Vector128.Load(from) * factor).Store(packed);
            else
                WeightPacking.Interleave(from, taps, factor, taps, packed);
        }
    }

    private void RunBlocks(in RunJob job, int firstBlock, int blocks, int firstGroup, int endGroup)
    {
        TilePlan plan = _plans[blocks - 1];
        nint sourceStart = (nint)firstBlock * Source.Length * Layout.Lanes;
        nint targetStart = (nint)firstBlock * Target.Length * Layout.Lanes;
        nint sourceChannel = (nint)Source.Pixels * Layout.Lanes, targetChannel = (nint)Target.Pixels * Layout.Lanes;
        nint groupWeights = (nint)GroupSize * _sourceChannels * _kernelTaps;
        for (int channel = 0; channel < _sourceChannels; channel += _chunk)
        {
            bool isFirst = channel == 0, isLast = channel + _chunk >= _sourceChannels;
            int channels = Math.Min(_chunk, _sourceChannels - channel);
            var call = new DirectCall
            {
                Input = job.Source + sourceStart + channel * sourceChannel,
                ChannelStride = targetChannel,
            };
            for (int band = 0; band < plan.Bands; band++)
            {
                for (int group = firstGroup; group < endGroup; group++)
                {
                    nint offset = targetStart + group * GroupSize * targetChannel;
                    call.Output = job.Target + offset;
                    call.Start = !isFirst ? call.Output : job.Epilogue.Addend == null ? null : job.Epilogue.Addend + offset;
                    call.Shift = isFirst && job.Epilogue.Shift != null ? job.Epilogue.Shift + group * GroupSize : null;
                    call.Mask = isLast && job.Epilogue.Mask != null ? job.Epilogue.Mask + offset : null;
                    call.Relu = isLast && job.Epilogue.Relu;
                    // Sums of earlier chunks are in the caches.
                    call.Streams = isFirst && isLast && job.Epilogue.Streams;
                    call.Weights = (float*)_weights.Data + group * groupWeights + (nint)channel * _kernelTaps * GroupSize;
                    int rows = Math.Min(GroupSize, _targetChannels - group * GroupSize);
                    for (int run = plan.FirstRun(band); run < plan.FirstRun(band + 1); run++)
                    {
                        TileRun tiles = plan.Run(run);
                        call.Taps = _taps.Of(tiles.Class);
                        call.TapCount = _taps.Count(tiles.Class, channels);
                        call.Tiles = plan.Tiles + tiles.FirstTile;
                        call.TileCount = tiles.TileCount;
                        Invoke(call, rows, tiles.Width);
                        if (isLast && job.Epilogue.Late != Activation.None)
                            Finish(job.Epilogue.From(0, offset), call, rows, tiles.Width);
                    }
                }
            }
        }
    }

    // The results of a call: of each tile, which names its inputs and then its outputs, and of each of the group's channels.
    private static void Finish(in PassEpilogue epilogue, in DirectCall call, int rows, int columns)
    {
        int* tile = call.Tiles;
        for (int i = 0; i < call.TileCount; i++, tile += 2 * columns)
        {
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    nint at = tile[columns + column] + row * call.ChannelStride;
                    ActivationKernel<TLanes, TVector>.Finish(epilogue, call.Output, at, Layout.Lanes);
                }
            }
        }
    }

    private static void Invoke(in DirectCall call, int rows, int columns)
    {
        switch (columns)
        {
            case 1:
                Invoke<One>(call, rows);
                break;
            case 2:
                Invoke<Two>(call, rows);
                break;
            case 3:
                Invoke<Three>(call, rows);
                break;
            default:
                Invoke<Four>(call, rows);
                break;
        }
    }

    private static void Invoke<TColumns>(in DirectCall call, int rows)
        where TColumns : struct, ICount
    {
        switch (rows)
        {
            case 1:
                DirectKernel<TLanes, TVector>.Run<One, TColumns>(call);
                break;
            case 2:
                DirectKernel<TLanes, TVector>.Run<Two, TColumns>(call);
                break;
            case 3:
                DirectKernel<TLanes, TVector>.Run<Three, TColumns>(call);
                break;
            default:
                DirectKernel<TLanes, TVector>.Run<Four, TColumns>(call);
                break;
        }
    }

    private readonly struct PackJob(DirectPass<TLanes, TVector> pass, float* weight, float* scale) : IParallelJob
    {
        private readonly float* _weight = weight;
        private readonly float* _scale = scale;

        public void Run(int item, int worker) => pass.PackGroup(item, _weight, _scale);
    }

    private readonly struct RunJob(
        DirectPass<TLanes, TVector> pass, int blocks, int blockGroups, int groupsPerItem, int splits, float* source,
        float* target, PassEpilogue epilogue) : IParallelJob
    {
        public readonly float* Source = source;
        public readonly float* Target = target;
        public readonly PassEpilogue Epilogue = epilogue;

        // Blocks are dealt out evenly, so that no item is left with a small rest.
        public void Run(int item, int worker)
        {
            int blockGroup = item / splits, split = item % splits;
            int firstBlock = (int)((long)blocks * blockGroup / blockGroups);
            int endBlock = (int)((long)blocks * (blockGroup + 1) / blockGroups);
            int firstGroup = split * groupsPerItem;
            pass.RunBlocks(
                this, firstBlock, endBlock - firstBlock, firstGroup, Math.Min(pass._groups, firstGroup + groupsPerItem));
            if (Epilogue.Streams)
                Prefetch.CompleteStreams();
        }
    }
}
