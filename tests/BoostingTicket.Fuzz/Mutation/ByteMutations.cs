using System.Buffers.Binary;

namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Mutations that know nothing of a format.</summary>
internal static class ByteMutations
{
    private static readonly byte[] Bytes = [0, 1, 0x7F, 0x80, 0xFF, (byte)' ', (byte)'0', (byte)'9', (byte)'"', (byte)'\\',
        (byte)'{', (byte)'-', 0x1B, 0x0A];

    private static readonly long[] Numbers =
    [
        0, 1, -1, 2, 127, 128, 255, 256, 32_767, 65_535, 65_536, int.MaxValue, int.MinValue, 1L << 31, uint.MaxValue, 1L << 32,
        long.MaxValue, long.MinValue, 1L << 60, 100_000_000,
    ];

    /// <summary>One mutation.</summary>
    public static byte[] Apply(byte[] input, Random random)
    {
        if (input.Length == 0)
            return [(byte)random.Next(256)];
        int at = random.Next(input.Length), length = 1 + random.Next(Math.Min(input.Length - at, random.Next(4) == 0 ? 512 : 8));
        byte[] copy = [.. input];
        switch (random.Next(9))
        {
            case 0:
                copy[at] ^= (byte)(1 << random.Next(8));
                return copy;
            case 1:
                copy[at] = Bytes[random.Next(Bytes.Length)];
                return copy;
            case 2:
                random.NextBytes(copy.AsSpan(at, length));
                return copy;
            case 3:
                return [.. input.AsSpan(0, at), .. input.AsSpan(at + length)];
            case 4:
                return [.. input.AsSpan(0, at + length), .. input.AsSpan(at, length), .. input.AsSpan(at + length)];
            case 5:
                return input[..at];
            case 6:
                byte[] inserted = new byte[1 + random.Next(16)];
                random.NextBytes(inserted);
                return [.. input.AsSpan(0, at), .. inserted, .. input.AsSpan(at)];
            case 7:
                int from = random.Next(input.Length - length + 1);
                input.AsSpan(from, length).CopyTo(copy.AsSpan(at, Math.Min(length, input.Length - at)));
                return copy;
            default:
                WriteNumber(copy.AsSpan(at), random);
                return copy;
        }
    }

    /// <summary>The beginning of one input and the end of another.</summary>
    public static byte[] Splice(byte[] first, byte[] second, Random random) =>
        [.. first.AsSpan(0, random.Next(first.Length + 1)), .. second.AsSpan(random.Next(second.Length + 1))];

    private static void WriteNumber(Span<byte> place, Random random)
    {
        long number = Numbers[random.Next(Numbers.Length)] + random.Next(-1, 2);
        bool big = random.Next(2) == 0;
        if (place.Length >= 8 && random.Next(2) == 0)
        {
            if (big)
                BinaryPrimitives.WriteInt64BigEndian(place, number);
            else
                BinaryPrimitives.WriteInt64LittleEndian(place, number);
        }
        else if (place.Length >= 4)
        {
            if (big)
                BinaryPrimitives.WriteInt32BigEndian(place, unchecked((int)number));
            else
                BinaryPrimitives.WriteInt32LittleEndian(place, unchecked((int)number));
        }
        else
            place[0] = unchecked((byte)number);
    }
}
