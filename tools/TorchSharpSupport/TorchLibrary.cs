using TorchSharp;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>Makes TorchSharp's native library loadable on this machine and sets it up for repeatable work.</summary>
/// <remarks>
/// TorchSharp's <c>libLibTorchSharp.so</c> asks for the symbol version <c>GLIBCXX_3.4.32</c>, which the libstdc++ of Debian 12
/// lacks. Only <c>std::ios_base_library_init</c> carries that version and no relocation refers to it, so the need can
/// be marked as weak and the loader accepts the library. Only the copy beside the program is changed, never the one in the
/// package cache; where libstdc++ has the version (Debian 13, Ubuntu 24.04) the mark has no effect.
/// </remarks>
internal static class TorchLibrary
{
    private const string LibraryName = "libLibTorchSharp.so";
    private const string UnusedVersion = "GLIBCXX_3.4.32";

    /// <summary>Prepares and loads libtorch. Call it before any other use of TorchSharp.</summary>
    /// <param name="threads">Threads that libtorch may use within an operation, at least 1.</param>
    /// <exception cref="InvalidOperationException">The library does use symbols of that version.</exception>
    public static void Load(int threads)
    {
        if (OperatingSystem.IsLinux())
            foreach (string path in Copies())
                WeakenUnusedVersion(path);
        torch.set_num_threads(threads);
    }

    private static IEnumerable<string> Copies()
    {
        string root = AppContext.BaseDirectory;
        string[] candidates =
        [
            Path.Combine(root, LibraryName),
            Path.Combine(root, "runtimes", "linux-x64", "native", LibraryName),
        ];
        return candidates.Where(File.Exists);
    }

    private static void WeakenUnusedVersion(string path)
    {
        byte[] library = File.ReadAllBytes(path);
        var needs = new ElfVersionNeeds(library);
        if (needs.Find(UnusedVersion) is not { } need || need.IsWeak)
            return;
        if (needs.IsUsed(need))
            throw new InvalidOperationException(
                $"{path} uses symbols of {UnusedVersion}: run this with the libstdc++ of Debian 13 or Ubuntu 24.04.");
        need.MarkWeak(library);

        // The timestamp stays, so that the next build does not copy the file again; the rename lets concurrent runs share it.
        DateTime written = File.GetLastWriteTimeUtc(path);
        string temporary = $"{path}.{Environment.ProcessId}";
        File.WriteAllBytes(temporary, library);
        File.SetLastWriteTimeUtc(temporary, written);
        File.Move(temporary, path, overwrite: true);
    }
}
