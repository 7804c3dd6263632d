using BoostingTicket.Training.Data.Own;
using SkiaSharp;

namespace BoostingTicket.Figures;

/// <summary>Reads PNG, JPEG and other images with SkiaSharp, as they are stored: neither turned as their metadata say, nor
/// converted to another colour space, so that pixels are those that other programs of the field see.</summary>
internal sealed class SkiaImageDecoder : IImageDecoder
{
    private const long MostPixels = 1 << 26;
    private const int ChannelsOfSkia = 4;

    /// <inheritdoc/>
    public DecodedImage Decode(byte[] file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using SKData data = SKData.CreateCopy(file);
        using SKCodec codec = SKCodec.Create(data) ?? throw new InvalidDataException("it is no image of a known format");
        SKImageInfo stored = codec.Info;
        if (stored.Width < 1 || stored.Height < 1 || (long)stored.Width * stored.Height > MostPixels)
            throw new InvalidDataException($"it has {stored.Height}x{stored.Width} pixels");
        // Without a colour space of the target, nothing is converted.
        var wanted = new SKImageInfo(stored.Width, stored.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        byte[] packed = GC.AllocateUninitializedArray<byte>(wanted.BytesSize);
        SKCodecResult result;
        unsafe
        {
            fixed (byte* target = packed)
                result = codec.GetPixels(wanted, (nint)target);
        }

        if (result != SKCodecResult.Success)
            throw new InvalidDataException(result == SKCodecResult.IncompleteInput ? "it is cut off" : "it is damaged");
        int plane = stored.Width * stored.Height;
        bool isGrey = stored.ColorType == SKColorType.Gray8, isTransparent = false;
        int channels = isGrey ? 1 : 3;
        byte[] pixels = GC.AllocateUninitializedArray<byte>(channels * plane);
        for (int pixel = 0; pixel < plane; pixel++)
        {
            for (int channel = 0; channel < channels; channel++)
                pixels[(channel * plane) + pixel] = packed[(pixel * ChannelsOfSkia) + channel];
            isTransparent |= packed[(pixel * ChannelsOfSkia) + 3] != byte.MaxValue;
        }

        return new DecodedImage(channels, stored.Height, stored.Width, pixels, isTransparent);
    }
}
