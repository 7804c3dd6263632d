using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Images out of a store of bytes, and float32 NCHW values from and to tensors. Kernels in
/// <c>kernels/data.cu</c>.</summary>
internal sealed class DataKernels
{
    private const string Family = "data";

    private readonly KernelLibrary _library;
    private readonly nint _gather;
    private readonly nint[] _import, _export;

    /// <summary>Loads the kernels.</summary>
    public DataKernels(KernelLibrary library)
    {
        _library = library;
        _gather = library.Function(Family, "data_gather_f32");
        _import = [library.Function(Family, "data_import_f32"), library.Function(Family, "data_import_bf16")];
        _export = [library.Function(Family, "data_export_f32"), library.Function(Family, "data_export_bf16")];
    }

    /// <summary>Takes images from a store, shifted and flipped as asked, as pixels in [0, 1] (value / 255).</summary>
    /// <param name="pixels">The store: 8-bit, image, channel, row, column.</param>
    /// <param name="requests">As many <see cref="ImageRequest"/> (8 bytes each, aligned to 8) as the destination has samples;
    /// their indices lie within the store.</param>
    /// <param name="destination">N images, float32; overwritten.</param>
    public void Gather(DevicePointer pixels, DevicePointer requests, in TensorView destination)
    {
        Operand.RequireType(destination, ElementType.Float32, "images");
        _library.Launch(
            _gather, KernelLibrary.PerSample(destination.Shape.Pixels, destination.Batch), pixels, requests, destination.Data,
            destination.Batch, destination.Shape.Channels, destination.PhysicalChannels, destination.Shape.Height,
            destination.Shape.Width);
    }

    /// <summary>Writes float32 values in the order sample, channel, row, column into a tensor.</summary>
    public void Import(DevicePointer nchw, in TensorView destination) =>
        _library.Launch(
            _import[(int)destination.Type], TransferGrid(destination), nchw, destination.Data, destination.Batch,
            destination.Shape.Channels, destination.PhysicalChannels, destination.Shape.Pixels);

    /// <summary>Writes a tensor's values as float32 in the order sample, channel, row, column.</summary>
    public void Export(in TensorView source, DevicePointer nchw) =>
        _library.Launch(
            _export[(int)source.Type], TransferGrid(source), source.Data, nchw, source.Batch, source.Shape.Channels,
            source.PhysicalChannels, source.Shape.Pixels);

    private static LaunchGrid TransferGrid(in TensorView tensor) =>
        KernelLibrary.PerSample(checked(tensor.Shape.Pixels * (tensor.PhysicalChannels / tensor.VectorLength)), tensor.Batch);
}
