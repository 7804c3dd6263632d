using System.Collections.Concurrent;

namespace BoostingTicket.Training.Data.Own;

/// <summary>Reads a folder of images by class: <c>CLASS/IMAGE.png</c>, or <c>train/CLASS/IMAGE.png</c> with <c>test/</c> or
/// <c>val/</c> beside it. Classes are numbered by their names. All images have one size; where one of them has colours, grey ones
/// are grey colours.</summary>
internal static class OwnFolder
{
    private const int MostClasses = 256;
    private const int Shown = 5;

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp", ".webp"];
    private static readonly string[] Train = ["train", "training"];
    private static readonly string[] Validation = ["val", "valid", "validation"];
    private static readonly string[] Test = ["test", "testing"];

    /// <summary>Reads a folder.</summary>
    /// <param name="path">The folder; the name of the set too.</param>
    /// <param name="decoder">Reads an image.</param>
    /// <exception cref="FormatException">It cannot be used; the message says why, as a sentence without its end.</exception>
    public static OwnParts Read(string path, IImageDecoder decoder)
    {
        string? train = Part(path, Train);
        string?[] roots = train is null ? [path, null, null] : [train, Part(path, Validation), Part(path, Test)];
        string[] classes = Classes(roots[0]!);
        if (classes.Length is < 2 or > MostClasses)
            throw new FormatException(
                $"{roots[0]} has {classes.Length} folders with images, one a class; a classifier needs from 2 to {MostClasses}");
        (string File, byte Label)[][] files = [.. roots.Select(root => root is null ? [] : FilesOf(root, classes))];
        for (int i = 1; i < roots.Length; i++)
        {
            if (roots[i] is { } empty && files[i].Length == 0)
                throw new FormatException($"{empty} has no images in folders of classes; remove it, or fill it");
        }

        string[] all = [.. files.SelectMany(part => part.Select(image => image.File))];
        DecodedImage[] images = Decode(all, decoder);
        int channels = images.Max(image => image.Channels), plane = images[0].Height * images[0].Width;
        if ((long)images.Length * channels * plane > Array.MaxLength)
            throw new FormatException("its images have 2 GiB of pixels or more; give fewer or smaller ones");

        var sets = new ImageSet?[roots.Length];
        int at = 0;
        for (int i = 0; i < roots.Length; i++)
        {
            if (files[i].Length == 0)
                continue;
            byte[] pixels = GC.AllocateUninitializedArray<byte>(files[i].Length * channels * plane);
            for (int k = 0; k < files[i].Length; k++, at++)
                Place(images[at], pixels.AsSpan(k * channels * plane, channels * plane));
            sets[i] = new ImageSet(
                path, channels, images[0].Height, images[0].Width, classes, pixels, [.. files[i].Select(image => image.Label)]);
        }

        return new OwnParts(sets[0]!, sets[1], sets[2]);
    }

    private static string? Part(string path, string[] names) => Directory.GetDirectories(path).Order(StringComparer.Ordinal)
        .FirstOrDefault(folder => names.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase));

    private static string[] Classes(string root) =>
    [
        .. Directory.GetDirectories(root).Where(folder => Images(folder).Any()).Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal),
    ];

    private static (string File, byte Label)[] FilesOf(string root, string[] classes)
    {
        if (Classes(root).FirstOrDefault(name => !classes.Contains(name)) is { } unknown)
            throw new FormatException(
                $"{Path.Combine(root, unknown)} is a class without training images; add some, or remove it");
        return
        [
            .. classes.SelectMany((name, label) => Directory.Exists(Path.Combine(root, name))
                ? Images(Path.Combine(root, name)).Order(StringComparer.Ordinal).Select(file => (file, (byte)label))
                : []),
        ];
    }

    // Hidden files are what file managers leave behind.
    private static IEnumerable<string> Images(string folder) => Directory.EnumerateFiles(folder).Where(
        file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)
            && !Path.GetFileName(file).StartsWith('.'));

    private static DecodedImage[] Decode(string[] files, IImageDecoder decoder)
    {
        var images = new DecodedImage?[files.Length];
        var wrong = new ConcurrentDictionary<int, string>();
        Parallel.For(0, files.Length, index =>
        {
            try
            {
                DecodedImage image = decoder.Decode(File.ReadAllBytes(files[index]));
                images[index] = image;
                if (image.IsTransparent)
                    wrong[index] = "is transparent";
            }
            catch (InvalidDataException error)
            {
                wrong[index] = $"cannot be read ({error.Message.TrimEnd('.')})";
            }
        });
        DecodedImage? first = images.FirstOrDefault(image => image is not null);
        for (int i = 0; i < images.Length; i++)
        {
            if (images[i] is { } image && (image.Height, image.Width) != (first!.Height, first.Width))
                wrong[i] = $"has {image.Height}x{image.Width} pixels and not {first.Height}x{first.Width}";
        }

        if (wrong.IsEmpty)
            return images!;
        string[] list = [.. wrong.OrderBy(pair => pair.Key).Take(Shown).Select(pair => $"{files[pair.Key]} {pair.Value}")];
        string more = wrong.Count > list.Length ? FormattableString.Invariant($", and {wrong.Count - list.Length} more") : "";
        throw new FormatException(
            $"{string.Join(", ", list)}{more}; all images need one size and no transparency, so change or remove these");
    }

    private static void Place(DecodedImage image, Span<byte> target)
    {
        for (int start = 0; start < target.Length; start += image.Pixels.Length)
            image.Pixels.CopyTo(target[start..]);
    }
}
