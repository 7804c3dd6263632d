using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace BoostingTicket.Runs.Reporting.Html;

/// <summary>Small images as PNG (ISO/IEC 15948): 8 bits a channel, one compressed chunk, no filter.</summary>
internal static class PngImage
{
    private static readonly byte[] Signature = [0x89, .. "PNG\r\n"u8, 0x1a, (byte)'\n'];

    /// <summary>Encodes an image.</summary>
    /// <param name="image">[channels, height, width] in [0, 1]; what lies outside is clamped.</param>
    /// <param name="channels">1 for grey, 3 for red, green and blue.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public static byte[] Encode(ReadOnlySpan<float> image, int channels, int height, int width)
    {
        if (channels is not (1 or 3) || image.Length != channels * height * width)
            throw new ArgumentException(
                $"{image.Length} values are not an image of {channels} x {height} x {width}; there are grey and colour images.",
                nameof(image));
        byte[] rows = new byte[height * (1 + (width * channels))];
        int at = 0;
        for (int y = 0; y < height; y++)
        {
            // No filter.
            rows[at++] = 0;
            for (int x = 0; x < width; x++)
            {
                for (int channel = 0; channel < channels; channel++)
                    rows[at++] = (byte)MathF.Round(255 * Math.Clamp(image[(((channel * height) + y) * width) + x], 0, 1));
            }
        }

        using var file = new MemoryStream();
        file.Write(Signature);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = (byte)(channels == 1 ? 0 : 2);
        Chunk(file, "IHDR", header);
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            deflate.Write(rows);
        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>The image as an address that holds it.</summary>
    public static string DataUri(ReadOnlySpan<float> image, int channels, int height, int width) =>
        "data:image/png;base64," + Convert.ToBase64String(Encode(image, channels, height, width));

    private static void Chunk(Stream file, string type, byte[] content)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. content];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(body));
        file.Write(number);
    }
}
