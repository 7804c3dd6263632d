using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>8-bit images in device memory: image, channel, row, column.</summary>
internal sealed class CudaImageStore : ImageStore
{
    private readonly DeviceBlock _block;

    public CudaImageStore(CudaContext context, HostStaging staging, ReadOnlySpan<byte> pixels, FeatureShape shape)
    {
        if (shape.Channels <= 0 || shape.Height <= 0 || shape.Width <= 0 || pixels.Length % shape.Length != 0)
            throw new ArgumentException($"{pixels.Length} pixels are not a whole number of images of shape {shape}.");
        Count = pixels.Length / shape.Length;
        Shape = shape;
        _block = new DeviceBlock(context, Math.Max(1, pixels.Length), "images");
        staging.Upload(pixels, _block.Pointer);
    }

    public override int Count { get; }

    public override FeatureShape Shape { get; }

    public DevicePointer Pointer => _block.Pointer;

    public override void Dispose() => _block.Dispose();

    public static CudaImageStore Of(ImageStore store) => store as CudaImageStore
        ?? throw new ArgumentException("The image store belongs to another backend than CUDA's.", nameof(store));
}

internal sealed partial class CudaBackend
{
    public ImageStore CreateImageStore(ReadOnlySpan<byte> pixels, FeatureShape shape) =>
        new CudaImageStore(_context, _staging, pixels, shape);

    public unsafe void GatherImages(ImageStore store, ReadOnlySpan<ImageRequest> requests, Tensor destination)
    {
        CudaImageStore images = CudaImageStore.Of(store);
        TensorView to = View(destination);
        if (images.Shape != to.Shape)
            throw new ArgumentException($"Images of shape {images.Shape} do not fit the tensor {destination}.");
        if (requests.Length != to.Batch)
            throw new ArgumentException(
                $"{requests.Length} requests do not fit the {to.Batch} samples of the tensor {destination}.");
        foreach (ref readonly ImageRequest request in requests)
        {
            if ((uint)request.Index >= (uint)images.Count)
                throw new ArgumentException($"There is no image {request.Index} in a store of {images.Count}.");
        }
        DevicePointer list = _scratch.Reserve((long)requests.Length * sizeof(ImageRequest));
        _staging.Upload(requests, list);
        _data.Gather(images.Pointer, list, to);
    }
}
