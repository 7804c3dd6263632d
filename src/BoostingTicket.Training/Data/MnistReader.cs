namespace BoostingTicket.Training.Data;

/// <summary>
/// Reads MNIST and data sets published in its form, such as Fashion-MNIST: four IDX files in a folder, each gzipped or not.
/// </summary>
internal static class MnistReader
{
    /// <summary>The four files, without <c>.gz</c>: training images and labels, test images and labels.</summary>
    public static IReadOnlyList<string> FileNames { get; } =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    /// <summary>Reads and checks the four files.</summary>
    /// <param name="folder">Where they lie.</param>
    /// <param name="name">The name of the data set.</param>
    /// <param name="classes">The names of its classes; labels must be below their number.</param>
    /// <param name="checksums">
    /// Checksums of the unpacked files by <see cref="FileNames"/>; files not listed are not checked against one.
    /// </param>
    /// <exception cref="DataException">A file is missing, damaged, or does not go with the others.</exception>
    public static DataSplit Read(
        string folder, string name, IReadOnlyList<string> classes, IReadOnlyDictionary<string, FileChecksum>? checksums = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(classes);
        var source = new Source(folder, name, classes, checksums ?? new Dictionary<string, FileChecksum>());
        // All four are looked for before the first is read, so that a missing one is reported at once.
        string[] paths = [.. FileNames.Select(source.Find)];
        ImageSet train = source.Read(paths[0], paths[1]);
        ImageSet test = source.Read(paths[2], paths[3]);
        if (train.Height != test.Height || train.Width != test.Width)
        {
            throw new DataException(
                $"The images of {paths[2]} are {test.Height}x{test.Width} and those of {paths[0]} {train.Height}x{train.Width}; "
                + $"{source.Remedy}.");
        }

        return new DataSplit(train, test);
    }

    private sealed record Source(
        string Folder, string Name, IReadOnlyList<string> Classes, IReadOnlyDictionary<string, FileChecksum> Checksums)
    {
        public string Remedy => $"run 'data fetch {Name}' to download it again";

        public string Find(string fileName) => MnistLayout.Find(Folder, fileName)
            ?? throw MissingData.Error(Name, MnistLayout.Candidates(Folder, fileName), MnistLayout.Misplaced(Folder));

        public ImageSet Read(string imagesPath, string labelsPath)
        {
            IdxFile images = IdxFile.Read(imagesPath, 3, Checksum(imagesPath), Remedy);
            IdxFile labels = IdxFile.Read(labelsPath, 1, Checksum(labelsPath), Remedy);
            if (images.Sizes[0] != labels.Sizes[0])
                throw new DataException(
                    $"{labelsPath} has {labels.Sizes[0]} labels for the {images.Sizes[0]} images of {imagesPath}; {Remedy}.");
            for (int i = 0; i < labels.Values.Length; i++)
            {
                if (labels.Values[i] >= Classes.Count)
                {
                    throw new DataException(
                        $"{labelsPath} is damaged: label {labels.Values[i]} of sample {i} is not below {Classes.Count}; "
                        + $"{Remedy}.");
                }
            }

            return new ImageSet(Name, 1, images.Sizes[1], images.Sizes[2], Classes, images.Values, labels.Values);
        }

        private FileChecksum? Checksum(string path) =>
            Checksums.GetValueOrDefault(Path.GetFileName(path).Replace(".gz", "", StringComparison.Ordinal).Replace(
                ".idx", "-idx", StringComparison.Ordinal));
    }
}
