using System.IO.Compression;

namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Mutations of what a gzip file holds, packed again with the right length and checksum; else of its bytes.</summary>
internal static class GzipMutations
{
    private const int MostBytes = 1 << 18;

    /// <summary>One mutation.</summary>
    /// <param name="file">The gzip file.</param>
    /// <param name="random">Decides.</param>
    /// <param name="mutate">Mutates the content.</param>
    public static byte[] Apply(byte[] file, Random random, Func<byte[], byte[]> mutate)
    {
        if (random.Next(4) == 0)
            return ByteMutations.Apply(file, random);
        return TryUnpack(file) is { } content ? Pack(mutate(content)) : ByteMutations.Apply(file, random);
    }

    /// <summary>Packs bytes.</summary>
    public static byte[] Pack(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(content);
        return packed.ToArray();
    }

    private static byte[]? TryUnpack(byte[] file)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
            byte[] content = new byte[MostBytes];
            int count = gzip.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return content[..count];
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return null;
        }
    }
}
