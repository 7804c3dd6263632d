using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Sums with the same bits every time (<c>kernels/reductions.cu</c>).</summary>
internal sealed class ReductionKernels
{
    private const string Family = "reductions";

    private readonly KernelLibrary _library;
    private readonly TypedFunction _sums;
    private readonly nint _finish;

    /// <summary>Loads the kernels.</summary>
    public ReductionKernels(KernelLibrary library)
    {
        _library = library;
        _sums = new TypedFunction(library, Family, "channel_sums");
        _finish = library.Function(Family, "channel_sums_finish");
    }

    /// <summary>Bytes of scratch that <see cref="ChannelSums"/> of a tensor needs.</summary>
    public static long ChannelSumsScratchBytes(TensorView dy)
    {
        var grid = ChannelGrid.ForSums(dy);
        return (long)grid.Chunks * grid.PhysicalChannels * sizeof(double);
    }

    /// <summary>Sum over samples and pixels, for each channel: the gradient of a bias. Reads dy once.</summary>
    /// <param name="dy">N x shape.</param>
    /// <param name="scratch"><see cref="ChannelSumsScratchBytes"/> bytes, aligned to 8.</param>
    /// <param name="sums">Receives a float32 for each channel.</param>
    public void ChannelSums(TensorView dy, DevicePointer scratch, DevicePointer sums)
    {
        var grid = ChannelGrid.ForSums(dy);
        _library.Launch(
            _sums.For(dy), grid.Blocks, dy.Data, grid.Pixels, grid.Vectors, grid.LaneBits, grid.PixelsPerChunk, scratch);
        _library.Launch(_finish, grid.FinalBlocks, scratch, grid.Chunks, grid.Channels, grid.PhysicalChannels, sums);
    }
}
