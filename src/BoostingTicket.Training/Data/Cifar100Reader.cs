using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data;

/// <summary>Reads the binary version of CIFAR-100: records of a coarse label, a fine label and 3 x 32 x 32 pixels, from their
/// folder or from the published archive. The fine labels are the classes.</summary>
internal static class Cifar100Reader
{
    /// <summary>The folder of the files.</summary>
    public const string FolderName = "cifar-100-binary";

    /// <summary>The published archive.</summary>
    public const string ArchiveName = "cifar-100-binary.tar.gz";

    private const int Labels = 2, SampleLength = CifarReader.RecordLength - 1, RecordLength = Labels + SampleLength;

    private static readonly string[] Folders = ["", "cifar100", "CIFAR100", "cifar-100"];

    /// <summary>The files: training, then test images.</summary>
    public static IReadOnlyList<string> FileNames { get; } = ["train.bin", "test.bin"];

    /// <summary>The names of the classes, by label.</summary>
    public static IReadOnlyList<string> Classes { get; } =
    [
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy", "bridge",
        "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud",
        "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl",
        "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man",
        "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear",
        "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
        "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel",
        "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor", "train",
        "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
    ];

    /// <summary>Whether the files or the archive are there.</summary>
    /// <param name="root">The data folder.</param>
    public static bool IsThere(string root) => Folder(root) is not null || Archive(root) is not null;

    /// <summary>Reads the set.</summary>
    /// <param name="root">The data folder.</param>
    /// <param name="name">The name of the data set.</param>
    /// <exception cref="DataException">The set is missing or damaged.</exception>
    public static DataSplit Read(string root, string name)
    {
        var parts = new ImageSet?[FileNames.Count];
        string? folder = Folder(root), archive = folder is null ? Archive(root) : null;
        string path = folder ?? archive ?? throw MissingData.Error(
            name, [Path.Combine(root, FolderName, FileNames[0]), Path.Combine(root, ArchiveName)]);
        try
        {
            for (int i = 0; i < parts.Length && folder is not null; i++)
            {
                path = Path.Combine(folder, FileNames[i]);
                using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
                parts[i] = Part(stream, stream.Length, FileNames[i], name);
            }

            if (archive is not null)
                ReadArchive(archive, parts, name);
        }
        catch (Exception error) when (error is FormatException or InvalidDataException or EndOfStreamException)
        {
            throw new DataException(
                $"{path} is damaged: {StorageErrors.Reason(error)}; run 'data fetch {name}' to download it again.", error);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new DataException($"Cannot read {path}: {StorageErrors.Reason(error)}; make it readable.", error);
        }

        return new DataSplit(parts[0]!, parts[1]!);
    }

    private static string? Folder(string root) => Folders.Select(folder => Path.Combine(root, folder, FolderName)).FirstOrDefault(
        path => FileNames.All(name => File.Exists(Path.Combine(path, name))));

    private static string? Archive(string root) => Folders.Select(folder => Path.Combine(root, folder, ArchiveName))
        .SelectMany(path => new[] { path, Path.ChangeExtension(path, null) }).FirstOrDefault(File.Exists);

    private static void ReadArchive(string archive, ImageSet?[] parts, string name)
    {
        using var file = new FileStream(archive, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        using Stream content = PackedFile.Open(file);
        var tar = new TarArchive(content);
        while (tar.MoveNext())
        {
            int part = FileNames.ToList().IndexOf(tar.Name[(tar.Name.LastIndexOf('/') + 1)..]);
            if (part >= 0)
                parts[part] = Part(tar.Content, tar.Length, FileNames[part], name);
        }

        // Past the archive's end mark, for the check of the whole that comes with the last byte.
        tar.ReadToEnd();
        int missing = Array.IndexOf(parts, null);
        if (missing >= 0)
            throw new FormatException($"it has no {FileNames[missing]}");
    }

    /// <summary>Reads the records of a file.</summary>
    /// <exception cref="FormatException">It has no whole records, or a label that there is not.</exception>
    internal static ImageSet Part(Stream stream, long length, string file, string name)
    {
        if (length == 0 || length % RecordLength != 0 || length > Array.MaxLength)
            throw new FormatException($"{file} has {length} bytes, which are no records of {RecordLength}");
        byte[] records = BoundedRead.Bytes(stream, length);
        if (records.Length < length)
            throw new FormatException($"{file} is cut off after {records.Length} bytes");
        int count = records.Length / RecordLength;
        byte[] pixels = GC.AllocateUninitializedArray<byte>(count * SampleLength), labels = new byte[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> record = records.AsSpan(i * RecordLength, RecordLength);
            labels[i] = record[1];
            if (labels[i] >= Classes.Count)
                throw new FormatException($"label {labels[i]} of sample {i} of {file} is not below {Classes.Count}");
            record[Labels..].CopyTo(pixels.AsSpan(i * SampleLength));
        }

        return new ImageSet(name, CifarReader.Channels, CifarReader.Side, CifarReader.Side, Classes, pixels, labels);
    }
}
