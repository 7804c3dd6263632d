using System.IO.Compression;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>The published sets themselves; skipped where the machine does not have them.</summary>
internal class RealDataTests
{
    private static string Root(string folder)
    {
        string? root = Environment.GetEnvironmentVariable(DataRoot.EnvironmentVariable);
        if (string.IsNullOrEmpty(root) || !Directory.Exists(Path.Combine(root, folder)))
            Assert.Ignore($"{DataRoot.EnvironmentVariable} names no folder with {folder}");
        return root!;
    }

    [Test]
    public void Mnist_is_the_published_one()
    {
        string root = Root("mnist");
        (ImageSet train, ImageSet test) = DataSetCatalog.Load("mnist", new DataSetOptions(root));
        Assert.That((train.Count, test.Count), Is.EqualTo((60_000, 10_000)));
        Assert.That(Histogram(train), Is.EqualTo(new[] { 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949 }));
        Assert.That(Histogram(test), Is.EqualTo(new[] { 980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009 }));
        (double mean, double deviation) = Moments(train, 0);
        // The mean and standard deviation that the field quotes.
        Assert.That(mean, Is.EqualTo(0.1307).Within(0.00005));
        Assert.That(deviation, Is.EqualTo(0.3081).Within(0.00005));
        DataVerifier.Require(DataSetCatalog.Find("mnist"), root);
    }

    [Test]
    public void Cifar10_is_the_published_one()
    {
        string root = Root(CifarReader.FolderName);
        (ImageSet train, ImageSet test) = DataSetCatalog.Load("cifar10", new DataSetOptions(root));
        Assert.That((train.Count, test.Count), Is.EqualTo((50_000, 10_000)));
        Assert.That(Histogram(train), Is.All.EqualTo(5000));
        Assert.That(Histogram(test), Is.All.EqualTo(1000));
        double[] means = [0.4914, 0.4822, 0.4465], deviations = [0.2470, 0.2435, 0.2616];
        for (int channel = 0; channel < 3; channel++)
        {
            (double mean, double deviation) = Moments(train, channel);
            Assert.That(mean, Is.EqualTo(means[channel]).Within(0.0001), $"mean of channel {channel}");
            Assert.That(deviation, Is.EqualTo(deviations[channel]).Within(0.0001), $"deviation of channel {channel}");
        }

        DataVerifier.Require(DataSetCatalog.Find("cifar10"), root);
    }

    [Test]
    public void A_flipped_bit_in_the_real_sets_is_noticed()
    {
        string root = Root("mnist");
        using var copy = new TemporaryFolder();
        Directory.CreateDirectory(copy["mnist"]);
        foreach (string file in Directory.GetFiles(Path.Combine(root, "mnist")))
        {
            File.Copy(file, copy["mnist", Path.GetFileName(file)]);
            File.SetAttributes(copy["mnist", Path.GetFileName(file)], FileAttributes.Normal);
        }

        const string Name = "t10k-images-idx3-ubyte";
        string packed = copy["mnist", Name + ".gz"], unpacked = copy["mnist", Name];
        using (var gzip = new GZipStream(File.OpenRead(packed), CompressionMode.Decompress))
        using (FileStream output = File.Create(unpacked))
            gzip.CopyTo(output);
        File.Delete(packed);
        Assert.That(DataSetCatalog.Load("mnist", new DataSetOptions(copy.Path)).Test.Count, Is.EqualTo(10_000));

        byte[] bytes = File.ReadAllBytes(unpacked);
        bytes[4_000_000] ^= 1;
        File.WriteAllBytes(unpacked, bytes);
        Assert.That(
            () => DataSetCatalog.Load("mnist", new DataSetOptions(copy.Path)),
            Throws.TypeOf<DataException>().With.Message.EqualTo(
                $"{unpacked} is damaged: its content is not the published one; run 'data fetch mnist' to download it again."));
    }

    private static int[] Histogram(ImageSet set)
    {
        int[] counts = new int[set.Classes.Count];
        foreach (byte label in set.Labels)
            counts[label]++;
        return counts;
    }

    private static (double Mean, double Deviation) Moments(ImageSet set, int channel)
    {
        int pixels = set.Height * set.Width;
        double sum = 0, squares = 0;
        for (int i = 0; i < set.Count; i++)
        {
            foreach (byte pixel in set.Sample(i).Slice(channel * pixels, pixels))
            {
                sum += pixel;
                squares += (double)pixel * pixel;
            }
        }

        double count = (double)set.Count * pixels, mean = sum / count;
        return (mean / 255, Math.Sqrt(squares / count - mean * mean) / 255);
    }
}
