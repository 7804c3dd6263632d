using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Direct convolution of any shape with operands rounded to bfloat16 and sums in float32. A band of rows is rounded and
/// packed into a worker's scratch, multiplied tile by tile, and finished in float32 while the cache holds the sums. Tensors stay
/// float32.</summary>
/// <typeparam name="TLanes">Instructions of what is done in float32.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class BFloat16Pass<TLanes, TVector> : ConvolutionPass
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Tiles of a call: their sums should stay in the first-level cache.
    private const int SumBytes = 32 << 10;
    private const int MostSplits = 8;

    private readonly BFloat16Geometry _geometry;
    private readonly BFloat16Kernels _kernels;
    private readonly WorkerScratch _scratch;
    private readonly NativeBlock _weights;
    private readonly StepTable _steps;
    private readonly TilePlan[] _plans;

    /// <param name="shape">The convolution.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="kernels">What computes.</param>
    /// <param name="scratch">Workers' memory.</param>
    public BFloat16Pass(ConvolutionShape shape, bool forward, BFloat16Kernels kernels, WorkerScratch scratch)
        : base(shape, forward)
    {
        _kernels = kernels;
        _geometry = new BFloat16Geometry(Shape, forward, kernels);
        _scratch = scratch;
        _weights = new NativeBlock(_geometry.Bundles * _geometry.BundleBytes);
        _steps = new StepTable(_geometry, Shape.KernelWidth);
        var plane = new FeatureShape(1, Source.Height, Source.Width);
        _plans = [
            .. Enumerable.Range(1, _geometry.BlocksTogether).Select(blocks => new TilePlan(Scaled(new GatherPlan(
                plane, Target, _geometry.RowTaps, _geometry.ColumnTaps, blocks, _geometry.TileWidth,
                _geometry.BandRows * Target.Width * blocks))))];
        scratch.Reserve(_geometry.InputBytes + SumBytes);
    }

    public override long Bytes => _weights.Bytes;

    public override void Prepare(WorkerPool pool, float* weight, float* scale)
    {
        var job = new PackJob(this, weight, scale);
        pool.Run(ref job, _geometry.Bundles);
    }

    public override void Run(WorkerPool pool, int blocks, float* source, float* target, in PassEpilogue epilogue)
    {
        int blockGroups = (blocks + _geometry.BlocksTogether - 1) / _geometry.BlocksTogether;
        int items = blockGroups * _geometry.Bands;
        int splits = Math.Clamp(2 * pool.Threads / items, 1, Math.Min(MostSplits, _geometry.Bundles));
        int bundles = (_geometry.Bundles + splits - 1) / splits;
        splits = (_geometry.Bundles + bundles - 1) / bundles;
        var job = new RunJob(this, blocks, blockGroups, bundles, splits, source, target, epilogue);
        pool.Run(ref job, items * splits);
    }

    public override void Dispose()
    {
        _weights.Dispose();
        _steps.Dispose();
        foreach (TilePlan plan in _plans)
            plan.Dispose();
    }

    // Inputs of a plan count floats of one channel; here a pixel has all channels side by side.
    private GatherPlan Scaled(GatherPlan plan)
    {
        foreach (TileRun run in plan.Runs)
        {
            for (int tile = 0; tile < run.TileCount; tile++)
            {
                Span<int> inputs = plan.Tiles.AsSpan(run.FirstTile + 2 * run.Width * tile, run.Width);
                foreach (ref int input in inputs)
                    input = checked(input / Layout.Lanes * _geometry.PixelBytes);
            }
        }
        return plan;
    }

    // Weights of a bundle: tap, chunk, group, row (target channel), source channel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackBundle(int bundle, float* weight, float* scale)
    {
        BFloat16Geometry geometry = _geometry;
        int taps = geometry.KernelTaps, channels = 2 * geometry.Pairs, rows = geometry.Rows;
        byte* packed = _weights.Data + bundle * geometry.BundleBytes;
        nint filter = (nint)Shape.Input.Channels * taps, sourceStride = Forward ? taps : filter;
        nint tapBytes = (nint)geometry.Chunks * geometry.GroupsTogether * TileCall.GroupBytes;
        for (int row = 0; row < geometry.BundleChannels; row++)
        {
            int target = bundle * geometry.BundleChannels + row;
            if (target >= Target.Channels)
                break;
            float* first = weight + target * (Forward ? filter : taps);
            byte* rowStart = packed + row / rows * TileCall.GroupBytes + row % rows * Layout.Lanes * sizeof(float);
            for (int source = 0; source < Source.Channels; source++)
            {
                float factor = scale == null ? 1 : scale[Forward ? target : source];
                float* from = first + source * sourceStride;
                byte* to = rowStart + source / channels * geometry.GroupsTogether * TileCall.GroupBytes
                    + source % channels * sizeof(ushort);
                for (int tap = 0; tap < taps; tap++)
                    *(ushort*)(to + tap * tapBytes) = Rounding.Round(from[tap] * factor);
            }
        }
    }

    private void RunItem(in RunJob job, int firstBlock, int blocks, int band, int firstBundle, int endBundle, int worker)
    {
        BFloat16Geometry geometry = _geometry;
        byte* inputs = _scratch.Of(worker), sums = inputs + geometry.InputBytes;
        (int firstRow, int endRow) = _steps.SourceRows(band);
        for (int block = 0; block < blocks; block++)
        {
            float* source = job.Source
                + ((nint)(firstBlock + block) * Source.Length + (nint)firstRow * Source.Width) * Layout.Lanes;
            InputPacking.Pack(
                source, Source.Channels, (nint)Source.Pixels * Layout.Lanes, (endRow - firstRow) * Source.Width, geometry,
                inputs + (nint)block * Source.Pixels * geometry.PixelBytes);
        }
        TilePlan plan = _plans[blocks - 1];
        nint targetStart = (nint)firstBlock * Target.Length * Layout.Lanes, targetChannel = (nint)Target.Pixels * Layout.Lanes;
        var call = new TileCall
        {
            Inputs = inputs - (nint)firstRow * Source.Width * geometry.PixelBytes,
            Sums = sums,
            Pairs = geometry.Pairs,
            Rows = geometry.Rows,
        };
        _kernels.Begin(geometry.GroupsTogether, geometry.Rows, geometry.Pairs);
        for (int bundle = firstBundle; bundle < endBundle; bundle++)
        {
            call.Weights = _weights.Data + bundle * geometry.BundleBytes;
            int channel = bundle * geometry.BundleChannels;
            nint offset = targetStart + channel * targetChannel;
            PassEpilogue all = job.Epilogue;
            PassEpilogue epilogue = all.From(channel, offset);
            for (int number = plan.FirstRun(band); number < plan.FirstRun(band + 1); number++)
            {
                TileRun run = plan.Run(number);
                call.Steps = _steps.Of(run.Class);
                call.StepCount = _steps.Count(run.Class);
                int together = SumBytes / (geometry.GroupsTogether * run.Width * TileCall.GroupBytes);
                for (int tile = 0; tile < run.TileCount; tile += together)
                {
                    call.Tiles = plan.Tiles + run.FirstTile + 2 * run.Width * tile;
                    call.TileCount = Math.Min(together, run.TileCount - tile);
                    _kernels.Run(geometry.GroupsTogether, run.Width, &call);
                    int channels = Math.Min(geometry.BundleChannels, Target.Channels - channel);
                    Finish(call, run.Width, channels, epilogue, job.Target + offset);
                }
            }
        }
        _kernels.End();
    }

    // Shift, addend and activation on the sums of a call, which go to their places.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(in TileCall call, int pixels, int channels, in PassEpilogue epilogue, float* target)
    {
        int rows = _geometry.Rows, groups = _geometry.GroupsTogether;
        nint channelStride = (nint)Target.Pixels * Layout.Lanes;
        nint tileFloats = (nint)groups * pixels * TileCall.GroupBytes / sizeof(float);
        float* sums = (float*)call.Sums;
        float* addend = epilogue.Addend, mask = epilogue.Mask;
        bool relu = epilogue.Relu, streams = epilogue.Streams, late = epilogue.Late != Activation.None;
        for (int channel = 0; channel < channels; channel++)
        {
            float* from = sums + (nint)(channel / rows * pixels) * (TileCall.GroupBytes / sizeof(float))
                + channel % rows * Layout.Lanes;
            TVector shift = epilogue.Shift == null ? TLanes.Zero : TLanes.Create(epilogue.Shift[channel]);
            int* tile = call.Tiles + pixels;
            // Planes lie far apart, so that the processor does not foresee which lines come next.
            nint ahead = channel + 1 < channels ? (channel + 1) * channelStride : -1;
            for (nint left = call.TileCount; left > 0; left--, tile += 2 * pixels, from += tileFloats)
            {
                for (int pixel = 0; pixel < pixels; pixel++)
                {
                    nint at = tile[pixel] + channel * channelStride;
                    if (ahead >= 0)
                        AskFor(epilogue, target, tile[pixel] + ahead);
                    float* sum = from + pixel * (TileCall.GroupBytes / sizeof(float));
                    for (int lane = 0; lane < Layout.Lanes; lane += TLanes.Width)
                    {
                        TVector value = TLanes.Add(TLanes.Load(sum + lane), shift);
                        if (addend != null)
                            value = TLanes.Add(value, TLanes.Load(addend + at + lane));
                        if (relu)
                            value = TLanes.Max(TLanes.Zero, value);
                        if (mask != null)
                            value = TLanes.WherePositive(TLanes.Load(mask + at + lane), value);
                        if (streams)
                            TLanes.StoreStreaming(target + at + lane, value);
                        else
                            TLanes.Store(target + at + lane, value);
                    }
                    if (late)
                        ActivationKernel<TLanes, TVector>.Finish(epilogue, target, at, Layout.Lanes);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskFor(in PassEpilogue epilogue, float* target, nint at)
    {
        if (!epilogue.Streams)
            Prefetch.Line(target + at);
        if (epilogue.Addend != null)
            Prefetch.Line(epilogue.Addend + at);
        if (epilogue.Mask != null)
            Prefetch.Line(epilogue.Mask + at);
    }

    private readonly struct PackJob(BFloat16Pass<TLanes, TVector> pass, float* weight, float* scale) : IParallelJob
    {
        private readonly float* _weight = weight;
        private readonly float* _scale = scale;

        public void Run(int item, int worker) => pass.PackBundle(item, _weight, _scale);
    }

    private readonly struct RunJob(
        BFloat16Pass<TLanes, TVector> pass, int blocks, int blockGroups, int bundlesPerItem, int splits, float* source,
        float* target, PassEpilogue epilogue) : IParallelJob
    {
        public readonly float* Source = source;
        public readonly float* Target = target;
        public readonly PassEpilogue Epilogue = epilogue;

        // Blocks are dealt out evenly, so that no item is left with a small rest.
        public void Run(int item, int worker)
        {
            int split = item % splits, band = item / splits % pass._geometry.Bands, group = item / splits / pass._geometry.Bands;
            int firstBlock = (int)((long)blocks * group / blockGroups);
            int endBlock = (int)((long)blocks * (group + 1) / blockGroups);
            int firstBundle = split * bundlesPerItem;
            pass.RunItem(
                this, firstBlock, endBlock - firstBlock, band, firstBundle,
                Math.Min(pass._geometry.Bundles, firstBundle + bundlesPerItem), worker);
            if (Epilogue.Streams)
                Prefetch.CompleteStreams();
        }
    }
}
