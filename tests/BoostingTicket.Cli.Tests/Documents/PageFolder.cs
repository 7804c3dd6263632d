namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>The folder in which the commands of a page are executed: the current folder, until it is disposed of. Tests that
/// use it must not run beside others.</summary>
internal sealed class PageFolder : IDisposable
{
    private readonly string _before = Directory.GetCurrentDirectory();

    /// <summary>Makes a folder and goes there.</summary>
    /// <param name="examples">A folder with the files that its commands name; null for an empty one.</param>
    public PageFolder(string? examples = null)
    {
        foreach (string file in examples is null ? [] : Directory.GetFiles(examples, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(Root, Path.GetRelativePath(examples!, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        Directory.SetCurrentDirectory(Root);
    }

    /// <summary>Where it is.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("page-").FullName;

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.SetCurrentDirectory(_before);
        Directory.Delete(Root, recursive: true);
    }
}
