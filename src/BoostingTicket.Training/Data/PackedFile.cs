namespace BoostingTicket.Training.Data;

/// <summary>Opens files that may be packed. Their first bytes say so, not their names: browsers and tools unpack files and leave
/// the name, or give one that does not fit.</summary>
internal static class PackedFile
{
    private const int LongestMagic = 6;

    private static readonly (byte[] Magic, string Name)[] Others =
    [
        ([(byte)'B', (byte)'Z', (byte)'h'], "bzip2"),
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0], "xz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
        ([(byte)'P', (byte)'K', 3, 4], "zip"),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C], "7z"),
    ];

    /// <summary>What a file holds, unpacked where it is gzip and as it is otherwise.</summary>
    /// <param name="file">The file, at its beginning; owned by the result.</param>
    /// <exception cref="DataException">It is packed with something else.</exception>
    /// <exception cref="InvalidDataException">It begins as gzip does and is damaged.</exception>
    public static Stream Open(FileStream file)
    {
        Span<byte> start = stackalloc byte[LongestMagic];
        start = start[..file.ReadAtLeast(start, LongestMagic, throwOnEndOfStream: false)];
        file.Position = 0;
        if (CheckedGzipStream.IsGzip(start))
            return new CheckedGzipStream(file);
        foreach ((byte[] magic, string name) in Others)
        {
            if (start.StartsWith(magic))
                throw new DataException(
                    $"{file.Name} is packed with {name}, which is not read here; unpack it, or pack it with gzip instead.");
        }

        return file;
    }
}
