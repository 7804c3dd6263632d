using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

internal partial class ReferenceBackend
{
    /// <inheritdoc/>
    public ImageStore CreateImageStore(ReadOnlySpan<byte> pixels, FeatureShape shape)
    {
        if (pixels.Length % shape.Length != 0)
            throw new ContractException($"CreateImageStore: {pixels.Length} pixels are not a whole number of {shape} images.");
        return new Store(pixels.ToArray(), shape);
    }

    /// <inheritdoc/>
    public virtual void GatherImages(ImageStore store, ReadOnlySpan<ImageRequest> requests, Tensor destination)
    {
        var scope = new OperationScope(nameof(GatherImages));
        if (store is not Store { Pixels: { } pixels })
            throw new ContractException("GatherImages: the store is disposed or belongs to another backend.");
        scope.Require(
            requests.Length == destination.Batch, $"{requests.Length} requests were made for {destination.Batch} samples.");
        FeatureShape shape = store.Shape;
        double[] result = scope.Write(destination, nameof(destination), destination.Batch, shape);
        for (int i = 0; i < result.Length; i++)
        {
            ImageRequest request = requests[i / shape.Length];
            scope.Require(
                request.Index >= 0 && request.Index < store.Count, $"image {request.Index} is not in [0, {store.Count}).");
            int channel = i / shape.Pixels % shape.Channels, row = i / shape.Width % shape.Height, column = i % shape.Width;
            int shiftedColumn = request.Flip ? shape.Width - 1 - column : column;
            int sourceRow = row - request.ShiftY, sourceColumn = shiftedColumn - request.ShiftX;
            bool inside = sourceRow >= 0 && sourceRow < shape.Height && sourceColumn >= 0 && sourceColumn < shape.Width;
            int at = ((request.Index * shape.Channels + channel) * shape.Height + sourceRow) * shape.Width + sourceColumn;
            result[i] = inside ? pixels[at] / 255f : 0;
        }
        scope.Commit();
    }

    private sealed class Store(byte[] pixels, FeatureShape shape) : ImageStore
    {
        public byte[]? Pixels { get; private set; } = pixels;

        public override int Count { get; } = pixels.Length / shape.Length;

        public override FeatureShape Shape => shape;

        public override void Dispose() => Pixels = null;
    }
}
