using System.Buffers.Binary;
using System.Text;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Mutations of a safetensors file's header or bytes; the length of the header and mostly the checksum are made right
/// again.</summary>
internal static class SafetensorsMutations
{
    private static readonly byte[] ChecksumStart = Encoding.UTF8.GetBytes($"\"{SafetensorsChecksum.Key}\":\"");

    /// <summary>One mutation.</summary>
    public static byte[] Apply(byte[] file, Random random)
    {
        if (file.Length < sizeof(ulong) || BinaryPrimitives.ReadUInt64LittleEndian(file) > (ulong)(file.Length - sizeof(ulong)))
            return ByteMutations.Apply(file, random);
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        byte[] header = file[sizeof(ulong)..(sizeof(ulong) + headerLength)], data = file[(sizeof(ulong) + headerLength)..];
        if (data.Length > 0 && random.Next(4) == 0)
            data = MutateData(data, random);
        else
            header = JsonMutations.Apply(header, random);
        return Join(random.Next(8) == 0 ? header : WithChecksum(header, data), data);
    }

    private static byte[] MutateData(byte[] data, Random random)
    {
        if (random.Next(3) == 0)
            return ByteMutations.Apply(data, random);
        // A value that no file should hold, where one may lie.
        byte[] copy = [.. data];
        int at = random.Next(data.Length);
        ReadOnlySpan<float> values = [float.NaN, float.PositiveInfinity, -1, 2, float.MaxValue, float.Epsilon, 0];
        if (at % 4 == 0 && at + 4 <= data.Length)
            BinaryPrimitives.WriteSingleLittleEndian(copy.AsSpan(at), values[random.Next(values.Length)]);
        else
            copy[at] = (byte)random.Next(256);
        return copy;
    }

    private static byte[] Join(byte[] header, byte[] data)
    {
        byte[] length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        return [.. length, .. header, .. data];
    }

    private static byte[] WithChecksum(byte[] header, byte[] data)
    {
        int at = header.AsSpan().IndexOf(ChecksumStart);
        if (at < 0 || at + ChecksumStart.Length + 64 > header.Length)
            return header;
        try
        {
            SafetensorsHeader parsed = SafetensorsHeader.Parse(header, data.Length);
            using var checksum = new SafetensorsChecksum(parsed.Metadata);
            foreach (SafetensorsEntry entry in parsed.Entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                checksum.Append(entry.Name, entry.Type, entry.Shape);
                checksum.Append(data.AsSpan((int)entry.Begin, (int)entry.ByteLength));
            }

            byte[] repaired = [.. header];
            Encoding.ASCII.GetBytes(checksum.Finish()).CopyTo(repaired, at + ChecksumStart.Length);
            return repaired;
        }
        catch (FormatException)
        {
            return header;
        }
    }
}
