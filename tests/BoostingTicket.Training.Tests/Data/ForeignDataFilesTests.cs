using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>Data files as other tools leave them.</summary>
internal class ForeignDataFilesTests
{
    private static readonly string[] Digits = [.. Enumerable.Range(0, 10).Select(i => $"{i}")];

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    private static IEnumerable<TestCaseData> Gzips()
    {
        yield return Case("one member", bytes => SmallData.Gzip(bytes));
        yield return Case("two members", bytes => [.. SmallData.Gzip(bytes[..9]), .. SmallData.Gzip(bytes[9..])]);
        yield return Case("a member a byte", bytes => [.. bytes.SelectMany(value => SmallData.Gzip([value]))]);
        yield return Case("empty members", bytes => [.. Empty, .. SmallData.Gzip(bytes), .. Empty, .. Empty]);
        yield return Case("padding", bytes => [.. SmallData.Gzip(bytes), .. new byte[1000]]);
        yield return Case("padding after members", bytes =>
            [.. SmallData.Gzip(bytes[..9]), .. SmallData.Gzip(bytes[9..]), .. Empty, .. new byte[9000]]);
        yield return Case("every part of the header", bytes => Header(SmallData.Gzip(bytes)));

        static TestCaseData Case(string what, Func<byte[], byte[]> pack) => new TestCaseData(pack).SetArgDisplayNames(what);
    }

    // What bgzip ends every file with: an empty member.
    private static byte[] Empty => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    // Extra field, name, comment and checksum of the header, as RFC 1952 orders them.
    private static byte[] Header(byte[] packed) =>
        [.. packed[..3], 2 | 4 | 8 | 16, .. packed[4..10], 3, 0, 1, 2, 3, .. "name\0"u8, .. "comment\0"u8, 7, 7, .. packed[10..]];

    [TestCaseSource(nameof(Gzips))]
    public void Gzip_of_any_make_is_read(Func<byte[], byte[]> pack)
    {
        Dictionary<string, byte[]> files = SmallData.Mnist();
        SmallData.Save(_folder.Path, files.Select(file => KeyValuePair.Create(file.Key + ".gz", pack(file.Value))));
        Assert.That(MnistReader.Read(_folder.Path, "mnist", Digits).Test.Pixels, Is.EqualTo(SmallData.Noise(10 * 784, 2)));
    }

    [Test]
    public void Gzip_is_read_to_its_end_at_every_length_of_its_parts()
    {
        byte[] content = SmallData.Noise(20_000, 3);
        for (int length = 0; length < 2_000; length += length < 300 ? 1 : 37)
        {
            byte[] first = content[..length], second = content[length..(2 * length + 1)];
            byte[] packed = [.. SmallData.Gzip(first), .. SmallData.Gzip(second), .. new byte[length % 5]];
            Assert.That(Unpack(packed), Is.EqualTo(content[..(2 * length + 1)]), $"{length}");
        }
    }

    [Test]
    public void What_follows_gzip_and_is_neither_gzip_nor_zeros_is_damage()
    {
        byte[] packed = SmallData.Gzip(SmallData.Noise(1_000, 4));
        byte[][] rests = [[1], [0, 0, 1], [.. new byte[5_000], 1], [0x1F], [0x1F, 0x8B], [0, .. packed], packed[..^1]];
        foreach (byte[] rest in rests)
            Assert.That(() => Unpack([.. packed, .. rest]), Throws.TypeOf<InvalidDataException>(), $"{rest.Length} bytes");
        byte[] two = [.. packed, .. packed];
        foreach (int at in (int[])[packed.Length - 5, packed.Length - 1, packed.Length + 20, two.Length - 1])
        {
            byte[] changed = [.. two];
            changed[at] ^= 1;
            Assert.That(() => Unpack(changed), Throws.TypeOf<InvalidDataException>(), $"byte {at}");
        }
    }

    [Test]
    public void Many_short_members_cost_no_more_than_their_size()
    {
        Growth.RequireLinear(100_000, members =>
        {
            byte[] packed = [.. Enumerable.Range(0, members).SelectMany(_ => Empty)];
            return () => Assert.That(Unpack(packed), Is.Empty);
        });
    }

    [Test]
    public void An_archive_is_read_by_its_bytes_and_not_by_its_name([Values] bool packed, [Values] bool namedPacked)
    {
        byte[] archive = SmallData.TarGz(CifarReader.FolderName, SmallData.Cifar());
        string name = namedPacked ? "cifar-10-binary.tar.gz" : "cifar-10-binary.tar";
        File.WriteAllBytes(_folder[name], packed ? archive : Unpack(archive));
        Assert.That(ReadCifar().Train.Labels, Is.EqualTo(Enumerable.Range(0, 15).Select(i => i % 10)));
    }

    [Test]
    public void A_plain_archive_that_is_cut_off_is_damaged([Values(700, 3_000, 20_000)] int length)
    {
        string path = _folder[CifarReader.ArchiveName];
        File.WriteAllBytes(path, Unpack(SmallData.TarGz(CifarReader.FolderName, SmallData.Cifar()))[..length]);
        Assert.That(ReadCifar, Throws.TypeOf<DataException>().With.Message.StartsWith($"{path} is damaged: "));
    }

    [Test]
    public void Other_ways_of_packing_are_called_by_their_name()
    {
        string path = _folder[CifarReader.ArchiveName];
        foreach ((byte[] start, string name) in (ReadOnlySpan<(byte[], string)>)
            [
                ("BZh91AY"u8.ToArray(), "bzip2"), ("PK\u0003\u0004...."u8.ToArray(), "zip"),
                ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0], "xz"),
            ])
        {
            File.WriteAllBytes(path, start);
            Assert.That(ReadCifar, Throws.TypeOf<DataException>().With.Message.EqualTo(
                $"{path} is packed with {name}, which is not read here; unpack it, or pack it with gzip instead."));
        }
    }

    [TestCase("mnist", "mnist")]
    [TestCase("mnist", "mnist/raw")]
    [TestCase("mnist", "MNIST/raw")]
    [TestCase("fashion-mnist", "FashionMNIST/raw")]
    public void Sets_are_found_where_torchvision_leaves_them(string set, string folder)
    {
        string path = DataRoot.PathOf(_folder.Path, folder);
        SmallData.Save(path, SmallData.Mnist());
        IDataSet found = DataSetCatalog.Find(set);
        Assert.That(found.IsThere(_folder.Path), Is.True);
        // Images of no meaning have not the published checksums, which are known of MNIST alone.
        if (set == "mnist")
            Assert.That(
                () => found.Load(new DataSetOptions(_folder.Path)), Throws.TypeOf<DataException>().With.Message.Contains(path));
        else
            Assert.That(found.Load(new DataSetOptions(_folder.Path)).Test.Count, Is.EqualTo(10));
    }

    [Test]
    public void A_whole_set_is_preferred_to_a_part_of_one()
    {
        SmallData.Save(_folder["fashion-mnist"], SmallData.Mnist().Take(3));
        IDataSet set = DataSetCatalog.Find("fashion-mnist");
        Assert.That(set.IsThere(_folder.Path), Is.False);
        Assert.That(() => set.Load(new DataSetOptions(_folder.Path)), Throws.TypeOf<DataException>().With.Message
            .StartsWith("The data set fashion-mnist is missing: there is no ")
            .And.Message.Contains($" {_folder["fashion-mnist", "t10k-labels-idx1-ubyte.gz"]} and "));
        SmallData.Save(_folder["FashionMNIST", "raw"], SmallData.Mnist());
        Assert.That(set.Load(new DataSetOptions(_folder.Path)).Test.Count, Is.EqualTo(10));
    }

    [Test]
    public void Dotted_names_are_read_packed_too()
    {
        SmallData.Save(_folder.Path, SmallData.Mnist().Select(file =>
            KeyValuePair.Create(file.Key.Replace("-idx", ".idx", StringComparison.Ordinal) + ".gz", SmallData.Gzip(file.Value))));
        Assert.That(MnistReader.Read(_folder.Path, "mnist", Digits).Train.Count, Is.EqualTo(20));
    }

    [Test]
    public void Files_beside_their_folder_are_pointed_at()
    {
        SmallData.Save(_folder.Path, SmallData.Mnist());
        var options = new DataSetOptions(_folder.Path);
        Assert.That(() => DataSetCatalog.Load("mnist", options), Throws.TypeOf<DataException>().With.Message
            .Contains($"{_folder["train-images-idx3-ubyte"]} lies beside that folder: move it in there if it is of this set; "));
    }

    [Test]
    public void Cifar_is_found_one_folder_deeper([Values("cifar10", "CIFAR10")] string folder)
    {
        SmallData.Save(_folder[folder, CifarReader.FolderName], SmallData.Cifar());
        Assert.That(ReadCifar().Test.Count, Is.EqualTo(3));
        Assert.That(DataSetCatalog.Find("cifar10").IsThere(_folder.Path), Is.True);
    }

    [Test]
    public void The_version_for_Python_is_called_that()
    {
        Directory.CreateDirectory(_folder["cifar-10-batches-py"]);
        Assert.That(ReadCifar, Throws.TypeOf<DataException>().With.Message.Contains(
            $"{_folder["cifar-10-batches-py"]} is the version for Python, which is not read here: the binary version is "
                + $"needed; run 'data"));
        File.WriteAllBytes(_folder[CifarReader.ArchiveName], SmallData.TarGz("cifar-10-batches-py", [new("data_batch_1", [1])]));
        Assert.That(ReadCifar, Throws.TypeOf<DataException>().With.Message.StartsWith(
            $"{_folder[CifarReader.ArchiveName]} is CIFAR-10's version for Python"));
    }

    private DataSplit ReadCifar() => CifarReader.Read(_folder.Path, "cifar10", null, SmallData.CifarRecords);

    private static byte[] Unpack(byte[] packed)
    {
        using var content = new CheckedGzipStream(new MemoryStream(packed));
        using var unpacked = new MemoryStream();
        content.CopyTo(unpacked);
        return unpacked.ToArray();
    }
}
