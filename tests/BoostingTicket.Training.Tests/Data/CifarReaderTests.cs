using System.Security.Cryptography;
using System.Text;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

internal class CifarReaderTests
{
    private TemporaryFolder _folder = null!;
    private Dictionary<string, byte[]> _batches = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _batches = SmallData.Cifar();
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    private string Batches => _folder[CifarReader.FolderName];

    private string Archive => _folder[CifarReader.ArchiveName];

    [Test]
    public void Reads_the_folder_and_the_archive_alike([Values] bool archive, [Values] bool classes)
    {
        Save(archive, classes
            ? _batches.Append(KeyValuePair.Create(CifarReader.ClassesFileName, SmallData.ClassesFile))
            : _batches);
        (ImageSet train, ImageSet test) = Read();
        Assert.That(
            (train.Count, train.Channels, train.Height, train.Width), Is.EqualTo((5 * SmallData.CifarRecords, 3, 32, 32)));
        Assert.That(train.Labels, Is.EqualTo(Enumerable.Range(0, 15).Select(i => i % 10)));
        Assert.That(test.Labels, Is.EqualTo(new[] { 5, 6, 7 }));
        Assert.That(train.Sample(4).ToArray(), Is.EqualTo(
            _batches["data_batch_2.bin"][(CifarReader.RecordLength + 1)..(2 * CifarReader.RecordLength)]));
        Assert.That(test.Sample(2).ToArray(), Is.EqualTo(_batches["test_batch.bin"][(2 * CifarReader.RecordLength + 1)..]));
        Assert.That(train.Classes[6], Is.EqualTo("frog"));
    }

    [Test]
    public void A_missing_set_or_batch_names_the_paths_and_the_remedy()
    {
        Assert.That(Fail(), Is.EqualTo(
            $"The data set cifar10 is missing: there is no {Path.Combine(Batches, "data_batch_1.bin")} and no {Archive}; "
            + "run 'data fetch cifar10', or name the folder that has it with dataFolder or BOOSTING_TICKET_DATA."));
        SmallData.Save(Batches, _batches.Where(batch => batch.Key != "data_batch_4.bin"));
        Assert.That(Fail(), Does.Contain($"there is no {Path.Combine(Batches, "data_batch_4.bin")} and no {Archive}"));
        File.WriteAllBytes(Archive, SmallData.TarGz(CifarReader.FolderName, _batches));
        Assert.That(Read().Train.Count, Is.EqualTo(15), "the archive has what the folder lacks");
    }

    private static IEnumerable<TestCaseData> Damages()
    {
        yield return Case(
            "cut off", batch => batch[..^1], "data_batch_3.bin is cut off: it has 9218 bytes and not the 9219 of 3 images");
        yield return Case("too long", batch => [.. batch, 0], "data_batch_3.bin is too long: it has 9220 bytes");
        yield return Case("empty", _ => [], "data_batch_3.bin is cut off: it has 0 bytes");
        yield return Case("label out of range", batch => [.. batch[..CifarReader.RecordLength], 10,
            .. batch[(CifarReader.RecordLength + 1)..]], "label 10 of sample 1 of data_batch_3.bin is not below 10");
        yield return Case("bit-flipped", batch => [.. batch[..^1], (byte)(batch[^1] ^ 1)],
            "the content of data_batch_3.bin is not the published one");

        static TestCaseData Case(string what, Func<byte[], byte[]> damage, string problem) =>
            new TestCaseData(damage, problem).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Damages))]
    public void Damage_is_one_sentence_with_the_file_and_the_remedy(Func<byte[], byte[]> damage, string problem)
    {
        const string Name = "data_batch_3.bin";
        var checksums = new Dictionary<string, FileChecksum>
        {
            [Name] = FileChecksum.Sha256(Convert.ToHexStringLower(SHA256.HashData(_batches[Name]))),
        };
        Save(archive: false, _batches);
        Assert.That(CifarReader.Read(_folder.Path, "cifar10", checksums, SmallData.CifarRecords).Train.Count, Is.EqualTo(15));
        _batches[Name] = damage(_batches[Name]);
        Save(archive: false, _batches);
        Check(Path.Combine(Batches, Name));

        Directory.Delete(Batches, recursive: true);
        Save(archive: true, _batches);
        Check(Archive);

        void Check(string path)
        {
            DataException error = Assert.Throws<DataException>(
                () => CifarReader.Read(_folder.Path, "cifar10", checksums, SmallData.CifarRecords))!;
            Assert.That(error.Message, Does.StartWith($"{path} is damaged: {problem}").And.EndsWith(
                "; run 'data fetch cifar10' to download it again."));
        }
    }

    [Test]
    public void A_damaged_archive_is_one_sentence_wherever_it_is_damaged()
    {
        byte[] archive = SmallData.TarGz(CifarReader.FolderName, _batches);
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] damaged = [.. archive];
            int where = random.Next(10, archive.Length);
            if (i % 2 == 0)
                damaged = damaged[..where];
            else
                damaged[where] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(Archive, damaged);
            Assert.That(Fail(), Does.StartWith($"{Archive} is damaged: ").And.EndWith(
                "run 'data fetch cifar10' to download it again."), $"{(i % 2 == 0 ? "cut" : "flipped")} at {where}");
        }
    }

    [Test]
    public void A_damaged_tar_inside_sound_gzip_is_one_sentence()
    {
        byte[] tar;
        using (var gzip = new System.IO.Compression.GZipStream(new MemoryStream(
            SmallData.TarGz(CifarReader.FolderName, _batches)), System.IO.Compression.CompressionMode.Decompress))
        using (var unpacked = new MemoryStream())
        {
            gzip.CopyTo(unpacked);
            tar = unpacked.ToArray();
        }

        byte[] reference = [.. Read(tar)!.Pixels];
        var random = new Random(2);
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. tar];
            if (i % 3 == 0)
                damaged = damaged[..random.Next(tar.Length)];
            else
                damaged[512 * random.Next(tar.Length / 512) + random.Next(512)] ^= (byte)(1 << random.Next(8));
            // Pixels have no checksum of their own here, and unused header bytes do no harm; anything else must be said in one
            // sentence.
            if (Read(damaged) is { } train)
                Assert.That(train.Pixels, Has.Length.EqualTo(reference.Length));
        }

        ImageSet? Read(byte[] bytes)
        {
            File.WriteAllBytes(Archive, SmallData.Gzip(bytes));
            try
            {
                return this.Read().Train;
            }
            catch (DataException error)
            {
                Assert.That(error.Message, Does.StartWith($"{Archive} is damaged: "));
                return null;
            }
        }
    }

    [Test]
    public void Other_classes_are_refused()
    {
        byte[] other = Encoding.ASCII.GetBytes(string.Join('\n', CifarReader.Classes.Reverse()));
        Save(archive: false, _batches.Append(KeyValuePair.Create(CifarReader.ClassesFileName, other)));
        Assert.That(Fail(), Does.StartWith(
            $"{Path.Combine(Batches, CifarReader.ClassesFileName)} is damaged: batches.meta.txt does not name the ten classes"));
    }

    private void Save(bool archive, IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        if (archive)
            File.WriteAllBytes(Archive, SmallData.TarGz(CifarReader.FolderName, files));
        else
            SmallData.Save(Batches, files);
    }

    private DataSplit Read() => CifarReader.Read(_folder.Path, "cifar10", null, SmallData.CifarRecords);

    private string Fail() => Assert.Throws<DataException>(() => Read())!.Message;
}
