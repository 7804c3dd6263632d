using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>CIFAR-100 and SVHN in small files of the published formats.</summary>
internal sealed class PublishedReaderTests
{
    private const int Pixels = 3072;

    private TemporaryFolder _folder = null!;

    private DataSetOptions Here => new(_folder.Path);

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void CIFAR_100_has_its_fine_labels_from_a_folder_and_from_the_archive()
    {
        byte[] train = [19, 98, .. SmallData.Noise(Pixels, 1), 3, 7, .. SmallData.Noise(Pixels, 2)];
        byte[] test = [1, 99, .. SmallData.Noise(Pixels, 3)];
        Directory.CreateDirectory(_folder["cifar-100-binary"]);
        File.WriteAllBytes(_folder["cifar-100-binary", "train.bin"], train);
        File.WriteAllBytes(_folder["cifar-100-binary", "test.bin"], test);
        DataSplit split = DataSetCatalog.Load("cifar100", Here);
        Assert.Multiple(() =>
        {
            Assert.That(DataSetCatalog.Find("cifar100").IsThere(_folder.Path));
            Assert.That(split.Train.Labels, Is.EqualTo(new byte[] { 98, 7 }));
            Assert.That(split.Train.Classes[98], Is.EqualTo("woman"));
            Assert.That(split.Train.Sample(1).ToArray(), Is.EqualTo(SmallData.Noise(Pixels, 2)));
            Assert.That(split.Test.Labels, Is.EqualTo(new byte[] { 99 }));
        });

        Directory.Delete(_folder["cifar-100-binary"], recursive: true);
        File.WriteAllBytes(_folder["cifar-100-binary.tar.gz"], SmallData.TarGz(
            "cifar-100-binary", [KeyValuePair.Create("train.bin", train), KeyValuePair.Create("test.bin", test)]));
        Assert.That(DataSetCatalog.Load("cifar100", Here).Train.ContentHash, Is.EqualTo(split.Train.ContentHash));

        File.WriteAllBytes(_folder["cifar-100-binary.tar.gz"], SmallData.TarGz(
            "cifar-100-binary", [KeyValuePair.Create("train.bin", train[..^1])]));
        Assert.That(
            () => DataSetCatalog.Load("cifar100", Here),
            Throws.TypeOf<DataException>().With.Message.Contains("no records of 3074").And.Message.Contains(
                "data fetch cifar100"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void SVHN_is_turned_and_its_label_ten_is_the_digit_0(bool compressed)
    {
        byte[] images = SmallData.Noise(2 * Pixels, 4);
        Directory.CreateDirectory(_folder["svhn"]);
        File.WriteAllBytes(_folder["svhn", "train_32x32.mat"], Mat(compressed, ("X", [32, 32, 3, 2], 9, 2, images),
            ("y", [2, 1], 6, 2, [10, 4])));
        byte[] doubles = [.. BitConverter.GetBytes(1.0), .. BitConverter.GetBytes(9.0)];
        File.WriteAllBytes(_folder["svhn", "test_32x32.mat"], Mat(compressed, ("other", [1, 1], 6, 9, new byte[8]),
            ("X", [32, 32, 3, 2], 9, 2, images), ("y", [2, 1], 6, 9, doubles)));
        DataSplit split = DataSetCatalog.Load("svhn", Here);
        Assert.Multiple(() =>
        {
            Assert.That(split.Train.Labels, Is.EqualTo(new byte[] { 0, 4 }));
            Assert.That(split.Test.Labels, Is.EqualTo(new byte[] { 1, 9 }));
            // Row 5, column 7 of the second channel of the second image: rows are the fastest in the file.
            Assert.That(
                split.Train.Sample(1)[1024 + (5 * 32) + 7], Is.EqualTo(images[Pixels + 1024 + (7 * 32) + 5]));
        });

        byte[] whole = File.ReadAllBytes(_folder["svhn", "train_32x32.mat"]);
        for (int length = 0; length < whole.Length; length += 97)
        {
            File.WriteAllBytes(_folder["svhn", "train_32x32.mat"], whole[..length]);
            Assert.That(() => DataSetCatalog.Load("svhn", Here), Throws.TypeOf<DataException>(), $"cut at {length}");
        }
    }

    [Test]
    public void A_file_without_an_array_says_so()
    {
        using var file = new MemoryStream(Mat(false, ("X", [1, 1], 6, 9, new byte[8])));
        Assert.That(() => MatFile.Read(file, "X", "y"), Throws.TypeOf<FormatException>().With.Message.Contains("'y'"));
    }

    /// <summary>A MAT-file of arrays: name, dimensions, class, type and bytes.</summary>
    internal static byte[] Mat(
        bool compressed, params (string Name, int[] Dimensions, byte Class, int Type, byte[] Bytes)[] arrays)
    {
        var file = new List<byte>(new byte[124]) { 0, 1, (byte)'I', (byte)'M' };
        foreach ((string name, int[] dimensions, byte kind, int type, byte[] bytes) in arrays)
        {
            byte[] sizes = [.. dimensions.SelectMany(BitConverter.GetBytes)];
            byte[] content =
            [
                .. Element(6, [kind, 0, 0, 0, 0, 0, 0, 0]), .. Element(5, sizes),
                // A short name lies in its tag.
                .. name.Length <= 4
                    ? [1, 0, (byte)name.Length, 0, .. Encoding.ASCII.GetBytes(name.PadRight(4, '\0'))]
                    : Element(1, Encoding.ASCII.GetBytes(name)),
                .. Element(type, bytes),
            ];
            byte[] matrix = [.. Tag(14, content.Length), .. content];
            file.AddRange(compressed ? [.. Tag(15, Pack(matrix).Length), .. Pack(matrix)] : matrix);
        }

        return [.. file];
    }

    private static byte[] Element(int type, byte[] bytes) =>
        [.. Tag(type, bytes.Length), .. bytes, .. new byte[-bytes.Length & 7]];

    private static byte[] Tag(int type, int length)
    {
        byte[] tag = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(tag, type);
        BinaryPrimitives.WriteInt32LittleEndian(tag.AsSpan(4), length);
        return tag;
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(bytes);
        return packed.ToArray();
    }
}
