namespace BoostingTicket.Training.Files;

/// <summary>Reads as many bytes as a header promises without believing it: memory grows as bytes arrive, so that a damaged size
/// cannot ask for memory that the file has no bytes for.</summary>
internal static class BoundedRead
{
    private const int FirstChunk = 1 << 16;

    /// <summary>Reads bytes.</summary>
    /// <param name="content">Where from.</param>
    /// <param name="length">How many are promised, from 0 to <see cref="Array.MaxLength"/>.</param>
    /// <returns>The bytes; fewer than promised if the content ends before.</returns>
    public static byte[] Bytes(Stream content, long length)
    {
        byte[] bytes = new byte[Math.Min(length, FirstChunk)];
        int filled = 0;
        while (true)
        {
            filled += content.ReadAtLeast(bytes.AsSpan(filled), bytes.Length - filled, throwOnEndOfStream: false);
            if (filled < bytes.Length || filled == length)
                break;
            Array.Resize(ref bytes, (int)Math.Min(length, 4L * bytes.Length));
        }

        return filled == bytes.Length ? bytes : bytes[..filled];
    }
}
