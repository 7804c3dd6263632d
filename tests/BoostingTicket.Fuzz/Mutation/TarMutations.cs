using System.Globalization;
using System.Text;

namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Mutations of a tar archive: fields of headers with numbers at limits in octal and in base 256, records of extended
/// headers,
/// blocks moved; the checksum of the header is made right again.</summary>
internal static class TarMutations
{
    private const int Block = 512;

    private static readonly (int Start, int Length)[] Fields =
        [(0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (124, 12), (124, 12), (136, 12), (156, 1), (156, 1), (157, 100),
            (257, 8), (345, 155)];

    private static readonly string[] Texts =
    [
        "../../etc/passwd", "/abs", "a\u001b[2Jb", "", "77777777777", "00000000000", "-1", "8", " 17 ", "99999999999", "x",
            "data_batch_1.bin", "a/data_batch_1.bin",
        "18446744073709551616", "NaN", "1e309", "\0", "00000001000",
    ];

    /// <summary>One mutation.</summary>
    public static byte[] Apply(byte[] archive, Random random)
    {
        List<int> headers = Headers(archive);
        if (headers.Count == 0 || random.Next(6) == 0)
            return ByteMutations.Apply(archive, random);
        byte[] copy = [.. archive];
        int header = headers[random.Next(headers.Count)];
        switch (random.Next(6))
        {
            case 0:
                // An extended header and what it says.
                return [.. copy.AsSpan(0, header), .. Extended(random), .. copy.AsSpan(header)];
            case 1:
                int other = headers[random.Next(headers.Count)];
                return [.. copy.AsSpan(0, header), .. copy.AsSpan(other,
                    Math.Min(Block * random.Next(1, 5), copy.Length - other)), .. copy.AsSpan(header)];
            case 2:
                int base256 = random.Next(3) == 0 ? 136 : 124;
                random.NextBytes(copy.AsSpan(header + base256, 12));
                if (random.Next(2) == 0)
                    copy.AsSpan(header + base256 + 1, random.Next(11)).Clear();
                copy[header + base256] = (byte)(random.Next(2) == 0 ? 0x80 : 0xFF);
                break;
            case 3:
                copy[header + 156] = (byte)"01234567xgLKSV\0AD"[random.Next(17)];
                break;
            default:
                (int start, int length) = Fields[random.Next(Fields.Length)];
                byte[] text = Encoding.UTF8.GetBytes(Texts[random.Next(Texts.Length)]);
                copy.AsSpan(header + start, length).Clear();
                text.AsSpan(0, Math.Min(text.Length, length)).CopyTo(copy.AsSpan(header + start));
                break;
        }

        Repair(copy.AsSpan(header, Block));
        return copy;
    }

    /// <summary>Gives a header its checksum.</summary>
    public static void Repair(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header)
            sum += value;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }

    /// <summary>A header.</summary>
    /// <param name="name">Name of the file.</param>
    /// <param name="size">Its size field.</param>
    /// <param name="type">Its type.</param>
    public static byte[] Header(string name, string size, char type)
    {
        byte[] header = new byte[Block];
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        bytes.AsSpan(0, Math.Min(100, bytes.Length)).CopyTo(header);
        "0000644\00000000\00000000\0"u8.CopyTo(header.AsSpan(100));
        Encoding.ASCII.GetBytes(size.PadLeft(11, '0') + "\0").AsSpan(0, 12).CopyTo(header.AsSpan(124));
        "00000000000\0"u8.CopyTo(header.AsSpan(136));
        header[156] = (byte)type;
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        Repair(header);
        return header;
    }

    private static byte[] Extended(Random random)
    {
        string[] keys = ["path", "size", "mtime", "linkpath", "uid", "GNU.sparse.size"];
        string text = $"{keys[random.Next(keys.Length)]}={Texts[random.Next(Texts.Length)]}\n";
        int length = text.Length + 1;
        length += length.ToString(CultureInfo.InvariantCulture).Length;
        byte[] record = Encoding.UTF8.GetBytes($"{(random.Next(4) == 0 ? random.Next(-1, 1 << 20) : length)} {text}");
        byte[] padded = new byte[(record.Length + Block - 1) / Block * Block];
        record.CopyTo(padded, 0);
        string size = random.Next(4) == 0 ? "77777777777" : Convert.ToString(record.Length, 8);
        return [.. Header("pax", size, "xgLK"[random.Next(4)]), .. padded];
    }

    private static List<int> Headers(byte[] archive)
    {
        var found = new List<int>();
        for (int at = 0; at + Block <= archive.Length; at += Block)
        {
            if (archive.AsSpan(at + 257, 5).SequenceEqual("ustar"u8))
                found.Add(at);
        }

        return found;
    }
}
