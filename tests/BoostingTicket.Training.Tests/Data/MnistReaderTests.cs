using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

internal class MnistReaderTests
{
    private static readonly string[] Digits = [.. Enumerable.Range(0, 10).Select(i => $"{i}")];

    private TemporaryFolder _folder = null!;
    private Dictionary<string, byte[]> _files = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _files = SmallData.Mnist();
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Reads_gzipped_and_unpacked_files_alike([Values] bool gzipped, [Values] bool dotted)
    {
        SmallData.Save(_folder.Path, _files.Select(file => KeyValuePair.Create(
            (dotted && !gzipped ? file.Key.Replace("-idx", ".idx", StringComparison.Ordinal) : file.Key) + (gzipped ? ".gz" : ""),
            gzipped ? SmallData.Gzip(file.Value) : file.Value)));
        (ImageSet train, ImageSet test) = Read();
        Assert.That((train.Count, train.Channels, train.Height, train.Width), Is.EqualTo((20, 1, 28, 28)));
        Assert.That(train.Pixels, Is.EqualTo(SmallData.Noise(20 * 784, 1)));
        Assert.That(train.Labels, Is.EqualTo(Enumerable.Range(0, 20).Select(i => i % 10)));
        Assert.That(test.Pixels, Is.EqualTo(SmallData.Noise(10 * 784, 2)));
        Assert.That(test.Classes, Is.EqualTo(Digits));
        Assert.That(train.Name, Is.EqualTo("mnist"));
    }

    [Test]
    public void A_missing_file_names_the_paths_and_the_remedy()
    {
        _files.Remove("t10k-labels-idx1-ubyte");
        SmallData.Save(_folder.Path, _files);
        Assert.That(Fail(), Is.EqualTo(
            $"The data set mnist is missing: there is no {_folder["t10k-labels-idx1-ubyte.gz"]} and no "
            + $"{_folder["t10k-labels-idx1-ubyte"]} "
            + $"and no {_folder["t10k-labels.idx1-ubyte"]} and no {_folder["t10k-labels.idx1-ubyte.gz"]}; run 'data fetch "
            + $"mnist', or name the folder that has it with dataFolder or BOOSTING_TICKET_DATA."));
    }

    [Test]
    public void Every_truncation_and_every_flip_of_a_gzipped_file_is_noticed()
    {
        const string Name = "t10k-labels-idx1-ubyte";
        byte[] packed = SmallData.Gzip(_files[Name]);
        SmallData.Save(_folder.Path, _files.Where(file => file.Key != Name));
        string path = _folder[Name + ".gz"];
        for (int length = 0; length < packed.Length; length++)
        {
            File.WriteAllBytes(path, packed[..length]);
            Assert.That(Fail(), Does.StartWith($"{path} is damaged: "), $"cut to {length} bytes");
        }

        File.WriteAllBytes(path, [.. packed, 1]);
        Assert.That(Fail(), Does.StartWith($"{path} is damaged: "), "one byte more");

        byte[] labels = [.. Enumerable.Range(0, 10).Select(i => (byte)i)];
        int harmless = 0;
        for (int bit = 0; bit < 8 * packed.Length; bit++)
        {
            byte[] flipped = [.. packed];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            File.WriteAllBytes(path, flipped);
            try
            {
                Assert.That(Read().Test.Labels, Is.EqualTo(labels), $"bit {bit} changes the labels unnoticed");
                harmless++;
            }
            catch (DataException error)
            {
                Assert.That(error.Message, Does.StartWith($"{path} is damaged: ").And.EndsWith(
                    "run 'data fetch mnist' to download it again."), $"bit {bit}");
            }
        }

        // The time and the system in the header of gzip, and what fills up the last byte of its data, touch no label.
        Assert.That(harmless, Is.LessThan(8 * 10));
    }

    private static IEnumerable<TestCaseData> Damages()
    {
        yield return Case("images cut off", "train-images-idx3-ubyte", file => file[..^1],
            "it is cut off: its header promises 15680 bytes and 15679 follow");
        yield return Case(
            "images too long", "train-images-idx3-ubyte", file => [.. file, 0], "it is too long: more than the 15680 bytes");
        yield return Case("header cut off", "train-images-idx3-ubyte", file => file[..10], "it ends within its header");
        yield return Case("empty", "train-images-idx3-ubyte", _ => [], "it ends within its header");
        yield return Case("labels for images", "train-images-idx3-ubyte", _ => SmallData.Mnist()["train-labels-idx1-ubyte"],
            "it begins with 00000801 and not with the magic number 00000803");
        yield return Case("images for labels", "t10k-labels-idx1-ubyte", _ => SmallData.Mnist()["t10k-images-idx3-ubyte"],
            "magic number 00000801");
        yield return Case("no images", "train-images-idx3-ubyte", _ => SmallData.Idx([0, 28, 28], []), "impossible sizes (0)");
        yield return Case(
            "negative size", "train-images-idx3-ubyte", _ => SmallData.Idx([20, -28, 28], []), "impossible sizes (20x-28)");
        yield return Case("huge size", "train-images-idx3-ubyte", _ => SmallData.Idx(
            [60_000, 60_000, 28], []), "impossible sizes (60000x60000)");
        yield return Case("2 GB promised", "train-images-idx3-ubyte", _ => SmallData.Idx(
            [2_000_000, 28, 28], new byte[100]), "it is cut off: its header promises 1568000000 bytes and 100 follow");
        yield return Case(
            "label out of range", "t10k-labels-idx1-ubyte", file => [.. file[..^1], 10], "label 10 of sample 9 is not below 10");

        static TestCaseData Case(string what, string file, Func<byte[], byte[]> damage, string problem) =>
            new TestCaseData(file, damage, problem).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Damages))]
    public void Damage_is_one_sentence_with_the_file_and_the_remedy(string file, Func<byte[], byte[]> damage, string problem)
    {
        _files[file] = damage(_files[file]);
        SmallData.Save(_folder.Path, _files);
        Assert.That(Fail(), Does.StartWith($"{_folder[file]} is damaged: ").And.Contains(problem).And.EndsWith(
            "; run 'data fetch mnist' to download it again."));
    }

    [Test]
    public void Files_that_do_not_go_together_are_refused()
    {
        _files["train-labels-idx1-ubyte"] = SmallData.Idx([19], new byte[19]);
        SmallData.Save(_folder.Path, _files);
        Assert.That(Fail(), Does.StartWith($"{_folder["train-labels-idx1-ubyte"]} has 19 labels for the 20 images of"));

        _files = SmallData.Mnist();
        _files["t10k-images-idx3-ubyte"] = SmallData.Idx([10, 14, 56], new byte[10 * 784]);
        SmallData.Save(_folder.Path, _files);
        Assert.That(Fail(), Does.StartWith($"The images of {_folder["t10k-images-idx3-ubyte"]} are 14x56 and those of"));
    }

    [Test]
    public void A_known_checksum_is_checked_packed_or_not([Values] bool gzipped)
    {
        const string Name = "t10k-images-idx3-ubyte";
        var checksums = new Dictionary<string, FileChecksum>
        {
            [Name] = FileChecksum.Sha256(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(_files[Name]))),
        };
        SmallData.Save(_folder.Path, _files);
        Assert.That(MnistReader.Read(_folder.Path, "mnist", Digits, checksums).Test.Count, Is.EqualTo(10));

        _files[Name][^1] ^= 1;
        SmallData.Save(_folder.Path, gzipped ? [KeyValuePair.Create(Name + ".gz", SmallData.Gzip(_files[Name]))] : _files);
        DataException error = Assert.Throws<DataException>(() => MnistReader.Read(_folder.Path, "mnist", Digits, checksums))!;
        Assert.That(error.Message, Does.Contain("its content is not the published one"));
    }

    private DataSplit Read() => MnistReader.Read(_folder.Path, "mnist", Digits);

    private string Fail() => Assert.Throws<DataException>(() => Read())!.Message;
}
