using BoostingTicket.Training.Data.Own;
using SkiaSharp;

namespace BoostingTicket.Figures.Tests;

/// <summary>Image files as SkiaSharp encodes them, read back.</summary>
internal sealed class SkiaImageDecoderTests
{
    private const int Width = 5, Height = 4;

    [TestCase(true)]
    [TestCase(false)]
    public void A_png_has_its_pixels_grey_or_in_colours(bool grey)
    {
        DecodedImage image = new SkiaImageDecoder().Decode(Encode(grey, SKEncodedImageFormat.Png));
        Assert.Multiple(() =>
        {
            Assert.That((image.Channels, image.Height, image.Width), Is.EqualTo((grey ? 1 : 3, Height, Width)));
            Assert.That(image.IsTransparent, Is.False);
            for (int channel = 0; channel < image.Channels; channel++)
            {
                for (int pixel = 0; pixel < Width * Height; pixel++)
                    Assert.That(image.Pixels[(channel * Width * Height) + pixel], Is.EqualTo(Value(pixel, grey ? 0 : channel)));
            }
        });
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_jpeg_is_near(bool grey)
    {
        DecodedImage image = new SkiaImageDecoder().Decode(Encode(grey, SKEncodedImageFormat.Jpeg));
        Assert.That((image.Channels, image.Height, image.Width), Is.EqualTo((grey ? 1 : 3, Height, Width)));
        Assert.That(image.Pixels[0], Is.EqualTo(Value(0, 0)).Within(25));
    }

    [Test]
    public void Transparency_is_seen()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(new SKColor(10, 20, 30));
        bitmap.SetPixel(2, 1, new SKColor(10, 20, 30, 254));
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Assert.That(new SkiaImageDecoder().Decode(data.ToArray()).IsTransparent);
    }

    [Test]
    public void What_is_no_image_or_cut_off_is_refused()
    {
        byte[] whole = Encode(grey: false, SKEncodedImageFormat.Png);
        Assert.Multiple(() =>
        {
            Refused([], "no image");
            Refused("hello"u8.ToArray(), "no image");
            Refused(whole[..20], "no image");
            for (int length = 45; length < whole.Length - 30; length += 7)
                Assert.That(
                    () => new SkiaImageDecoder().Decode(whole[..length]), Throws.TypeOf<InvalidDataException>(), $"{length}");
        });

        static void Refused(byte[] file, string message) => Assert.That(
            () => new SkiaImageDecoder().Decode(file), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
    }

    private static byte Value(int pixel, int channel) => (byte)((pixel * 9) + (channel * 5) + 40);

    private static byte[] Encode(bool grey, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(
            Width, Height, grey ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (int pixel = 0; pixel < Width * Height; pixel++)
        {
            var color = grey
                ? new SKColor(Value(pixel, 0), Value(pixel, 0), Value(pixel, 0))
                : new SKColor(Value(pixel, 0), Value(pixel, 1), Value(pixel, 2));
            bitmap.SetPixel(pixel % Width, pixel / Width, color);
        }

        using SKData data = bitmap.Encode(format, 100);
        return data.ToArray();
    }
}
