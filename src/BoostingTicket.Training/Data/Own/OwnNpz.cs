using System.IO.Compression;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data.Own;

/// <summary>Reads images and labels from a <c>.npz</c> file of NumPy (a zip archive of arrays): images as uint8, or as numbers in
/// [0, 1], which are rounded to 8 bits; rows, columns and channels in the order of NumPy (NHWC) or of PyTorch (NCHW).</summary>
internal static class OwnNpz
{
    private const int MostClasses = 256;
    private const double LargestByte = byte.MaxValue;

    private static readonly string[][] Parts = [["train", "training"], ["val", "valid", "validation"], ["test"]];
    private static readonly string[] ImageNames = ["images", "x", "data"];
    private static readonly string[] LabelNames = ["labels", "y", "label", "targets", "target"];
    private static readonly string[] ClassNames = ["class_names", "classes", "label_names"];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file; the name of the set too.</param>
    /// <exception cref="FormatException">It cannot be used; the message says why, as a sentence without its end.</exception>
    /// <exception cref="InvalidDataException">It is no archive, or damaged.</exception>
    public static OwnParts Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
        var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (ZipArchiveEntry entry in archive.Entries)
            entries.TryAdd(KeyOf(entry), entry);

        (NpyArray Images, NpyArray Labels)?[] parts = [.. Parts.Select(names => PartOf(entries, names))];
        parts[0] ??= Pair(entries, [.. ImageNames, "arr_0"], [.. LabelNames, "arr_1"]);
        if (parts[0] is null)
        {
            string there = string.Join(", ", archive.Entries.Take(10).Select(entry => $"'{PlainText.Name(entry.Name)}'"));
            throw new FormatException(
                $"it has no images and labels by names that are known (it has {there}); call them x_train, y_train, x_test and "
                + "y_test, or images and labels");
        }

        IReadOnlyList<string>? names = ClassNames.Select(entries.GetValueOrDefault).FirstOrDefault(entry => entry is not null)
            is { } found ? Array(found).Texts() : null;
        int classes = CountClasses(parts, names);
        string[] all = names is null
            ? [.. Enumerable.Range(0, classes).Select(label => FormattableString.Invariant($"{label}"))]
            : [.. names];
        ImageSet?[] sets = [.. parts.Select(part => part is { } given ? SetOf(path, given.Images, given.Labels, all) : null)];
        foreach (ImageSet? set in sets)
        {
            if (set is not null && DeviceImages.Shape(set) != DeviceImages.Shape(sets[0]!))
                throw new FormatException(
                    $"its parts have images of {DeviceImages.Shape(sets[0]!)} and of {DeviceImages.Shape(set)}; bring them to "
                    + $"one "
                    + "size");
        }

        return new OwnParts(sets[0]!, sets[1], sets[2]);
    }

    private static string KeyOf(ZipArchiveEntry entry) =>
        Path.GetFileNameWithoutExtension(entry.Name).ToLowerInvariant().Replace('-', '_');

    private static (NpyArray Images, NpyArray Labels)? PartOf(Dictionary<string, ZipArchiveEntry> entries, string[] names)
    {
        foreach (string name in names)
        {
            string[] Of(string[] kinds) => [.. kinds.SelectMany(kind => new[] { $"{name}_{kind}", $"{kind}_{name}" })];
            if (Pair(entries, Of(ImageNames), Of(LabelNames)) is { } pair)
                return pair;
        }

        return null;
    }

    private static (NpyArray Images, NpyArray Labels)? Pair(
        Dictionary<string, ZipArchiveEntry> entries, string[] images, string[] labels)
    {
        string? image = images.FirstOrDefault(entries.ContainsKey), label = labels.FirstOrDefault(entries.ContainsKey);
        if (image is null)
            return null;
        return label is null
            ? throw new FormatException($"it has images '{image}' without labels; add '{labels[0]}'")
            : (Array(entries[image]), Array(entries[label]));
    }

    private static NpyArray Array(ZipArchiveEntry entry)
    {
        try
        {
            using Stream content = entry.Open();
            return NpyArray.Read(content);
        }
        catch (FormatException error)
        {
            throw new FormatException($"its array '{PlainText.Name(entry.Name)}' {error.Message}", error);
        }
    }

    private static int CountClasses((NpyArray Images, NpyArray Labels)?[] parts, IReadOnlyList<string>? names)
    {
        long largest = 0;
        foreach ((NpyArray images, NpyArray labels) in parts.OfType<(NpyArray, NpyArray)>())
        {
            if (!labels.IsWhole)
                throw new FormatException($"its labels are of the type {labels.Type}; save them as whole numbers");
            if (labels.Shape.Count is 0 or > 2 || (labels.Shape.Count == 2 && labels.Shape[1] != 1)
                || images.Shape is not [var count, ..] || labels.Length != count)
            {
                throw new FormatException(
                    $"it has labels of shape {Describe(labels)} for images of shape {Describe(images)}; give one label an image");
            }

            for (int i = 0; i < labels.Length; i++)
            {
                long label = labels.Whole(i);
                if (label < 0 || label >= (names?.Count ?? MostClasses))
                    throw new FormatException(
                        $"label {i} is {label}; labels lie from 0 to {(names?.Count ?? MostClasses) - 1}");
                largest = Math.Max(largest, label);
            }
        }

        int classes = names?.Count ?? (int)largest + 1;
        return classes is >= 2 and <= MostClasses
            ? classes
            : throw new FormatException($"it has {classes} class; a classifier needs from 2 to {MostClasses}");
    }

    private static ImageSet SetOf(string path, NpyArray images, NpyArray labels, string[] classes)
    {
        if (images.Length == 0)
            throw new FormatException("a part has no images");
        (int channels, int height, int width, bool last) = Layout(images);
        byte[] pixels = Pixels(images);
        if (last && channels > 1)
            pixels = ChannelsFirst(pixels, images.Shape[0], channels, height * width);
        byte[] numbers = [.. Enumerable.Range(0, labels.Length).Select(index => (byte)labels.Whole(index))];
        return new ImageSet(path, channels, height, width, classes, pixels, numbers);
    }

    private static (int Channels, int Height, int Width, bool Last) Layout(NpyArray images) => images.Shape switch
    {
        [_, var height, var width] => (1, height, width, false),
        [_, var height, var width, 1 or 3] => (images.Shape[3], height, width, true),
        [_, 1 or 3, var height, var width] => (images.Shape[1], height, width, false),
        [_, _, _, 4] or [_, 4, _, _] => throw new FormatException(
            $"its images of shape {Describe(images)} have an alpha channel; leave that out"),
        _ => throw new FormatException(
            $"its images have the shape {Describe(images)}; give images x rows x columns x channels, or images x channels x rows "
            + $"x "
            + "columns, with 1 or 3 channels"),
    };

    private static byte[] Pixels(NpyArray images)
    {
        if (images.Type == "u1")
            return images.Bytes;
        if (!images.IsReal)
            throw new FormatException($"its images are of the type {images.Type}; save them as uint8, or as float in [0, 1]");
        byte[] pixels = GC.AllocateUninitializedArray<byte>(images.Length);
        for (int i = 0; i < pixels.Length; i++)
        {
            double value = images.Real(i);
            if (!(value >= 0 && value <= 1))
                throw new FormatException(FormattableString.Invariant(
                    $"a pixel of its image {i / (images.Length / images.Shape[0])} is {value}, where floats lie in [0, 1]; ")
                    + "divide them by 255, or save uint8");
            pixels[i] = (byte)Math.Round(value * LargestByte);
        }

        return pixels;
    }

    private static byte[] ChannelsFirst(byte[] pixels, int count, int channels, int plane)
    {
        byte[] turned = GC.AllocateUninitializedArray<byte>(pixels.Length);
        for (int image = 0; image < count; image++)
        {
            int start = image * channels * plane;
            for (int pixel = 0; pixel < plane; pixel++)
            {
                for (int channel = 0; channel < channels; channel++)
                    turned[start + (channel * plane) + pixel] = pixels[start + (pixel * channels) + channel];
            }
        }

        return turned;
    }

    private static string Describe(NpyArray array) => $"({string.Join(", ", array.Shape)})";
}
