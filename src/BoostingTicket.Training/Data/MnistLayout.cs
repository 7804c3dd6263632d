namespace BoostingTicket.Training.Data;

/// <summary>Where the four files of MNIST and of sets in its form lie under a data folder, and by which names: this program's own
/// layout, and those of torchvision and of the tools that people unpack with.</summary>
internal static class MnistLayout
{
    /// <summary>Folders of MNIST, with <c>/</c> between folders; this program's own first.</summary>
    public static IReadOnlyList<string> Mnist { get; } = ["mnist", "mnist/raw", "MNIST/raw", "MNIST"];

    /// <summary>Folders of Fashion-MNIST.</summary>
    public static IReadOnlyList<string> FashionMnist { get; } =
        ["fashion-mnist", "fashion-mnist/raw", "FashionMNIST/raw", "FashionMNIST"];

    /// <summary>The folder that has all four files, else the first that has one of them, else the program's own.</summary>
    /// <param name="root">The data folder.</param>
    /// <param name="folders">The folders that may have them.</param>
    public static string Choose(string root, IReadOnlyList<string> folders)
    {
        string[] paths = [.. folders.Select(folder => DataRoot.PathOf(root, folder))];
        return paths.FirstOrDefault(path => MnistReader.FileNames.All(name => Find(path, name) is not null))
            ?? paths.FirstOrDefault(path => MnistReader.FileNames.Any(name => Find(path, name) is not null))
            ?? paths[0];
    }

    /// <summary>Whether one of the folders has all four files.</summary>
    public static bool IsThere(string root, IReadOnlyList<string> folders)
    {
        string chosen = Choose(root, folders);
        return MnistReader.FileNames.All(name => Find(chosen, name) is not null);
    }

    /// <summary>Every path that a file may have in a folder, best first.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="fileName">One of <see cref="MnistReader.FileNames"/>.</param>
    public static IReadOnlyList<string> Candidates(string folder, string fileName)
    {
        // The dot is what some tools that unpack the published files put in place of the dash.
        string dotted = fileName.Replace("-idx", ".idx", StringComparison.Ordinal);
        return [.. new[] { fileName + ".gz", fileName, dotted, dotted + ".gz" }.Select(name => Path.Combine(folder, name))];
    }

    /// <summary>The path that a file has in a folder; null if it is not there.</summary>
    public static string? Find(string folder, string fileName) => Candidates(folder, fileName).FirstOrDefault(File.Exists);

    /// <summary>What to say about files that lie in a folder where they are not looked for, since they do not tell which set they
    /// are; null for nothing.</summary>
    /// <param name="folder">The folder that was looked in.</param>
    public static string? Misplaced(string folder)
    {
        string? parent = Path.GetDirectoryName(Path.GetFullPath(folder));
        string? there = parent is null
            ? null
            : MnistReader.FileNames.Select(name => Find(parent, name)).FirstOrDefault(path => path is not null);
        return there is null ? null : $"{there} lies beside that folder: move it in there if it is of this set";
    }
}
