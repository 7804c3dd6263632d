using System.Globalization;
using System.Text;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Folders;

/// <summary>
/// Use of a run folder: by one process alone, or by several that agree on their parts by leases. The lock is an open handle that
/// the operating system closes with the process, however that ends, so a killed run leaves no lock behind; the file itself
/// stays, since deleting it could let two runs each hold a lock on a different file of that name. Where the file system has no
/// locks, a <see cref="RunLease"/> stands in for it.
/// </summary>
internal sealed class RunLock : IDisposable
{
    /// <summary>The name of the file that is held open while the folder is in use.</summary>
    public const string LockFileName = "run.lock";

    /// <summary>The name of the file that says whose process holds the lock (a locked file cannot be read everywhere).</summary>
    public const string OwnerFileName = "run.pid";

    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;

    private readonly FileStream _held;
    private readonly RunLease? _lease;
    private readonly string? _ownerPath;
    private bool _disposed;

    private RunLock(FileStream held, RunLease? lease, string? ownerPath)
    {
        _held = held;
        _lease = lease;
        _ownerPath = ownerPath;
    }

    /// <summary>Takes the folder, creating it if missing; a lock left by a process that has ended is taken over.</summary>
    /// <param name="folder">The run folder.</param>
    /// <returns>The lock, to be disposed of when the run ends.</returns>
    /// <exception cref="ConfigurationException">Another run uses the folder, or it cannot be written to.</exception>
    public static RunLock Acquire(string folder) => Acquire(folder, LeaseTimes.Usual);

    /// <summary>Takes the folder together with other processes that share it, creating it if missing.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The lock, to be disposed of when the work ends.</returns>
    /// <exception cref="ConfigurationException">A run uses the folder alone, or it cannot be written to.</exception>
    public static RunLock Share(string folder) => Acquire(folder, LeaseTimes.Usual, shared: true);

    /// <summary>As <see cref="Acquire(string)"/>, with times of its own for file systems without locks.</summary>
    internal static RunLock Acquire(string folder, LeaseTimes times, bool shared = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string lockPath = Path.Combine(folder, LockFileName);
        string ownerPath = Path.Combine(folder, OwnerFileName);
        FileStream? held = null;
        RunLease? lease = null;
        try
        {
            Directory.CreateDirectory(folder);
            held = Open(lockPath, shared);
            // Where locks do not hold, those who share a folder have the leases of its parts.
            if (!Holds(lockPath) && !shared)
                lease = TakeLease(folder, times);
            if (shared)
                RefuseIfTaken(folder, RunLease.Find(folder, times), times);
            else
                AtomicFile.WriteAllText(ownerPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new RunLock(held, lease, shared ? null : ownerPath);
        }
        catch (Exception error)
        {
            lease?.Dispose();
            held?.Dispose();
            if (!StorageErrors.IsStorage(error))
                throw;
            throw held is null && IsInUse(error)
                ? new ConfigurationException(
                    $"The folder {folder} is in use by another run{Owner(ownerPath)}; wait for it to end or choose another "
                    + $"folder.", error)
                : StorageErrors.CannotWrite(lockPath, error);
        }
    }

    /// <summary>Whether a process uses a folder, as far as can be seen from here. Takes nothing and writes nothing.</summary>
    /// <param name="folder">The run folder.</param>
    public static bool IsHeld(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string lockPath = Path.Combine(folder, LockFileName), leasePath = Path.Combine(folder, RunLease.FileName);
        // Its owner removes the file with its number, so that the lock of a folder at rest is not even tried.
        if (!File.Exists(Path.Combine(folder, OwnerFileName)))
            return false;
        try
        {
            using var tried = new FileStream(lockPath, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            return IsInUse(error);
        }

        return File.Exists(leasePath) && DateTime.UtcNow - File.GetLastWriteTimeUtc(leasePath) < LeaseTimes.Usual.Stale;
    }

    /// <summary>Gives the folder free.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            if (_ownerPath is not null)
                File.Delete(_ownerPath);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            // A stale owner file only ever adds a process number to a message; the lock is the open handle.
        }

        _lease?.Dispose();
        _held.Dispose();
    }

    // A handle that allows others to read is a shared lock.
    private static FileStream Open(string lockPath, bool shared = false) => new(
        lockPath, FileMode.OpenOrCreate, shared ? FileAccess.Read : FileAccess.ReadWrite,
        shared ? FileShare.Read : FileShare.None, bufferSize: 1);

    // .NET passes over file systems that have no locks without a word. A lock that holds refuses a second handle.
    private static bool Holds(string lockPath)
    {
        try
        {
            using FileStream second = Open(lockPath);
            return false;
        }
        catch (IOException error) when (IsInUse(error))
        {
            return true;
        }
    }

    // Whatever else goes wrong, such as a full disk, a name that is too long or a link to itself, is no other run.
    private static bool IsInUse(Exception error) => error is IOException && error.HResult == (
        OperatingSystem.IsWindows() ? WindowsSharingViolation : OperatingSystem.IsMacOS() ? MacWouldBlock : LinuxWouldBlock);

    private static RunLease TakeLease(string folder, LeaseTimes times)
    {
        (RunLease? lease, (LeaseHolder Holder, TimeSpan Age)? taken) = RunLease.Take(folder, times);
        RefuseIfTaken(folder, taken, times);
        return lease!;
    }

    private static void RefuseIfTaken(string folder, (LeaseHolder Holder, TimeSpan Age)? taken, LeaseTimes times)
    {
        if (taken is not var (holder, age))
            return;
        FormattableString message =
            $"""
            The folder {folder} is in use by another run{holder.Named}, which was seen
            {Math.Max(age.TotalSeconds, 0):F0} s ago; wait for it to end, or if it was killed on another machine until
            {times.Stale.TotalSeconds:F0} s have passed, or choose another folder.
            """;
        throw new ConfigurationException(FormattableString.Invariant(message).ReplaceLineEndings(" "));
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
