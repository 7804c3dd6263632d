namespace BoostingTicket.Fuzz;

/// <summary>A folder of the process's own for readers that want a path, in memory where the system has such a folder.</summary>
internal sealed class Scratch : IDisposable
{
    private const string InMemory = "/dev/shm";

    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateDirectory(Path.Combine(
        Directory.Exists(InMemory) ? InMemory : Path.GetTempPath(), $"boosting-ticket-fuzz-{Guid.NewGuid():N}")).FullName;

    /// <summary>A path in it.</summary>
    public string this[params string[] names] => Path.Combine([Folder, .. names]);

    /// <summary>Writes a file and names it.</summary>
    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        string path = Path.Combine(Folder, name);
        // Truncated and filled: a new file each time would cost more than reading it.
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1);
        file.Write(bytes);
        file.SetLength(bytes.Length);
        return path;
    }

    /// <summary>Removes it.</summary>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
