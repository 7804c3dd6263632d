using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>How a tensor is divided among the blocks of a kernel that treats all pixels of a channel alike
/// (<c>kernels/channels.cuh</c>): groups of lanes, each the owner of a vector of channels, times chunks of pixels. Depends on
/// the tensor's sizes alone, and so does the order of every sum over its pixels.</summary>
internal readonly struct ChannelGrid
{
    /// <summary>Threads of a block, in all these kernels.</summary>
    private const int Threads = 256;

    /// <summary>Channels that a block of a finishing kernel combines.</summary>
    private const int FinalChannels = 4;

    /// <summary>Pixels that a thread takes at a time.</summary>
    private const int Batch = 4;

    /// <summary>Lanes of a block at most: a warp's.</summary>
    private const int LargestLaneBits = 5;

    /// <summary>Lanes that fill whole sectors of the cache several times over; fewer are taken only where there are no
    /// more.</summary>
    private const int SmallestLaneBits = 2;

    /// <summary>Blocks that fill the largest GPUs a few times over; more partial sums would cost more than they bring.</summary>
    private const int SumBlocks = 512;

    /// <summary>As <see cref="SumBlocks"/>, for kernels whose blocks leave nothing behind.</summary>
    private const int ResultBlocks = 2048;

    private ChannelGrid(in TensorView tensor, int largestBlocks)
    {
        if (tensor.Pixels > int.MaxValue / 2)
        {
            throw new ArgumentException(
                $"A tensor of {tensor.Batch}x{tensor.Shape} has more pixels than kernels can count; use a smaller batch.");
        }
        Pixels = (int)tensor.Pixels;
        Channels = tensor.Shape.Channels;
        PhysicalChannels = tensor.PhysicalChannels;
        Vectors = PhysicalChannels / tensor.VectorLength;
        LaneBits = ChooseLaneBits(Vectors);
        int lanes = 1 << LaneBits;
        Groups = (Vectors + lanes - 1) / lanes;
        int step = Threads / lanes * Batch;
        int steps = (Pixels + step - 1) / step, largestChunks = Math.Max(1, largestBlocks / Groups);
        PixelsPerChunk = (steps + largestChunks - 1) / largestChunks * step;
        Chunks = (Pixels + PixelsPerChunk - 1) / PixelsPerChunk;
    }

    /// <summary>For kernels that leave a partial sum for each chunk and channel.</summary>
    public static ChannelGrid ForSums(in TensorView tensor) => new(tensor, SumBlocks);

    /// <summary>For kernels that write a tensor.</summary>
    public static ChannelGrid ForResults(in TensorView tensor) => new(tensor, ResultBlocks);

    /// <summary>Pixels of all samples.</summary>
    public int Pixels { get; }

    /// <summary>Channels.</summary>
    public int Channels { get; }

    /// <summary>Channels, padding included.</summary>
    public int PhysicalChannels { get; }

    /// <summary>Vectors of a pixel.</summary>
    public int Vectors { get; }

    /// <summary>Logarithm of the lanes of a block.</summary>
    public int LaneBits { get; }

    /// <summary>Groups of lanes.</summary>
    public int Groups { get; }

    /// <summary>Chunks of pixels.</summary>
    public int Chunks { get; }

    /// <summary>Pixels of a chunk; the last one may have fewer.</summary>
    public int PixelsPerChunk { get; }

    /// <summary>The launch.</summary>
    public LaunchGrid Blocks => new((uint)Groups, (uint)Chunks, 1, Threads, 1, 1);

    /// <summary>The launch that combines the partial sums.</summary>
    public LaunchGrid FinalBlocks => new((uint)(PhysicalChannels / FinalChannels), Threads);

    /// <summary>Lanes that the vectors fill without a rest, if there are enough; else as few as hold them.</summary>
    private static int ChooseLaneBits(int vectors)
    {
        int whole = Math.Min(int.TrailingZeroCount(vectors), LargestLaneBits);
        return whole >= SmallestLaneBits
            ? whole
            : Math.Min(32 - int.LeadingZeroCount(vectors - 1), LargestLaneBits);
    }
}
