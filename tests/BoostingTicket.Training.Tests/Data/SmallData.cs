using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>Makes small files in the published formats.</summary>
internal static class SmallData
{
    public const int CifarRecords = 3;

    /// <summary>An IDX file of bytes.</summary>
    public static byte[] Idx(ReadOnlySpan<int> sizes, byte[] values)
    {
        byte[] header = new byte[4 + 4 * sizes.Length];
        BinaryPrimitives.WriteInt32BigEndian(header, 0x0800 | sizes.Length);
        for (int i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + 4 * i), sizes[i]);
        return [.. header, .. values];
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>Bytes of no meaning that differ with the seed.</summary>
    public static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>The four files of MNIST by name, with 28x28 images: 20 to train on and 10 to test, labels going round.</summary>
    public static Dictionary<string, byte[]> Mnist() => new()
    {
        ["train-images-idx3-ubyte"] = Idx([20, 28, 28], Noise(20 * 784, 1)),
        ["train-labels-idx1-ubyte"] = Idx([20], [.. Enumerable.Range(0, 20).Select(i => (byte)(i % 10))]),
        ["t10k-images-idx3-ubyte"] = Idx([10, 28, 28], Noise(10 * 784, 2)),
        ["t10k-labels-idx1-ubyte"] = Idx([10], [.. Enumerable.Range(0, 10).Select(i => (byte)i)]),
    };

    /// <summary>The six batches of CIFAR-10 by name, with <see cref="CifarRecords"/> records each; sample i has label i %
    /// 10.</summary>
    public static Dictionary<string, byte[]> Cifar()
    {
        var batches = new Dictionary<string, byte[]>();
        int label = 0;
        foreach (string name in CifarReader.BatchNames)
        {
            byte[] batch = Noise(CifarRecords * CifarReader.RecordLength, label + 1);
            for (int i = 0; i < CifarRecords; i++)
                batch[i * CifarReader.RecordLength] = (byte)(label++ % 10);
            batches[name] = batch;
        }

        return batches;
    }

    public static byte[] ClassesFile => Encoding.ASCII.GetBytes(string.Join('\n', CifarReader.Classes) + "\n\n");

    /// <summary>A tar.gz of files in a folder.</summary>
    public static byte[] TarGz(string folder, IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.Directory, folder + "/"));
            foreach ((string name, byte[] content) in files)
                writer.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, $"{folder}/{name}") { DataStream = new MemoryStream(content) });
        }

        return Gzip(tar.ToArray());
    }

    public static void Save(string folder, IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        Directory.CreateDirectory(folder);
        foreach ((string name, byte[] content) in files)
            File.WriteAllBytes(Path.Combine(folder, name), content);
    }
}
