namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>A kind of place where libraries are looked for.</summary>
/// <param name="Description">What it is, such as <c>LD_LIBRARY_PATH</c>.</param>
/// <param name="Folders">Its folders that exist.</param>
/// <param name="IsSystem">Whether the system's own loader is also asked, by name alone.</param>
/// <param name="IsExplicit">Whether the user named it for this program, so that it wins over newer versions elsewhere.</param>
/// <param name="IsUnset">Whether it is a variable that is not set.</param>
internal sealed record LibraryOrigin(
    string Description, IReadOnlyList<string> Folders, bool IsSystem = false, bool IsExplicit = false, bool IsUnset = false);

/// <summary>The usual places of CUDA's libraries, in the order in which they are searched: what the user names, the system's
/// library path, CUDA toolkits, the system's folders, packages of Python and conda.</summary>
internal sealed class LibraryFolders
{
    /// <summary>Variable that names folders to search first: a folder with libraries, a toolkit, or Python's
    /// site-packages.</summary>
    public const string Variable = "BOOSTING_TICKET_CUDA_PATH";

    /// <summary>Links that are followed; more are a circle.</summary>
    private const int MostLinks = 16;

    private readonly ILibraryHost _host;
    private readonly HashSet<string> _seen;

    private LibraryFolders(ILibraryHost host)
    {
        _host = host;
        _seen = new HashSet<string>(host.IsWindows ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
    }

    /// <summary>The places of a machine.</summary>
    public static IReadOnlyList<LibraryOrigin> Of(ILibraryHost host) => [.. new LibraryFolders(host).Origins()];

    private IEnumerable<LibraryOrigin> Origins()
    {
        yield return new LibraryOrigin(
            Variable,
            Existing(Split(Variable).SelectMany(root => ToolkitFolders(root).Concat(PythonFolders(root)).Concat(NvidiaFolders(
                root)))),
            IsExplicit: true, IsUnset: _host.Variable(Variable) is null);
        string path = _host.IsWindows ? "PATH" : "LD_LIBRARY_PATH";
        yield return new LibraryOrigin(path, Existing(Split(path)), IsUnset: _host.Variable(path) is null);
        yield return new LibraryOrigin(
            "the system's library path", Existing(_host.IsWindows ? [] : SystemFolders()), IsSystem: true);
        foreach (string name in (string[])["CUDA_PATH", "CUDA_HOME"])
        {
            yield return new LibraryOrigin(
                name, Existing(Split(name).SelectMany(ToolkitFolders)), IsUnset: _host.Variable(name) is null);
        }
        yield return new LibraryOrigin(
            _host.IsWindows ? "NVIDIA's folders of Program Files" : "/usr/local/cuda*", Existing(InstalledToolkits()));
        yield return new LibraryOrigin(
            "Python and conda packages", Existing(PythonRoots().SelectMany(PythonFolders).Concat(CondaFolders())));
    }

    private List<string> Existing(IEnumerable<string> folders) =>
        [.. folders.Where(folder => _host.FolderExists(folder) && _seen.Add(folder))];

    private string[] Split(string variable) => _host.Variable(variable)?.Split(
        _host.IsWindows ? ';' : ':', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private string Join(string folder, params string[] parts)
    {
        char separator = _host.IsWindows ? '\\' : '/';
        return parts.Aggregate(folder.TrimEnd('/', separator), (path, part) => path + separator + part);
    }

    private string Parent(string folder)
    {
        string trimmed = folder.TrimEnd('/', '\\');
        int end = trimmed.LastIndexOfAny(_host.IsWindows ? ['/', '\\'] : ['/']);
        return end <= 0 ? trimmed : trimmed[..end];
    }

    // Full paths of a folder's folders that start with a prefix, the newest version first.
    private IEnumerable<string> Matching(string folder, string prefix) => _host.FolderNames(folder)
        .Where(name => name.StartsWith(prefix, _host.IsWindows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal))
        .OrderByDescending(VersionOf).ThenBy(name => name, StringComparer.Ordinal)
        .Select(name => Join(folder, name));

    // cuda-12.6 -> 12.6, v13.0 -> 13.0, python3.11 -> 3.11; a name without a version is whatever the system made the default.
    private static Version VersionOf(string name)
    {
        string digits = new([.. name.SkipWhile(letter => !char.IsAsciiDigit(letter))
            .TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.')]);
        return digits.Length == 0
            ? new Version(int.MaxValue, 0)
            : Version.TryParse(
                digits.Contains('.', StringComparison.Ordinal) ? digits.TrimEnd('.') : $"{digits}.0", out Version? version)
                ? version
                : new Version(0, 0);
    }

    private IEnumerable<string> ToolkitFolders(string root) => _host.IsWindows
        ? [root, Join(root, "bin"), Join(root, "bin", "x64"), .. Matching(Join(root, "bin"), "")]
        : [root, Join(root, "lib64"), Join(root, "lib"), Join(
            root, "targets", _host.IsArm64 ? "sbsa-linux" : "x86_64-linux", "lib")];

    private IEnumerable<string> InstalledToolkits()
    {
        if (!_host.IsWindows)
            return Matching("/usr/local", "cuda").Concat(["/opt/cuda"]).SelectMany(ToolkitFolders);
        string programs = _host.Variable("ProgramFiles") ?? @"C:\Program Files";
        return Matching(Join(programs, "NVIDIA GPU Computing Toolkit", "CUDA"), "v").SelectMany(ToolkitFolders)
            .Concat(Matching(Join(programs, "NVIDIA", "CUDNN"), "v").SelectMany(
                version => ToolkitFolders(version).Concat(Matching(Join(version, "bin"), "").Select(cuda => Join(cuda, "x64")))));
    }

    private IEnumerable<string> SystemFolders()
    {
        string machine = _host.IsArm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        return
        [
            $"/usr/lib/{machine}", $"/lib/{machine}", "/usr/lib64", "/usr/lib", "/usr/local/lib", "/usr/lib/wsl/lib",
            "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/run/opengl-driver/lib",
        ];
    }

    // What NVIDIA's wheels install: nvidia/cublas/lib, nvidia/cudnn/lib, since CUDA 13 nvidia/cu13/lib.
    private IEnumerable<string> NvidiaFolders(string nvidia) => Matching(nvidia, "").SelectMany(
        package => (string[])(_host.IsWindows
            ? [Join(package, "bin"), Join(package, "bin", "x86_64")]
            : [Join(package, "lib")]));

    private IEnumerable<string> PythonFolders(string sitePackages) =>
        NvidiaFolders(Join(sitePackages, "nvidia")).Append(Join(sitePackages, "torch", "lib"));

    private IEnumerable<string> CondaFolders() => Split("CONDA_PREFIX").SelectMany(
        prefix => _host.IsWindows ? [Join(prefix, "Library", "bin"), Join(prefix, "bin")] : ToolkitFolders(prefix));

    // Where a Python on the path is installed. It may be a link into a virtual environment, whose own is a link to the system's:
    // each of them may have packages.
    private IEnumerable<string> Prefixes(string program)
    {
        if (!_host.FileExists(program))
            yield break;
        string? link = program;
        for (int hop = 0; link is not null && hop < MostLinks; hop++)
        {
            yield return Parent(Parent(link));
            link = _host.LinkTarget(link);
        }
    }

    private IEnumerable<string> PythonRoots()
    {
        string? home = _host.Variable(_host.IsWindows ? "USERPROFILE" : "HOME");
        List<string> prefixes = [.. Split("VIRTUAL_ENV"), .. Split("CONDA_PREFIX"), Join(_host.CurrentFolder, ".venv")];
        foreach (string folder in Split("PATH"))
        {
            if (_host.IsWindows && _host.FileExists(Join(folder, "python.exe")))
                prefixes.AddRange([folder, Parent(folder)]);
            else if (!_host.IsWindows)
                prefixes.AddRange(((string[])["python3", "python"]).SelectMany(program => Prefixes(Join(folder, program))));
        }

        if (_host.IsWindows)
        {
            if (_host.Variable("LOCALAPPDATA") is { } local)
                prefixes.AddRange(Matching(Join(local, "Programs", "Python"), "Python3"));
            return Split("PYTHONPATH")
                .Concat(prefixes.Select(prefix => Join(prefix, "Lib", "site-packages")))
                .Concat(_host.Variable("APPDATA") is { } roaming
                    ? Matching(Join(roaming, "Python"), "Python3").Select(python => Join(python, "site-packages"))
                    : []);
        }

        if (home is not null)
        {
            prefixes.Add(Join(home, ".local"));
            prefixes.AddRange(Matching(Join(home, ".pyenv", "versions"), ""));
            prefixes.AddRange([Join(home, "miniconda3"), Join(home, "anaconda3")]);
        }
        prefixes.AddRange(["/usr/local", "/usr", "/opt/conda", "/opt/venv"]);
        return Split("PYTHONPATH").Concat(prefixes.Distinct().SelectMany(prefix => Matching(Join(prefix, "lib"), "python3"))
            .SelectMany(python => (string[])[Join(python, "site-packages"), Join(python, "dist-packages")]));
    }
}
