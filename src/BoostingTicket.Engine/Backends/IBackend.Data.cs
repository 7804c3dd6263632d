using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

internal partial interface IBackend
{
    /// <summary>Puts 8-bit images on the device.</summary>
    /// <param name="pixels">Count x channels x rows x columns.</param>
    /// <param name="shape">Shape of one image.</param>
    ImageStore CreateImageStore(ReadOnlySpan<byte> pixels, FeatureShape shape);

    /// <summary>Takes samples from a store, shifted and flipped as asked, as float32 pixels in [0, 1] (value / 255).</summary>
    /// <param name="store">The images.</param>
    /// <param name="requests">One for each sample of <paramref name="destination"/>.</param>
    /// <param name="destination">N x image shape; overwritten.</param>
    void GatherImages(ImageStore store, ReadOnlySpan<ImageRequest> requests, Tensor destination);
}
