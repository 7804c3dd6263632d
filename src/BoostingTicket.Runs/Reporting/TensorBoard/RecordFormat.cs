using System.Buffers.Binary;
using System.Numerics;

namespace BoostingTicket.Runs.Reporting.TensorBoard;

/// <summary>Records of TensorFlow's TFRecord format: length (8 bytes, little-endian), masked CRC-32C of the length, data, masked
/// CRC-32C of the data. See <c>tensorflow/core/lib/io/record_writer.h</c>.</summary>
internal static class RecordFormat
{
    /// <summary>Bytes before the data of a record.</summary>
    public const int HeaderLength = 12;

    /// <summary>Bytes behind it.</summary>
    public const int FooterLength = 4;

    private const uint MaskDelta = 0xa282ead8;

    /// <summary>A record.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        byte[] record = new byte[HeaderLength + data.Length + FooterLength];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Masked(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(HeaderLength));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(HeaderLength + data.Length), Masked(data));
        return record;
    }

    /// <summary>The data of the whole records at the beginning of a file; what follows the first that is torn or wrong is left
    /// out.</summary>
    /// <param name="file">The file's bytes.</param>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(ReadOnlyMemory<byte> file)
    {
        while (file.Length >= HeaderLength + FooterLength)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.Span[8..]) != Masked(file.Span[..8])
                || length > (ulong)(file.Length - HeaderLength - FooterLength))
                yield break;
            ReadOnlyMemory<byte> data = file.Slice(HeaderLength, (int)length);
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.Span[(HeaderLength + (int)length)..]) != Masked(data.Span))
                yield break;
            yield return data;
            file = file[(HeaderLength + (int)length + FooterLength)..];
        }
    }

    /// <summary>The checksum of data as records hold it: rotated and shifted, since a checksum of data that holds checksums is a
    /// weak one.</summary>
    public static uint Masked(ReadOnlySpan<byte> data) => BitOperations.RotateRight(Checksum(data), 15) + MaskDelta;

    // System.IO.Hashing has no CRC-32C; the runtime has it, with the processor's own instruction where there is one.
    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        while (data.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
