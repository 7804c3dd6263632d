namespace BoostingTicket.KernelCompiler;

/// <summary>Where NVRTC and ptxas may be.</summary>
public static class NvrtcFolders
{
    /// <summary>Environment variable that names the folder into which <c>tools/get-nvrtc.sh</c> put them, or a folder that holds
    /// NVRTC itself.</summary>
    public const string Variable = "BOOSTING_TICKET_NVRTC";

    /// <summary>The compiler's file.</summary>
    public static string LibraryFile => OperatingSystem.IsWindows() ? "nvrtc64_112_0.dll" : "libnvrtc.so.11.2";

    /// <summary>The file that the compiler loads.</summary>
    public static string BuiltinsFile => OperatingSystem.IsWindows() ? "nvrtc-builtins64_118.dll" : "libnvrtc-builtins.so.11.8";

    /// <summary>The folder that <c>tools/get-nvrtc.sh</c> fills when it is not given another.</summary>
    public static string DefaultFolder(string repository) => Path.Combine(repository, "artifacts", "nvrtc");

    /// <summary>Folders to look into for the compiler, the most particular first.</summary>
    /// <param name="given">The folder, or the library, that the user named; null for none.</param>
    /// <param name="repository">Root of the repository.</param>
    public static IEnumerable<string> Candidates(string? given, string repository)
    {
        if (given is not null)
        {
            string folder = File.Exists(given) ? Path.GetDirectoryName(Path.GetFullPath(given))! : given;
            return [folder, .. Below(folder)];
        }
        string? named = Environment.GetEnvironmentVariable(Variable);
        string? cuda = Environment.GetEnvironmentVariable("CUDA_PATH");
        string[] roots = [
            .. string.IsNullOrEmpty(named) ? Array.Empty<string>() : [named],
            DefaultFolder(repository),
            .. string.IsNullOrEmpty(cuda) ? Array.Empty<string>() : [cuda],
            "/usr/local/cuda-11.8",
            "/usr/local/cuda",
            "/",
        ];
        return roots.SelectMany(root => (IEnumerable<string>)[root, .. Below(root)]);
    }

    /// <summary>The folder that holds the compiler, or null.</summary>
    public static string? Find(string? given, string repository) =>
        Candidates(given, repository).FirstOrDefault(folder =>
            File.Exists(Path.Combine(folder, LibraryFile)) && File.Exists(Path.Combine(folder, BuiltinsFile)));

    /// <summary>PTX's assembler, or null. Takes any version.</summary>
    public static string? FindAssembler(string repository)
    {
        string file = OperatingSystem.IsWindows() ? "ptxas.exe" : "ptxas";
        string? named = Environment.GetEnvironmentVariable(Variable);
        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string[] folders = [
            .. string.IsNullOrEmpty(named) ? Array.Empty<string>() : [named, Path.Combine(named, "usr", "bin")],
            Path.Combine(DefaultFolder(repository), "usr", "bin"),
            .. path,
            "/usr/local/cuda/bin",
        ];
        return folders.Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, file)).FirstOrDefault(
            File.Exists);
    }

    private static IEnumerable<string> Below(string root) =>
        [
            Path.Combine(root, "usr", "lib", "x86_64-linux-gnu"),
            Path.Combine(root, "lib", "x86_64-linux-gnu"),
            Path.Combine(root, "lib64"),
            Path.Combine(root, "lib"),
            Path.Combine(root, "bin"),
        ];
}
