using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>A numeric array of a MAT-file.</summary>
/// <param name="Dimensions">Sizes; the first dimension is the fastest.</param>
/// <param name="Type">Type of the stored numbers, <c>mi…</c> of the format: 2 for uint8, 9 for double.</param>
/// <param name="Bytes">The numbers, little-endian.</param>
internal sealed record MatArray(IReadOnlyList<int> Dimensions, int Type, byte[] Bytes);

/// <summary>Reads real numeric arrays of MAT-files of level 5 (MathWorks, "MAT-File Format", 2019), compressed or not. The
/// registry has no kept library for them, so that this reader is the project's own, and no larger than SVHN needs. It is
/// fuzzed.</summary>
internal static class MatFile
{
    private const int HeaderLength = 128;
    private const int Matrix = 14, Compressed = 15;
    private const int LongestName = 64, MostDimensions = 8;

    /// <summary>Reads the arrays of some names; what else the file holds is passed over.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="names">The names that are wanted.</param>
    /// <exception cref="FormatException">It is no such file, or lacks an array.</exception>
    /// <exception cref="InvalidDataException">A compressed part is damaged.</exception>
    public static IReadOnlyDictionary<string, MatArray> Read(Stream stream, params IReadOnlyCollection<string> names)
    {
        byte[] header = BoundedRead.Bytes(stream, HeaderLength);
        if (header.Length < HeaderLength || header[125] != 1 || !header.AsSpan(126, 2).SequenceEqual("IM"u8))
            throw new FormatException("it is no MAT-file of level 5");
        var arrays = new Dictionary<string, MatArray>(StringComparer.Ordinal);
        while (arrays.Count < names.Count && Tag.Read(stream) is { } tag)
        {
            using var content = new MemoryStream(Content(stream, tag));
            using Stream whole = tag.Type == Compressed ? new ZLibStream(content, CompressionMode.Decompress) : content;
            Tag? matrix = tag.Type == Compressed ? Tag.Read(whole) : tag;
            if (matrix is { Type: Matrix } && ReadMatrix(whole, names) is var (name, array))
                arrays.TryAdd(name, array);
        }

        return names.FirstOrDefault(name => !arrays.ContainsKey(name)) is { } missing
            ? throw new FormatException($"it has no numeric array '{missing}'")
            : arrays;
    }

    private static (string Name, MatArray Array)? ReadMatrix(Stream stream, IReadOnlyCollection<string> names)
    {
        // Flags: the class of the array and whether it is complex. Classes from 6 on are numeric.
        byte[] flags = Element(stream, longest: 8).Bytes;
        byte[] sizes = Element(stream, longest: MostDimensions * sizeof(int)).Bytes;
        string name = Encoding.ASCII.GetString(Element(stream, LongestName).Bytes);
        if (!names.Contains(name))
            return null;
        const int FirstNumeric = 6, Complex = 8;
        if (flags.Length < 2 || flags[0] < FirstNumeric || (flags[1] & Complex) != 0)
            throw new FormatException($"its array '{name}' is not of real numbers");
        int[] dimensions = [.. sizes.Chunk(sizeof(int)).Where(chunk => chunk.Length == sizeof(int)).Select(
            chunk => BinaryPrimitives.ReadInt32LittleEndian(chunk))];
        long length = 1;
        foreach (int size in dimensions)
        {
            if (size < 1 || length > Array.MaxLength / size)
                throw new FormatException($"its array '{name}' has a size of {size}");
            length *= size;
        }

        (int type, byte[] bytes) = Element(stream, Array.MaxLength);
        int width = type switch
        {
            1 or 2 => 1,
            3 or 4 => 2,
            5 or 6 or 7 => 4,
            9 or 12 or 13 => 8,
            _ => throw new FormatException($"its array '{name}' has numbers of the type {type}"),
        };
        return bytes.LongLength == length * width
            ? (name, new MatArray(dimensions, type, bytes))
            : throw new FormatException($"its array '{name}' has {bytes.LongLength} bytes and not {length * width}");
    }

    private static (int Type, byte[] Bytes) Element(Stream stream, int longest)
    {
        Tag tag = Tag.Read(stream) ?? throw new FormatException("it is cut off");
        return tag.Bytes <= longest
            ? (tag.Type, Content(stream, tag))
            : throw new FormatException($"a part of it has {tag.Bytes} bytes");
    }

    private static byte[] Content(Stream stream, Tag tag)
    {
        if (tag.Small is { } small)
            return small;
        byte[] bytes = BoundedRead.Bytes(stream, tag.Bytes);
        if (bytes.Length < tag.Bytes)
            throw new FormatException("it is cut off");
        // Compressed elements are not padded.
        if (tag.Type != Compressed)
            BoundedRead.Bytes(stream, -tag.Bytes & 7);
        return bytes;
    }

    /// <summary>What stands before an element.</summary>
    private sealed record Tag(int Type, long Bytes, byte[]? Small)
    {
        public static Tag? Read(Stream stream)
        {
            byte[] tag = BoundedRead.Bytes(stream, 8);
            if (tag.Length < 8)
                return tag.Length == 0 ? null : throw new FormatException("it is cut off");
            uint first = BinaryPrimitives.ReadUInt32LittleEndian(tag),
            bytes = BinaryPrimitives.ReadUInt32LittleEndian(tag.AsSpan(4));
            // A short element lies in its tag, and its length in the upper half of the type.
            if (first >> 16 is > 0 and var length)
            {
                return length <= 4
                    ? new Tag((int)(first & 0xFFFF), length, tag[4..(4 + (int)length)])
                    : throw new FormatException($"a short part of it has {length} bytes");
            }

            return bytes <= Array.MaxLength
                ? new Tag((int)first, bytes, null)
                : throw new FormatException($"a part of it has {bytes} bytes");
        }
    }
}
