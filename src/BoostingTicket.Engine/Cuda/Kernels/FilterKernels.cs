using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Filters between the order of the parameters (filter, channel, row, column) and that of the convolutions (filter, row,
/// column, channel, filters and channels padded to whole vectors). Kernels in <c>kernels/filters.cu</c>.</summary>
internal sealed class FilterKernels
{
    private const string Family = "filters";

    /// <summary>Values of a tile; the kernels' shared memory.</summary>
    private const int TileValues = 2048;

    /// <summary>Positions of the kernel in a tile, at most.</summary>
    private const int MaximalTileTaps = 64;

    /// <summary>Channels of a tile are a multiple of a bfloat16 vector's.</summary>
    private const int ChannelStep = 8;

    private readonly KernelLibrary _library;
    private readonly nint[] _prepare, _export;

    /// <summary>Loads the kernels.</summary>
    public FilterKernels(KernelLibrary library)
    {
        _library = library;
        _prepare = [library.Function(Family, "filters_prepare_f32"), library.Function(Family, "filters_prepare_bf16")];
        _export = [
            library.Function(Family, "filters_export_gradient_f32"), library.Function(Family, "filters_export_gradient_bf16")];
    }

    /// <summary>A filter's entry of a list for <see cref="Prepare"/>.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="type">Type of the packed weights.</param>
    /// <param name="work">Its memory; the rest is filled in.</param>
    /// <param name="blocks">Blocks of the works before; of this one as well afterwards.</param>
    public static FilterWork Describe(in ConvolutionShape shape, ElementType type, in FilterWork work, ref uint blocks)
    {
        var tiles = new Tiles(shape, type);
        FilterWork described = work with
        {
            Filters = shape.OutputChannels,
            Channels = shape.Input.Channels,
            PhysicalChannels = tiles.PhysicalChannels,
            Taps = tiles.Taps,
            TileChannels = tiles.TileChannels,
            TileTaps = tiles.TileTaps,
            FirstBlock = blocks,
        };
        blocks = checked(blocks + tiles.Grid(TensorView.Pad(shape.OutputChannels, type)).GridX);
        return described;
    }

    /// <summary>Packs the weights of several filters, multiplied by a factor for each filter; padding becomes zero.</summary>
    /// <param name="type">Type of the packed weights.</param>
    /// <param name="works">List of <see cref="FilterWork"/> in device memory, aligned to 8.</param>
    /// <param name="count">Its length.</param>
    /// <param name="blocks">Blocks of all of them.</param>
    public void Prepare(ElementType type, DevicePointer works, int count, uint blocks) =>
        _library.Launch(_prepare[(int)type], new LaunchGrid(blocks, KernelLibrary.BlockThreads), works, count);

    /// <summary>Unpacks a filter gradient, leaving out the padding.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="type">Type of the packed gradient.</param>
    /// <param name="packed">The gradient as the convolution made it; aligned to 16 bytes.</param>
    /// <param name="dw">Receives float32, filter, channel, row, column.</param>
    public void ExportGradient(in ConvolutionShape shape, ElementType type, DevicePointer packed, DevicePointer dw)
    {
        var tiles = new Tiles(shape, type);
        _library.Launch(
            _export[(int)type], tiles.Grid(shape.OutputChannels), packed, dw, shape.Input.Channels, tiles.PhysicalChannels,
            tiles.Taps, tiles.TileChannels, tiles.TileTaps);
    }

    /// <summary>Bytes of a packed filter, padding included.</summary>
    public static long PackedBytes(in ConvolutionShape shape, ElementType type) =>
        (long)TensorView.Pad(shape.OutputChannels, type) * shape.KernelHeight * shape.KernelWidth
            * TensorView.Pad(shape.Input.Channels, type) * (type == ElementType.Float32 ? 4 : 2);

    /// <summary>How a filter's channels and positions are cut so that a tile fits the kernels' shared memory.</summary>
    private readonly struct Tiles
    {
        public Tiles(in ConvolutionShape shape, ElementType type)
        {
            PhysicalChannels = TensorView.Pad(shape.Input.Channels, type);
            Taps = shape.KernelHeight * shape.KernelWidth;
            TileTaps = Math.Min(Taps, MaximalTileTaps);
            int channels = (PhysicalChannels + ChannelStep - 1) / ChannelStep * ChannelStep;
            TileChannels = Math.Min(channels, TileValues / TileTaps / ChannelStep * ChannelStep);
        }

        public int PhysicalChannels { get; }

        public int Taps { get; }

        public int TileChannels { get; }

        public int TileTaps { get; }

        public LaunchGrid Grid(int filters)
        {
            long tiles = (long)((PhysicalChannels + TileChannels - 1) / TileChannels) * ((Taps + TileTaps - 1) / TileTaps);
            return new LaunchGrid(checked((uint)(filters * tiles)), KernelLibrary.BlockThreads);
        }
    }
}
