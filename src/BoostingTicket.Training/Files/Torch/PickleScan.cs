using System.Buffers.Binary;

namespace BoostingTicket.Training.Files.Torch;

/// <summary>Finds where a pickle ends, before the pickle library reads it: the opcodes and their arguments as Python's
/// pickletools lists them. So a length in a pickle is never believed beyond the bytes that are there.</summary>
internal static class PickleScan
{
    private const byte Stop = (byte)'.';

    // No number or name of a pickle is longer; the library takes its time over long numbers.
    private const int LongestLine = 4096;

    /// <summary>The bytes of the pickle at the beginning, its end included.</summary>
    /// <param name="bytes">What begins with a pickle.</param>
    /// <exception cref="TorchFormatException">There is no whole pickle.</exception>
    public static int Length(ReadOnlySpan<byte> bytes)
    {
        int position = 0;
        while (position < bytes.Length)
        {
            byte opcode = bytes[position++];
            if (opcode == Stop)
                return position;
            ReadOnlySpan<byte> rest = bytes[position..];
            long length = opcode switch
            {
                (byte)'K' or (byte)'h' or (byte)'q' or 0x80 or 0x82 => 1,
                (byte)'M' or 0x83 => 2,
                (byte)'J' or (byte)'j' or (byte)'r' or 0x84 => 4,
                (byte)'G' or 0x95 => 8,
                (byte)'I' or (byte)'L' or (byte)'F' or (byte)'S' or (byte)'V' or (byte)'g' or (byte)'p' or (byte)'P' =>
                    Line(rest),
                (byte)'c' or (byte)'i' => Line(rest) is var first ? first + Line(rest[first..]) : 0,
                (byte)'U' or (byte)'C' or 0x8c or 0x8a => 1L + Byte(rest),
                (byte)'T' or (byte)'B' or (byte)'X' or 0x8b => 4L + Word(rest),
                0x8d or 0x8e or 0x96 => 8L + DoubleWord(rest),
                _ => 0,
            };
            if (length > rest.Length)
                break;
            position += (int)length;
        }

        throw new TorchFormatException("its pickle is cut");
    }

    private static int Line(ReadOnlySpan<byte> rest)
    {
        int end = rest[..Math.Min(rest.Length, LongestLine)].IndexOf((byte)'\n');
        return end >= 0 ? end + 1 : throw new TorchFormatException("its pickle is cut, or has an endless line");
    }

    private static int Byte(ReadOnlySpan<byte> rest) =>
        rest.Length > 0 ? rest[0] : throw new TorchFormatException("its pickle is cut");

    private static long Word(ReadOnlySpan<byte> rest) =>
        rest.Length >= sizeof(uint)
            ? BinaryPrimitives.ReadUInt32LittleEndian(rest)
            : throw new TorchFormatException("its pickle is cut");

    private static long DoubleWord(ReadOnlySpan<byte> rest)
    {
        ulong length = rest.Length >= sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(rest) : ulong.MaxValue;
        return length <= (ulong)rest.Length ? (long)length : throw new TorchFormatException("its pickle is cut");
    }
}
