using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Filter gradient of any convolution for kept weights only; those of pruned weights are 0. A work item owns the kept
/// weights of some output channels and of a chunk of input channels, and adds up all blocks itself, so no sums are merged between
/// threads and results do not depend on them.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class SparseFilterGradient<TLanes, TVector> : FilterGradient
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Kept weights of an item, unless a single output channel has more: their sums, 64 bytes each, share the second-level cache.
    private const int TapsOfItem = 4096;

    // Weight gradients that an item clears.
    private const int ClearedTogether = 1 << 16;

    private readonly ConvolutionShape _shape;
    private readonly SparseGeometry _geometry;
    private readonly SparseLists _lists;
    private readonly SparseTile[] _tiles;
    private readonly Item[] _items;
    private readonly nint _patchFloats;
    private readonly WorkerScratch _scratch;

    /// <param name="shape">The convolution.</param>
    /// <param name="mask">1 for kept weights and 0 for others, in logical order.</param>
    /// <param name="prices">By which the work is cut.</param>
    /// <param name="scratch">Scratch memory of the backend.</param>
    /// <param name="chunk">Input channels of a chunk; 0 for the cheapest number.</param>
    public SparseFilterGradient(
        ConvolutionShape shape, float* mask, ConvolutionPrices prices, WorkerScratch scratch, int chunk = 0)
    {
        _shape = ConvolutionPass.Flattened(shape);
        int maximalPixels = SparseKernel<TLanes, TVector>.MaximalPixels;
        _geometry = new SparseGeometry(_shape, forward: true, maximalPixels);
        if (chunk == 0)
        {
            int kept = SparseLists.CountKept(mask, _shape.WeightCount);
            chunk = FilterGradientCost.Chunk(prices, _geometry, kept);
        }
        _lists = new SparseLists(_geometry, _shape, forward: true, mask, chunk);
        _tiles = [.. Enumerable.Range(1, _geometry.BlocksTogether).Select(_geometry.Tile)];
        _items = [.. Enumerable.Range(0, _lists.Chunks.Length).SelectMany(ItemsOf)];
        // A tile at the edge may reach beyond the patch: what it reads there is multiplied by zeros.
        int margin = 4 * _geometry.SourceColumns * _geometry.BlocksTogether + maximalPixels;
        int channels = Math.Min(chunk, _geometry.GroupChannels);
        _patchFloats = Layout.Lanes * ((nint)channels * _geometry.ChannelPixels * _geometry.BlocksTogether + margin);
        int taps = _items.Length == 0 ? 0 : _items.Max(Taps);
        _scratch = scratch;
        scratch.Reserve((_patchFloats + (nint)taps * Layout.Lanes) * sizeof(float));
    }

    public override void Run(WorkerPool pool, int blocks, float* x, float* dy, float* dw)
    {
        var clear = new ClearJob(dw, _shape.WeightCount);
        pool.Run(ref clear, (_shape.WeightCount + ClearedTogether - 1) / ClearedTogether);
        var job = new Job(this, blocks, x, dy, dw);
        pool.Run(ref job, _items.Length);
    }

    public override void Dispose() => _lists.Dispose();

    private int Taps(Item item) => _lists.Starts(item.Chunk, 0)[item.End] - _lists.Starts(item.Chunk, 0)[item.First];

    private IEnumerable<Item> ItemsOf(int chunk)
    {
        for (int first = 0, end; first < _shape.OutputChannels; first = end)
        {
            for (end = first + 1; end < _shape.OutputChannels && Taps(new Item(chunk, first, end + 1)) <= TapsOfItem; end++)
            {
            }
            if (Taps(new Item(chunk, first, end)) > 0)
                yield return new Item(chunk, first, end);
        }
    }

    private void RunItem(in Job job, Item item, int worker)
    {
        float* values = (float*)_scratch.Of(worker), sums = values + _patchFloats;
        int* starts = _lists.Starts(item.Chunk, 0);
        int taps = Taps(item);
        new Span<float>(sums, taps * Layout.Lanes).Clear();
        SparseChunk chunk = _lists.Chunks[item.Chunk];
        int* pixels = stackalloc int[16];
        var call = new SparseGradientCall
        {
            Taps = _lists.Taps,
            Starts = starts,
            First = item.First,
            End = item.End,
            Sums = sums,
            Gradient = job.Gradient,
            ChannelStride = (nint)_shape.Output.Pixels * Layout.Lanes,
            Pixels = pixels,
        };
        int blockGroups = SparseGeometry.Count(job.Blocks, _geometry.BlocksTogether);
        int patches = _geometry.PatchesDown * _geometry.PatchesAcross;
        for (int group = 0; group < blockGroups; group++)
        {
            int firstBlock = (int)((long)job.Blocks * group / blockGroups);
            int blocks = (int)((long)job.Blocks * (group + 1) / blockGroups) - firstBlock;
            SparseTile tile = _tiles[blocks - 1];
            call.RowStride = (nint)_geometry.SourceColumns * blocks * Layout.Lanes;
            call.OffsetBytes = blocks * Layout.Lanes * sizeof(float);
            nint before = (nint)(chunk.First - chunk.Group) * _geometry.ChannelPixels * blocks * Layout.Lanes;
            for (int patch = 0; patch < patches; patch++)
            {
                var place = new SparsePatch(_geometry, firstBlock, blocks, patch);
                place.Copy<TLanes, TVector>(job.Input, chunk.First, chunk.End, values);
                for (int row = 0; row < _geometry.PatchRows; row += tile.Rows)
                {
                    for (int column = 0; column < _geometry.PatchColumns * blocks; column += tile.Columns)
                    {
                        if (!place.Reaches(row, column))
                            continue;
                        place.Pixels(tile, row, column, pixels);
                        call.Source = values - before + row * call.RowStride + (nint)column * Layout.Lanes;
                        tile.Run<TLanes, TVector>(call);
                    }
                }
            }
        }
        int* indices = _lists.Indices + starts[item.First];
        for (int tap = 0; tap < taps; tap++)
            job.Result[indices[tap]] = SumOf(sums + (nint)tap * Layout.Lanes);
    }

    private static float SumOf(float* sums)
    {
        TVector sum = TLanes.Load(sums);
        for (int lane = TLanes.Width; lane < Layout.Lanes; lane += TLanes.Width)
            sum = TLanes.Add(sum, TLanes.Load(sums + lane));
        return TLanes.Sum(sum);
    }

    /// <summary>What is summed in one go.</summary>
    /// <param name="Chunk">Chunk of input channels.</param>
    /// <param name="First">First output channel.</param>
    /// <param name="End">End of the output channels.</param>
    private readonly record struct Item(int Chunk, int First, int End);

    private readonly struct ClearJob(float* dw, int length) : IParallelJob
    {
        private readonly float* _dw = dw;

        public void Run(int item, int worker)
        {
            int first = item * ClearedTogether;
            new Span<float>(_dw + first, Math.Min(ClearedTogether, length - first)).Clear();
        }
    }

    private readonly struct Job(SparseFilterGradient<TLanes, TVector> owner, int blocks, float* x, float* dy, float* dw)
        : IParallelJob
    {
        public readonly int Blocks = blocks;
        public readonly float* Input = x;
        public readonly float* Gradient = dy;
        public readonly float* Result = dw;

        public void Run(int item, int worker) => owner.RunItem(this, owner._items[item], worker);
    }
}
