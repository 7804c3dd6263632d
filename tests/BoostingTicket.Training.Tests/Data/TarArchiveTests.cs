using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>Archives as tools write them, and archives that lie.</summary>
internal sealed class TarArchiveTests
{
    private static readonly string LongName = string.Join('/', Enumerable.Repeat("a-folder-of-some-length", 12)) + "/file.bin";

    [TestCase(TarEntryFormat.Ustar)]
    [TestCase(TarEntryFormat.Pax)]
    [TestCase(TarEntryFormat.Gnu)]
    [TestCase(TarEntryFormat.V7)]
    public void Files_are_read_in_every_format(TarEntryFormat format)
    {
        string name = format is TarEntryFormat.V7 or TarEntryFormat.Ustar ? "folder/file.bin" : LongName;
        byte[] archive = Write(format, ("folder/", null), (name, Bytes(700)), ("empty", []), ("other.txt", Bytes(512)));
        var tar = new TarArchive(new MemoryStream(archive));
        var read = new List<(string, byte[])>();
        while (tar.MoveNext())
            read.Add((tar.Name, BoundedRead.Bytes(tar.Content, tar.Length)));
        tar.ReadToEnd();
        Assert.That(read.Select(file => file.Item1), Is.EqualTo((string[])[name, "empty", "other.txt"]));
        Assert.That(read.Select(file => file.Item2), Is.EqualTo((byte[][])[Bytes(700), [], Bytes(512)]));
    }

    [Test]
    public void Files_that_are_not_read_are_passed_over()
    {
        var tar = new TarArchive(new MemoryStream(Write(TarEntryFormat.Pax, ("a", Bytes(1_300)), ("b", Bytes(3)))));
        Assert.That((tar.MoveNext(), tar.MoveNext()), Is.EqualTo((true, true)));
        Assert.That((tar.Name, tar.Length, tar.MoveNext()), Is.EqualTo(("b", 3L, false)));
    }

    // Octal, base 256 with and without high bytes, negative, of an extended header, and beyond what can be read.
    [TestCase("77777777777", '0', "it ends within a file")]
    [TestCase("\x80\0\0\0\0\0\0\0\0\0\x20\0", '0', "it ends within a file")]
    [TestCase("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", '0', "it ends within a file")]
    [TestCase("\x80\x01\0\0\0\0\0\0\0\0\0\0", '0', "no valid size")]
    [TestCase("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", '0', "no valid size")]
    [TestCase("-0000000001", '0', "no valid size")]
    [TestCase("4000000000", 'x', "over the limit of 65536")]
    [TestCase("4000000000", 'L', "over the limit of 65536")]
    public void Sizes_that_lie_cost_nothing(string size, char type, string message)
    {
        byte[] header = Header("a", size, type);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => ReadAll([.. header, .. new byte[512]]), Throws.TypeOf<FormatException>()
            .With.Message.Contains(message));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [TestCase("19 size=8589934592\n", "it ends within a file")]
    [TestCase("18 size=9999999999999999999\n", "not a list of records")]
    [TestCase("28 size=9999999999999999999\n", "no valid size")]
    [TestCase("11 size=-1\n", "no valid size")]
    [TestCase("99999999999 a=b\n", "not a list of records")]
    [TestCase("5 a=b\n", "not a list of records")]
    public void Extended_headers_that_lie_are_refused(string record, string message)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(record);
        byte[] archive = [.. Header("pax", Convert.ToString(bytes.Length, 8), 'x'), .. bytes, .. new byte[512 - bytes.Length],
            .. Header("a", "5", '0'), .. new byte[512]];
        Assert.That(() => ReadAll(archive), Throws.TypeOf<FormatException>().With.Message.Contains(message));
    }

    [Test]
    public void What_unpacks_to_more_than_any_data_set_is_given_up()
    {
        using var endless = new Zeros(Header("a", "77777777777", '0'));
        var tar = new TarArchive(endless);
        Assert.That(tar.MoveNext(), Is.True);
        Assert.That(() => tar.MoveNext(), Throws.TypeOf<FormatException>().With.Message.Contains("over 1024 MB"));
    }

    [Test]
    public void Times_out_of_range_do_not_matter()
    {
        byte[] bytes = "30 mtime=99999999999999999999\n"u8.ToArray();
        ReadAll([.. Header("pax", "36", 'x'), .. bytes, .. new byte[512 - bytes.Length], .. Header("a", "0", '0'),
            .. new byte[1024]]);
    }

    [Test]
    public void A_header_with_another_checksum_is_refused()
    {
        byte[] header = Header("a", "0", '0');
        header[0]++;
        Assert.That(() => ReadAll(header), Throws.TypeOf<FormatException>().With.Message.Contains("checksum"));
    }

    [Test]
    public void An_archive_that_lies_is_refused_as_data()
    {
        using var folder = new TemporaryFolder();
        using (FileStream file = File.Create(folder[CifarReader.ArchiveName]))
        using (var gzip = new GZipStream(file, CompressionLevel.Fastest))
            gzip.Write([.. Header("data_batch_1.bin", "4000000000", '0'), .. new byte[512]]);
        Assert.That(() => CifarReader.Read(folder.Path, "cifar10"), Throws.TypeOf<DataException>()
            .With.Message.Contains("is damaged"));
    }

    private static void ReadAll(byte[] archive)
    {
        var tar = new TarArchive(new MemoryStream(archive));
        while (tar.MoveNext())
            BoundedRead.Bytes(tar.Content, Math.Min(tar.Length, Array.MaxLength));
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(index => (byte)(index * 7))];

    private static byte[] Write(TarEntryFormat format, params (string Name, byte[]? Content)[] entries)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, format, leaveOpen: true))
        {
            foreach ((string name, byte[]? content) in entries)
            {
                TarEntryType type = content is null ? TarEntryType.Directory : format == TarEntryFormat.V7
                    ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;
                TarEntry entry = format switch
                {
                    TarEntryFormat.V7 => new V7TarEntry(type, name),
                    TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                    _ => new PaxTarEntry(type, name),
                };
                if (content is not null)
                    entry.DataStream = new MemoryStream(content);
                writer.WriteEntry(entry);
            }
        }

        return archive.ToArray();
    }

    private static byte[] Header(string name, string size, char type)
    {
        byte[] header = new byte[512];
        Encoding.Latin1.GetBytes(name).CopyTo(header, 0);
        Encoding.Latin1.GetBytes(size).CopyTo(header, 124);
        header[156] = (byte)type;
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        header.AsSpan(148, 8).Fill((byte)' ');
        int sum = header.Sum(value => value);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        return header;
    }

    // Bytes, and zeros without end behind them.
    private sealed class Zeros(byte[] start) : MemoryStream(start)
    {
        public override int Read(Span<byte> buffer)
        {
            int count = base.Read(buffer);
            buffer[count..].Clear();
            return buffer.Length;
        }
    }
}
