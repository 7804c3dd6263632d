using System.Buffers.Binary;
using System.Security.Cryptography;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data;

/// <summary>An array of bytes in the IDX format of MNIST: a big-endian magic number, the sizes, the bytes.</summary>
/// <param name="Sizes">The sizes, outermost first.</param>
/// <param name="Values">The bytes, outermost dimension slowest.</param>
internal sealed record IdxFile(int[] Sizes, byte[] Values)
{
    // 0x08 is the format's code for unsigned bytes; the lowest byte of the magic number is the number of dimensions.
    private const int UnsignedBytes = 0x0800;
    private const int FirstChunk = 1 << 16;

    /// <summary>Reads and checks a file, gzipped or not (its first bytes tell).</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimensions">How many sizes it must have: 3 for images, 1 for labels.</param>
    /// <param name="checksum">The checksum of the unpacked content, or null where it is not known.</param>
    /// <param name="remedy">What to do about a bad file, as the end of a sentence.</param>
    /// <exception cref="DataException">The file cannot be read or is not what it must be.</exception>
    public static IdxFile Read(string path, int dimensions, FileChecksum? checksum, string remedy)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            using Stream content = PackedFile.Open(file);
            return Read(content, dimensions, checksum);
        }
        catch (FormatException error)
        {
            throw new DataException($"{path} is damaged: {error.Message}; {remedy}.", error);
        }
        catch (InvalidDataException error)
        {
            throw new DataException($"{path} is damaged: {StorageErrors.Reason(error)}; {remedy}.", error);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new DataException($"Cannot read {path}: {StorageErrors.Reason(error)}; make it readable or {remedy}.", error);
        }
    }

    private static IdxFile Read(Stream content, int dimensions, FileChecksum? checksum)
    {
        using var hash = IncrementalHash.CreateHash(checksum?.Algorithm ?? HashAlgorithmName.SHA256);
        Span<byte> header = stackalloc byte[sizeof(int) * (1 + dimensions)];
        int read = content.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read >= sizeof(int) && BinaryPrimitives.ReadInt32BigEndian(header) != (UnsignedBytes | dimensions))
        {
            throw new FormatException(
                $"it begins with {BinaryPrimitives.ReadUInt32BigEndian(header):X8} and not with the magic number "
                + $"{UnsignedBytes | dimensions:X8}");
        }

        if (read < header.Length)
            throw new FormatException("it ends within its header");
        int[] sizes = new int[dimensions];
        long length = 1;
        for (int i = 0; i < dimensions; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(header[(sizeof(int) * (i + 1))..]);
            if (sizes[i] <= 0 || (length *= sizes[i]) > Array.MaxLength)
                throw new FormatException($"its header gives impossible sizes ({string.Join("x", sizes[..(i + 1)])})");
        }

        hash.AppendData(header);
        byte[] values = ReadValues(content, (int)length);
        hash.AppendData(values);
        if (checksum is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) != checksum.Hex)
            throw new FormatException("its content is not the published one");
        return new IdxFile(sizes, values);
    }

    // Grows as bytes arrive, so that a damaged size cannot ask for memory that the file has no bytes for.
    private static byte[] ReadValues(Stream content, int length)
    {
        byte[] values = new byte[Math.Min(length, FirstChunk)];
        int filled = 0;
        while (true)
        {
            filled += content.ReadAtLeast(values.AsSpan(filled), values.Length - filled, throwOnEndOfStream: false);
            if (filled < values.Length)
                throw new FormatException($"it is cut off: its header promises {length} bytes and {filled} follow");
            if (filled == length)
                break;
            Array.Resize(ref values, (int)Math.Min(length, 2L * values.Length));
        }

        if (content.ReadByte() >= 0)
            throw new FormatException($"it is too long: more than the {length} bytes that its header promises follow");
        return values;
    }
}
