using System.Buffers.Binary;
using System.Text;

namespace BoostingTicket.Runs.Tests.Reporting.Watching;

/// <summary>Reads TensorBoard's event files as their formats are specified, sharing nothing with what writes them: the record
/// format of <c>tensorflow/core/lib/io/record_writer.h</c>, CRC-32C of RFC 3720 bit by bit, and the wire format of protocol
/// buffers.</summary>
internal static class EventRecords
{
    private const uint Polynomial = 0x82f63b78, Delta = 0xa282ead8;

    /// <summary>The events of a file; throws for a torn or damaged one.</summary>
    public static List<SeenEvent> Read(byte[] file)
    {
        var events = new List<SeenEvent>();
        for (int at = 0; at < file.Length;)
        {
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at)));
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)), Is.EqualTo(Masked(file.AsSpan(at, 8))));
            ReadOnlySpan<byte> data = file.AsSpan(at + 12, length);
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)), Is.EqualTo(Masked(data)));
            events.Add(Event(data));
            at += 12 + length + 4;
        }
        return events;
    }

    /// <summary>The events of a stage's folder, file by file in the order of their names, without what a later process took
    /// back.</summary>
    public static List<SeenEvent> ReadFolder(string folder)
    {
        var events = new List<SeenEvent>();
        foreach (string file in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            List<SeenEvent> read = Read(File.ReadAllBytes(file));
            Assert.That(read[0].Version, Is.EqualTo("brain.Event:2"), file);
            foreach (SeenEvent one in read)
            {
                if (one.Session == 1)
                    events.RemoveAll(before => before.Step >= one.Step);
                events.Add(one);
            }
        }
        return events;
    }

    /// <summary>CRC-32C, bit by bit.</summary>
    public static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ Polynomial;
        }
        return ~crc;
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = Checksum(data);
        return unchecked(((crc >> 15) | (crc << 17)) + Delta);
    }

    private static SeenEvent Event(ReadOnlySpan<byte> data)
    {
        var seen = new SeenEvent();
        foreach ((int field, ulong number, byte[] bytes) in Fields(data.ToArray()))
        {
            switch (field)
            {
                case 1:
                    seen.Time = BitConverter.UInt64BitsToDouble(number);
                    break;
                case 2:
                    seen.Step = (long)number;
                    break;
                case 3:
                    seen.Version = Encoding.UTF8.GetString(bytes);
                    break;
                case 5:
                    foreach ((int _, ulong _, byte[] value) in Fields(bytes).Where(one => one.Field == 1))
                        Value(seen, value);
                    break;
                case 7:
                    seen.Session = (int)Fields(bytes).Single(one => one.Field == 1).Number;
                    break;
            }
        }
        return seen;
    }

    private static void Value(SeenEvent seen, byte[] value)
    {
        string tag = "";
        foreach ((int field, ulong number, byte[] bytes) in Fields(value))
        {
            switch (field)
            {
                case 1:
                    tag = Encoding.UTF8.GetString(bytes);
                    break;
                case 2:
                    seen.Numbers.Add(tag, BitConverter.UInt32BitsToSingle((uint)number));
                    break;
                case 4:
                    var parts = Fields(bytes).ToDictionary(one => one.Field);
                    seen.Images.Add(tag, ((int)parts[1].Number, (int)parts[2].Number, (int)parts[3].Number, parts[4].Bytes));
                    break;
            }
        }
    }

    private static IEnumerable<(int Field, ulong Number, byte[] Bytes)> Fields(byte[] message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint();
            switch (key & 7)
            {
                case 0:
                    yield return ((int)(key >> 3), Varint(), []);
                    break;
                case 1:
                    yield return ((int)(key >> 3), BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), []);
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint();
                    yield return ((int)(key >> 3), 0, message[at..(at + length)]);
                    at += length;
                    break;
                case 5:
                    yield return ((int)(key >> 3), BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), []);
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7}");
            }
        }

        ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = message[at++];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    return value;
            }
        }
    }
}

/// <summary>An event of a file.</summary>
internal sealed class SeenEvent
{
    public double Time { get; set; }

    public long Step { get; set; }

    public string? Version { get; set; }

    public int Session { get; set; }

    public Dictionary<string, float> Numbers { get; } = [];

    public Dictionary<string, (int Height, int Width, int Channels, byte[] Png)> Images { get; } = [];
}
