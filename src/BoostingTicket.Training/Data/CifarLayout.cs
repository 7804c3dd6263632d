namespace BoostingTicket.Training.Data;

/// <summary>Where CIFAR-10 lies under a data folder.</summary>
internal static class CifarLayout
{
    private const string PythonFolder = "cifar-10-batches-py";
    private const string PythonArchive = "cifar-10-python.tar.gz";

    // The set itself, and one folder deeper.
    private static readonly string[] Folders = ["", "cifar10", "CIFAR10", "cifar-10"];

    /// <summary>The folder of the batches: the first that has all of them, else the one that is there, else this program's
    /// own.</summary>
    public static string Folder(string root)
    {
        string[] paths = [.. Folders.Select(folder => Path.Combine(root, folder, CifarReader.FolderName))];
        return paths.FirstOrDefault(path => CifarReader.BatchNames.All(name => File.Exists(Path.Combine(path, name))))
            ?? paths.FirstOrDefault(Directory.Exists) ?? paths[0];
    }

    /// <summary>Whether the batches or the archive are there.</summary>
    public static bool IsThere(string root)
    {
        string folder = Folder(root);
        return File.Exists(Archive(root)) || CifarReader.BatchNames.All(name => File.Exists(Path.Combine(folder, name)));
    }

    /// <summary>The archive, or its published place.</summary>
    public static string Archive(string root)
    {
        // An unpacked archive keeps its tar.
        string[] names = [CifarReader.ArchiveName, Path.ChangeExtension(CifarReader.ArchiveName, null)];
        string[] paths = [.. from folder in Folders from name in names select Path.Combine(root, folder, name)];
        return paths.FirstOrDefault(File.Exists) ?? paths[0];
    }

    /// <summary>What to say where the version for Python lies instead; null where it does not.</summary>
    public static string? PythonVersion(string root) => Folders
        .SelectMany(folder => new[] { PythonFolder, PythonArchive }.Select(name => Path.Combine(root, folder, name)))
        .FirstOrDefault(path => Directory.Exists(path) || File.Exists(path)) is { } found
            ? $"{found} is the version for Python, which is not read here: the binary version is needed"
            : null;

    /// <summary>Makes sure that an archive's entry is not of the version for Python.</summary>
    /// <exception cref="DataException">It is.</exception>
    public static void RequireBinary(string entry, string archive)
    {
        if (entry.StartsWith(PythonFolder, StringComparison.Ordinal))
            throw new DataException(
                $"{archive} is CIFAR-10's version for Python, which is not read here; delete it and run 'data fetch cifar10' "
                + "for the binary version.");
    }
}
