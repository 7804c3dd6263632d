namespace BoostingTicket.Training.Data.Own;

/// <summary>An image as a file holds it.</summary>
/// <param name="Channels">1 for grey, 3 for red, green and blue.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Pixels">0 to 255, channel after channel, row after row.</param>
/// <param name="IsTransparent">Whether a pixel lets something shine through.</param>
public sealed record DecodedImage(int Channels, int Height, int Width, byte[] Pixels, bool IsTransparent);

/// <summary>Reads image files such as PNG and JPEG. The libraries read none themselves, since decoders are native code: a program
/// gives them one (<see cref="OwnDataSets.Decoder"/>); BoostingTicket.Figures has one.</summary>
public interface IImageDecoder
{
    /// <summary>Decodes an image, as it is stored: not turned, its colours not converted.</summary>
    /// <param name="file">The content of the file.</param>
    /// <exception cref="InvalidDataException">It is no image, is damaged, or is too large; the message says why.</exception>
    DecodedImage Decode(byte[] file);
}
