using System.Diagnostics.CodeAnalysis;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>A machine that is nothing but a list of files and variables. Loading is noted down and needs no library.</summary>
internal sealed class FakeHost(bool windows = false) : ILibraryHost
{
    private readonly HashSet<string> _files = [];
    private readonly Dictionary<string, string> _variables = [];

    /// <summary>What was loaded, in order.</summary>
    public List<string> Loaded { get; } = [];

    /// <summary>Names that the system's own loader finds.</summary>
    public HashSet<string> SystemNames { get; } = [];

    /// <summary>What the loader says of a file that cannot be loaded, now; null when it can.</summary>
    public Func<string, string?> Problem { get; set; } = _ => null;

    public bool IsWindows => windows;

    public bool IsArm64 { get; set; }

    public string CurrentFolder => windows ? @"C:\work" : "/home/u/project";

    private char Separator => windows ? '\\' : '/';

    public FakeHost With(params string[] files)
    {
        _files.UnionWith(files);
        return this;
    }

    public FakeHost Set(string variable, string value)
    {
        _variables[variable] = value;
        return this;
    }

    public string? Variable(string name) => _variables.GetValueOrDefault(name);

    public bool FileExists(string path) => _files.Contains(path);

    /// <summary>Symbolic links, with what they name.</summary>
    public Dictionary<string, string> Links { get; } = [];

    public string? LinkTarget(string path) => Links.GetValueOrDefault(path);

    public bool FolderExists(string path) => Below(path).Any();

    public IEnumerable<string> FileNames(string folder) =>
        Below(folder).Where(rest => !rest.Contains(Separator, StringComparison.Ordinal));

    public IEnumerable<string> FolderNames(string folder) =>
        Below(folder).Where(rest => rest.Contains(Separator, StringComparison.Ordinal)).Select(
            rest => rest[..rest.IndexOf(Separator, StringComparison.Ordinal)]).Distinct();

    public bool TryLoad(string pathOrName, out nint handle, [NotNullWhen(false)] out string? problem)
    {
        problem = pathOrName.Contains(Separator, StringComparison.Ordinal) || SystemNames.Contains(pathOrName)
            ? Problem(pathOrName)
            : $"{pathOrName}: cannot open shared object file: No such file or directory";
        handle = problem is null ? Loaded.Count + 1 : 0;
        if (problem is null)
            Loaded.Add(pathOrName);
        return problem is null;
    }

    public bool TryExport(nint handle, string name, out nint address)
    {
        address = 0;
        return false;
    }

    private IEnumerable<string> Below(string folder) => _files
        .Where(file => file.StartsWith(folder.TrimEnd(Separator) + Separator, StringComparison.Ordinal))
        .Select(file => file[(folder.TrimEnd(Separator).Length + 1)..]);
}
