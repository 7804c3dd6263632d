using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data;

/// <summary>Reads SVHN's cropped digits (Netzer et al., 2011): the published MAT-files, in the data folder or in a folder
/// <c>svhn</c> or <c>SVHN</c> of it.</summary>
internal static class SvhnReader
{
    /// <summary>The files: training, then test images.</summary>
    public static IReadOnlyList<string> FileNames { get; } = ["train_32x32.mat", "test_32x32.mat"];

    private const int Side = 32, Channels = 3, Plane = Side * Side;

    private static readonly string[] Folders = ["svhn", "SVHN", ""];

    /// <summary>Whether both files are there.</summary>
    /// <param name="root">The data folder.</param>
    public static bool IsThere(string root) => FileNames.All(name => Find(root, name) is not null);

    /// <summary>Reads the set.</summary>
    /// <param name="root">The data folder.</param>
    /// <param name="name">The name of the data set.</param>
    /// <param name="classes">The digits.</param>
    /// <exception cref="DataException">The set is missing or damaged.</exception>
    public static DataSplit Read(string root, string name, IReadOnlyList<string> classes) =>
        new(Part(root, FileNames[0], name, classes), Part(root, FileNames[1], name, classes));

    private static string? Find(string root, string file) =>
        Folders.Select(folder => Path.Combine(root, folder, file)).FirstOrDefault(File.Exists);

    private static ImageSet Part(string root, string file, string name, IReadOnlyList<string> classes)
    {
        string path = Find(root, file) ?? throw MissingData.Error(name, [Path.Combine(root, Folders[0], file)]);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            return Convert(stream, name, classes);
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
    }

    /// <summary>The images and labels of a file: <c>X</c>, rows x columns x channels x images, and <c>y</c>, in which 10 stands
    /// for the digit 0.</summary>
    /// <exception cref="FormatException">They are not such.</exception>
    internal static ImageSet Convert(Stream stream, string name, IReadOnlyList<string> classes)
    {
        const int Byte = 2, Double = 9;
        IReadOnlyDictionary<string, MatArray> arrays = MatFile.Read(stream, "X", "y");
        MatArray images = arrays["X"], labels = arrays["y"];
        if (images is not { Type: Byte, Dimensions: [Side, Side, Channels, var count] })
            throw new FormatException("its X is not of images of 32x32 in three colours");
        if (labels.Type is not (Byte or Double) || labels.Bytes.Length / (labels.Type == Double ? sizeof(double) : 1) != count)
            throw new FormatException($"its y is not of {count} labels");
        byte[] pixels = GC.AllocateUninitializedArray<byte>(images.Bytes.Length), numbers = new byte[count];
        for (int i = 0; i < count; i++)
        {
            double label = labels.Type == Double
                ? BitConverter.ToDouble(labels.Bytes, i * sizeof(double))
                : labels.Bytes[i];
            if (label is not (>= 0 and <= 10) || label != Math.Floor(label))
                throw new FormatException($"label {i} is {label}");
            numbers[i] = (byte)((int)label % 10);
            for (int channel = 0; channel < Channels; channel++)
            {
                int start = ((i * Channels) + channel) * Plane;
                for (int pixel = 0; pixel < Plane; pixel++)
                    pixels[start + (pixel % Side * Side) + (pixel / Side)] = images.Bytes[start + pixel];
            }
        }

        return new ImageSet(name, Channels, Side, Side, classes, pixels, numbers);
    }
}
