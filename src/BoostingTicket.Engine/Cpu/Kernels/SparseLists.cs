using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The kept weights of one direction of one convolution: for each chunk of source channels, each phase of the target and
/// each target channel a list, source channel after source channel. Depends on the mask; weights are gathered into it whenever
/// they change.</summary>
internal sealed unsafe class SparseLists : IDisposable
{
    // Kept weights that an item of the gather takes.
    private const int ItemTaps = 16384;

    private readonly NativeBlock _taps;
    private readonly NativeBlock _starts;
    private readonly NativeBlock _indices;
    private readonly int _targetChannels;
    private readonly int _targetPhases;
    private readonly int _filterLength;

    /// <param name="geometry">Offsets and groups.</param>
    /// <param name="shape">The convolution, a linear layer as 1x1.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="mask">1 for kept weights and 0 for others, in logical order, or null for keeping all.</param>
    /// <param name="chunk">Source channels of a chunk; chunks end where groups do.</param>
    public SparseLists(SparseGeometry geometry, ConvolutionShape shape, bool forward, float* mask, int chunk)
    {
        _targetChannels = geometry.Target.Channels;
        _targetPhases = geometry.TargetPhases;
        _filterLength = shape.WeightCount / shape.OutputChannels;
        Count = CountKept(mask, shape.WeightCount);
        Chunks = [.. ChunksOf(geometry, chunk)];
        _taps = new NativeBlock((long)Count * sizeof(SparseTap));
        _indices = new NativeBlock((long)Count * sizeof(int));
        _starts = new NativeBlock(((long)Chunks.Length * _targetPhases * _targetChannels + 1) * sizeof(int));
        Fill(geometry, shape, forward, mask);
    }

    /// <summary>Bytes of the lists.</summary>
    public long Bytes => _taps.Bytes + _indices.Bytes + _starts.Bytes;

    /// <summary>Kept weights.</summary>
    public int Count { get; }

    /// <summary>The chunks of source channels.</summary>
    public SparseChunk[] Chunks { get; }

    /// <summary>All kept weights.</summary>
    public SparseTap* Taps => (SparseTap*)_taps.Data;

    /// <summary>For each kept weight its place among the weights.</summary>
    public int* Indices => (int*)_indices.Data;

    /// <summary>First kept weight of each target channel of a chunk and a phase, then the end of the last one's.</summary>
    public int* Starts(int chunk, int phase) =>
        (int*)_starts.Data + ((nint)chunk * _targetPhases + phase) * _targetChannels;

    /// <summary>Takes the weights' values.</summary>
    /// <param name="pool">Threads.</param>
    /// <param name="weight">Weights in logical order.</param>
    /// <param name="scale">A factor for each output channel, or null.</param>
    public void Gather(WorkerPool pool, float* weight, float* scale)
    {
        var job = new GatherJob(this, weight, scale);
        pool.Run(ref job, (Count + ItemTaps - 1) / ItemTaps);
    }

    public void Dispose()
    {
        _taps.Dispose();
        _starts.Dispose();
        _indices.Dispose();
    }

    /// <summary>Weights whose mask is not 0; all without a mask.</summary>
    public static int CountKept(float* mask, int length)
    {
        if (mask == null)
            return length;
        int kept = 0;
        for (int i = 0; i < length; i++)
            kept += mask[i] != 0 ? 1 : 0;
        return kept;
    }

    private static IEnumerable<SparseChunk> ChunksOf(SparseGeometry geometry, int length)
    {
        for (int group = 0; group < geometry.Source.Channels; group += geometry.GroupChannels)
        {
            int end = Math.Min(geometry.Source.Channels, group + geometry.GroupChannels);
            for (int first = group; first < end; first += length)
                yield return new SparseChunk(group, first, Math.Min(end, first + length));
        }
    }

    private void Fill(SparseGeometry geometry, ConvolutionShape shape, bool forward, float* mask)
    {
        SparseTap* taps = Taps;
        int* indices = Indices, starts = (int*)_starts.Data;
        int kernelTaps = geometry.KernelTaps, count = 0, list = 0;
        for (int chunk = 0; chunk < Chunks.Length; chunk++)
        {
            for (int phase = 0; phase < _targetPhases; phase++)
            {
                int[] kernels = [.. Enumerable.Range(0, kernelTaps).Where(kernel => geometry.Contributes(phase, kernel))];
                int[] offsets = [.. kernels.Select(kernel => geometry.Offset(phase, kernel))];
                for (int target = 0; target < _targetChannels; target++, list++)
                {
                    starts[list] = count;
                    for (int source = Chunks[chunk].First; source < Chunks[chunk].End; source++)
                    {
                        int output = forward ? target : source, input = forward ? source : target;
                        int filter = (output * shape.Input.Channels + input) * kernelTaps;
                        int channel = (source - Chunks[chunk].Group) * geometry.ChannelPixels;
                        for (int tap = 0; tap < kernels.Length; tap++)
                        {
                            if (mask != null && mask[filter + kernels[tap]] == 0)
                                continue;
                            indices[count] = filter + kernels[tap];
                            taps[count++].Offset = checked(channel + offsets[tap]);
                        }
                    }
                }
            }
        }
        starts[list] = count;
    }

    private void Gather(int first, int end, float* weight, float* scale)
    {
        SparseTap* taps = Taps;
        int* indices = Indices;
        if (scale == null)
        {
            for (int tap = first; tap < end; tap++)
                taps[tap].Weight = weight[indices[tap]];
            return;
        }
        for (int tap = first; tap < end; tap++)
            taps[tap].Weight = weight[indices[tap]] * scale[(uint)indices[tap] / (uint)_filterLength];
    }

    private readonly struct GatherJob(SparseLists lists, float* weight, float* scale) : IParallelJob
    {
        private readonly float* _weight = weight;
        private readonly float* _scale = scale;

        public void Run(int item, int worker) =>
            lists.Gather(item * ItemTaps, Math.Min(lists.Count, (item + 1) * ItemTaps), _weight, _scale);
    }
}

/// <summary>Source channels whose values stay in the first-level cache while all target channels use them.</summary>
/// <param name="Group">First channel of the group that is copied with it.</param>
/// <param name="First">First channel.</param>
/// <param name="End">End of the channels.</param>
internal readonly record struct SparseChunk(int Group, int First, int End);
