namespace BoostingTicket.Training.Files;

/// <summary>Tries the name of a file that the user gave before the work whose result it will receive.</summary>
internal static class OutputPath
{
    private const int Block = 4096;

    private static readonly string[] DeviceFolders = ["/dev", "/dev/fd", "/dev/pts", "/proc", "/sys"];

    /// <summary>Makes sure that a file can be written under a name: that it names no folder and no device, that nothing is there
    /// which would be lost, and that a block can be written beside it. Leaves nothing behind, and an existing file as it
    /// is.</summary>
    /// <param name="option">What errors call the input that gave the name.</param>
    /// <param name="path">The name.</param>
    /// <param name="overwrite">Whether an existing file may be replaced.</param>
    /// <exception cref="ConfigurationException">It cannot be written there, or it exists and may not be replaced.</exception>
    public static void RequireFile(string option, string path, bool overwrite)
    {
        if (string.IsNullOrEmpty(path))
            throw new ConfigurationException($"{option} needs the name of a file; give one, or leave {option} out.");
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target) ?? target;
        if (Directory.Exists(target) || Path.EndsInDirectorySeparator(path))
            throw new ConfigurationException($"{option} names the folder {path}; name a file.");
        bool device = DeviceFolders.Contains(folder) || folder.StartsWith("/proc/", StringComparison.Ordinal);
        if (device && !OperatingSystem.IsWindows())
            throw new ConfigurationException($"{option} names the device {path}; name a file.");
        if (File.Exists(target) && !overwrite)
            throw new ConfigurationException(
                $"There is a file {path} already; name another with {option}, or add {Setting.Named("force")} to replace it.");
        Try(option, path, target, folder);
    }

    private static void Try(string option, string path, string target, string folder)
    {
        var created = new List<string>();
        string? missing = folder;
        for (; missing is not null && !Directory.Exists(missing); missing = Path.GetDirectoryName(missing))
            created.Add(missing);
        try
        {
            Directory.CreateDirectory(folder);
            // As the file will be while it is written.
            using var probe = new FileStream(
                TemporaryName.For(target), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1,
                FileOptions.DeleteOnClose);
            probe.Write(new byte[Block]);
            probe.Flush(flushToDisk: true);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new ConfigurationException($"{option}: {StorageErrors.CannotWrite(path, error).Wording}", error);
        }
        finally
        {
            foreach (string made in created)
                DeleteIfEmpty(made);
        }
    }

    private static void DeleteIfEmpty(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            // Somebody else has put something into it.
        }
    }
}
