using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A convolution of any shape that multiplies kept weights only. Sums run over source channels in order, however the
/// work is cut, so results depend neither on threads nor on the cutting.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class SparsePass<TLanes, TVector> : ConvolutionPass
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int MaximalSplits = 8;

    private readonly SparseGeometry _geometry;
    private readonly SparseLists _lists;
    private readonly SparseTile[] _tiles;
    private readonly bool _remembersTiles;
    private readonly nint _sumsStride;
    private readonly nint _patchFloats;
    private readonly double _copyShare;
    private readonly WorkerScratch _scratch;

    /// <param name="shape">The convolution.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="mask">1 for kept weights and 0 for others, in logical order, or null for keeping all.</param>
    /// <param name="prices">By which the work is cut.</param>
    /// <param name="scratch">Scratch memory of the backend.</param>
    /// <param name="chunk">Source channels of a chunk; 0 for the cheapest number.</param>
    public SparsePass(
        ConvolutionShape shape, bool forward, float* mask, ConvolutionPrices prices, WorkerScratch scratch, int chunk = 0)
        : base(shape, forward)
    {
        int maximalPixels = SparseKernel<TLanes, TVector>.MaximalPixels;
        _geometry = new SparseGeometry(Shape, forward, maximalPixels);
        int kept = SparseLists.CountKept(mask, Shape.WeightCount);
        if (chunk == 0)
            chunk = ConvolutionCost.Chunk(prices, _geometry, kept);
        _lists = new SparseLists(_geometry, Shape, forward, mask, chunk);
        _tiles = [.. Enumerable.Range(1, _geometry.BlocksTogether).Select(_geometry.Tile)];
        _remembersTiles = _geometry.GroupChannels < Source.Channels;
        _sumsStride = _lists.Chunks.Length > 1 ? maximalPixels * Layout.Lanes : 0;
        // A tile at the edge may reach beyond the patch: what it reads there is not used.
        int margin = 4 * _geometry.SourceColumns * _geometry.BlocksTogether + maximalPixels;
        _patchFloats = Layout.Lanes
            * ((nint)_geometry.GroupChannels * _geometry.ChannelPixels * _geometry.BlocksTogether + margin);
        nint sums = Math.Max(maximalPixels * Layout.Lanes, Target.Channels * _sumsStride);
        if (_remembersTiles)
            sums *= (nint)Enumerable.Range(1, _geometry.BlocksTogether).Max(TilesOf) * _geometry.TargetPhases;
        _copyShare = ConvolutionCost.CopyShare(prices, _geometry, kept, chunk);
        _scratch = scratch;
        scratch.Reserve((_patchFloats + sums) * sizeof(float));
    }

    public override long Bytes => _lists.Bytes;

    public override void Prepare(WorkerPool pool, float* weight, float* scale) => _lists.Gather(pool, weight, scale);

    public override void Run(WorkerPool pool, int blocks, float* source, float* target, in PassEpilogue epilogue)
    {
        int blockGroups = SparseGeometry.Count(blocks, _geometry.BlocksTogether);
        int patches = _geometry.PatchesDown * _geometry.PatchesAcross;
        int splits = Splits(blockGroups * patches, pool.Threads);
        var job = new RunJob(this, blocks, blockGroups, splits, source, target, epilogue);
        pool.Run(ref job, blockGroups * patches * splits);
    }

    public override void Dispose() => _lists.Dispose();

    // Into how many parts of the target channels the patches' items are cut, for few patches on many threads.
    private int Splits(int patches, int threads)
    {
        int best = 1;
        double least = double.MaxValue;
        for (int splits = 1; splits <= Math.Min(MaximalSplits, Target.Channels); splits++)
        {
            double time = (patches * splits + threads - 1) / threads * (_copyShare + 1.0 / splits);
            if (time < least)
                (best, least) = (splits, time);
        }
        return best;
    }

    private int TilesOf(int blocks)
    {
        SparseTile tile = _tiles[blocks - 1];
        return SparseGeometry.Count(_geometry.PatchRows, tile.Rows)
            * SparseGeometry.Count(_geometry.PatchColumns * blocks, tile.Columns);
    }

    private void RunPatch(in RunJob job, int firstBlock, int blocks, int patch, int firstTarget, int endTarget, int worker)
    {
        float* values = (float*)_scratch.Of(worker), sums = values + _patchFloats;
        var place = new SparsePatch(_geometry, firstBlock, blocks, patch);
        SparseTile tile = _tiles[blocks - 1];
        int columns = SparseGeometry.Count(_geometry.PatchColumns * blocks, tile.Columns), tiles = TilesOf(blocks);
        nint rowStride = (nint)_geometry.SourceColumns * blocks * Layout.Lanes;
        int* pixels = stackalloc int[2 * 16];
        var call = new SparseCall
        {
            RowStride = rowStride,
            OffsetBytes = blocks * Layout.Lanes * sizeof(float),
            Taps = _lists.Taps,
            First = firstTarget,
            End = endTarget,
            SumsStride = _sumsStride,
            Target = job.Target,
            ChannelStride = (nint)Target.Pixels * Layout.Lanes,
            Pixels = pixels,
            Epilogue = job.Epilogue,
        };
        SparseChunk[] chunks = _lists.Chunks;
        for (int first = 0, end; first < chunks.Length; first = end)
        {
            for (end = first + 1; end < chunks.Length && chunks[end].Group == chunks[first].Group; end++)
            {
            }
            place.Copy<TLanes, TVector>(job.Source, chunks[first].Group, chunks[end - 1].End, values);
            for (int number = 0; number < tiles; number++)
            {
                int row = number / columns * tile.Rows, column = number % columns * tile.Columns;
                if (!place.Reaches(row, column))
                    continue;
                call.Source = values + row * rowStride + (nint)column * Layout.Lanes;
                for (int phase = 0; phase < _geometry.TargetPhases; phase++)
                {
                    call.Sums = !_remembersTiles
                        ? sums
                        : sums + (nint)(number * _geometry.TargetPhases + phase) * Target.Channels * _sumsStride;
                    if (end == chunks.Length)
                        call.PixelCount = place.Pixels(tile, row, column, phase, pixels);
                    for (int chunk = first; chunk < end; chunk++)
                    {
                        call.Starts = _lists.Starts(chunk, phase);
                        call.Begins = chunk == 0;
                        call.Ends = chunk == chunks.Length - 1;
                        tile.Run<TLanes, TVector>(call);
                    }
                }
            }
        }
    }

    private readonly struct RunJob(
        SparsePass<TLanes, TVector> pass, int blocks, int blockGroups, int splits, float* source, float* target,
        PassEpilogue epilogue) : IParallelJob
    {
        public readonly float* Source = source;
        public readonly float* Target = target;
        public readonly PassEpilogue Epilogue = epilogue;

        // Blocks and channels are dealt out evenly, so that no item is left with a small rest.
        public void Run(int item, int worker)
        {
            int split = item % splits, group = item / splits % blockGroups, patch = item / splits / blockGroups;
            int firstBlock = (int)((long)blocks * group / blockGroups);
            int endBlock = (int)((long)blocks * (group + 1) / blockGroups);
            int channels = pass.Target.Channels;
            pass.RunPatch(
                this, firstBlock, endBlock - firstBlock, patch, (int)((long)channels * split / splits),
                (int)((long)channels * (split + 1) / splits), worker);
            if (Epilogue.Streams)
                Prefetch.CompleteStreams();
        }
    }
}
