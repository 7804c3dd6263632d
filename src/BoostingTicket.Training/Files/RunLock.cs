using System.Globalization;
using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>
/// Exclusive use of a run folder. The lock is an open handle that the operating system closes with the process, however that
/// ends, so a killed run leaves no lock behind; the file itself stays, since deleting it could let two runs each hold a lock
/// on a different file of that name.
/// </summary>
public sealed class RunLock : IDisposable
{
    /// <summary>The name of the file that is held open while the folder is in use.</summary>
    public const string LockFileName = "run.lock";

    /// <summary>The name of the file that says whose process holds the lock (a locked file cannot be read everywhere).</summary>
    public const string OwnerFileName = "run.pid";

    private readonly FileStream _held;
    private readonly string _ownerPath;
    private bool _disposed;

    private RunLock(FileStream held, string ownerPath)
    {
        _held = held;
        _ownerPath = ownerPath;
    }

    /// <summary>Takes the folder, creating it if missing; a lock left by a process that has ended is taken over.</summary>
    /// <param name="folder">The run folder.</param>
    /// <returns>The lock, to be disposed of when the run ends.</returns>
    /// <exception cref="ConfigurationException">Another run uses the folder, or it cannot be written to.</exception>
    public static RunLock Acquire(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string lockPath = Path.Combine(folder, LockFileName);
        string ownerPath = Path.Combine(folder, OwnerFileName);
        FileStream held;
        try
        {
            Directory.CreateDirectory(folder);
            held = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw error is IOException && IsHeld(lockPath)
                ? new ConfigurationException(
                    $"The folder {folder} is in use by another run{Owner(ownerPath)}; wait for it to end or choose another folder.", error)
                : StorageErrors.CannotWrite(lockPath, error);
        }

        try
        {
            AtomicFile.WriteAllText(ownerPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        }
        catch
        {
            held.Dispose();
            throw;
        }

        return new RunLock(held, ownerPath);
    }

    /// <summary>Gives the folder free.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            File.Delete(_ownerPath);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            // A stale owner file only ever adds a process number to a message; the lock is the open handle.
        }

        _held.Dispose();
    }

    // The failed open already says that the file is held unless it failed for another reason, such as a full disk: then a
    // second, non-creating open for reading alone succeeds or the file is not there.
    private static bool IsHeld(string lockPath)
    {
        try
        {
            using var probe = new FileStream(lockPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
            return false;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string Owner(string ownerPath)
    {
        try
        {
            string text = File.ReadAllText(ownerPath, Encoding.UTF8).Trim();
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? $" (process {pid})" : "";
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            return "";
        }
    }
}
