using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Folders;

/// <summary>
/// Exclusive use of a folder on a file system without locks (Lustre mounted without <c>flock</c>, some NFS), and of a file for a
/// moment on any: a file that is created exclusively, says who holds it, and is written again every few seconds. A lease whose
/// holder has ended, or that was not renewed for longer than <see cref="LeaseTimes.Stale"/>, is taken over. Ages are read by the
/// file system's own clock, so that those of the machines need not agree.
/// </summary>
internal sealed class RunLease : IDisposable
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "run.lease";

    /// <summary>What is added to the name of a file for the name of its lease.</summary>
    public const string FileSuffix = ".lease";

    private const string TurnSuffix = ".turn";
    private const int UnixFileExists = 17;
    private const int WindowsFileExists = unchecked((int)0x80070050);

    // What .NET says of a file that is gone.
    private static readonly DateTime Missing = DateTime.FromFileTimeUtc(0);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly string _path;
    private readonly LeaseHolder _holder;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private bool _ended;

    private RunLease(string path, LeaseHolder holder, LeaseTimes times)
    {
        (_path, _holder) = (path, holder);
        _timer = new Timer(_ => Renew(), null, times.Renewal, times.Renewal);
    }

    /// <summary>Takes the lease of a folder.</summary>
    /// <param name="folder">The folder, which exists.</param>
    /// <param name="times">How often it is renewed, and when it is given up for lost.</param>
    /// <returns>The lease, and null; or null, and whose it is with its age.</returns>
    /// <exception cref="IOException">The file system answered with an error.</exception>
    public static (RunLease? Lease, (LeaseHolder Holder, TimeSpan Age)? Taken) Take(string folder, LeaseTimes times) =>
        Take(folder, FileName, times);

    /// <summary>Waits until a file's lease is free, and takes it: for what a process does to the file in a moment, and no two may
    /// do at once.</summary>
    /// <param name="file">The file, whose folder exists; the lease is its name with <see cref="FileSuffix"/>.</param>
    /// <param name="times">How often it is renewed, and when it is given up for lost.</param>
    /// <exception cref="IOException">The file system answered with an error.</exception>
    public static RunLease Await(string file, LeaseTimes times)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!, name = Path.GetFileName(file) + FileSuffix;
        while (true)
        {
            if (Take(folder, name, times).Lease is { } lease)
                return lease;
            Thread.Sleep(Pause);
        }
    }

    private static (RunLease? Lease, (LeaseHolder Holder, TimeSpan Age)? Taken) Take(
        string folder, string name, LeaseTimes times)
    {
        string path = Path.Combine(folder, name);
        LeaseHolder mine = LeaseHolder.OfThisProcess();
        while (true)
        {
            if (TryCreate(path, mine))
                return (new RunLease(path, mine, times), null);
            if (Read(path) is not { } held)
                continue;
            if (AgeOf(path, folder, mine) is not { } age)
                continue;
            if (age < times.Stale && !held.HasEnded())
                return (null, (held, age));
            Remove(path, folder, held, mine, times);
        }
    }

    /// <summary>Who holds the lease of a folder; null if nobody does.</summary>
    /// <param name="folder">The folder, which exists.</param>
    /// <param name="times">When a lease is given up for lost.</param>
    /// <exception cref="IOException">The file system answered with an error.</exception>
    public static (LeaseHolder Holder, TimeSpan Age)? Find(string folder, LeaseTimes times)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path) || Read(path) is not { } held || AgeOf(path, folder, LeaseHolder.OfThisProcess()) is not { } age)
            return null;
        return age < times.Stale && !held.HasEnded() ? (held, age) : null;
    }

    /// <summary>Gives the folder free.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            if (_ended)
                return;
            _ended = true;
            try
            {
                if (Read(_path)?.Token == _holder.Token)
                    File.Delete(_path);
            }
            catch (Exception error) when (StorageErrors.IsStorage(error))
            {
                // It will be found stale.
            }
        }
    }

    /// <summary>Says that it is still held, unless another process has taken it over. A timer does so.</summary>
    internal void Renew()
    {
        lock (_lock)
        {
            if (_ended)
                return;
            try
            {
                // Written in place, since a rename would put back a lease that another process has taken over meanwhile.
                using FileStream file = Open(_path, FileMode.Open, FileAccess.ReadWrite);
                if (Parse(file)?.Token != _holder.Token)
                {
                    _ended = true;
                    return;
                }
                file.Position = 0;
                file.Write(_holder.ToBytes());
                file.Flush(flushToDisk: true);
            }
            catch (FileNotFoundException)
            {
                _ended = true;
            }
            catch (Exception error) when (StorageErrors.IsStorage(error))
            {
                // Tried again at the next beat, of which several fit into the time after which the lease is stale.
            }
        }
    }

    private static bool TryCreate(string path, LeaseHolder holder)
    {
        FileStream file;
        try
        {
            file = Open(path, FileMode.CreateNew, FileAccess.Write);
        }
        catch (IOException error) when (Exists(error))
        {
            return false;
        }

        try
        {
            using (file)
            {
                file.Write(holder.ToBytes());
                file.Flush(flushToDisk: true);
            }

            return true;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private static bool Exists(IOException error) =>
        error.HResult == (OperatingSystem.IsWindows() ? WindowsFileExists : UnixFileExists);

    // Of several that find it stale, one at a time looks again and removes it; who comes later finds the new one.
    private static void Remove(string path, string folder, LeaseHolder stale, LeaseHolder mine, LeaseTimes times)
    {
        string turn = path + TurnSuffix;
        if (!TryCreate(turn, mine))
        {
            if (Read(turn) is { } other && (other.HasEnded() || AgeOf(turn, folder, mine) >= times.Stale))
                File.Delete(turn);
            else
                Thread.Sleep(Pause);
            return;
        }

        try
        {
            if (Read(path)?.Token == stale.Token && (stale.HasEnded() || AgeOf(path, folder, mine) >= times.Stale))
                File.Delete(path);
        }
        finally
        {
            File.Delete(turn);
        }
    }

    private static TimeSpan? AgeOf(string path, string folder, LeaseHolder mine)
    {
        string probe = Path.Combine(folder, $"{FileName}.{mine.Token}.now");
        try
        {
            File.WriteAllText(probe, "");
            DateTime written = File.GetLastWriteTimeUtc(path);
            return written == Missing ? null : File.GetLastWriteTimeUtc(probe) - written;
        }
        finally
        {
            File.Delete(probe);
        }
    }

    private static FileStream Open(string path, FileMode mode, FileAccess access) =>
        new(path, mode, access, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);

    // Null where it is gone. One that was created but not written yet has a holder without name.
    private static LeaseHolder? Read(string path)
    {
        try
        {
            using FileStream file = Open(path, FileMode.Open, FileAccess.Read);
            return Parse(file) ?? LeaseHolder.Unknown;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static LeaseHolder? Parse(FileStream file)
    {
        byte[] bytes = new byte[LeaseHolder.MostBytes];
        int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return LeaseHolder.Parse(bytes.AsSpan(0, length));
    }
}

/// <summary>Times of a lease.</summary>
/// <param name="Renewal">Between two renewals.</param>
/// <param name="Stale">Age from which on it is taken over.</param>
internal sealed record LeaseTimes(TimeSpan Renewal, TimeSpan Stale)
{
    /// <summary>Seconds that survive the caches of network file systems.</summary>
    public static LeaseTimes Usual { get; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));
}

/// <summary>The holder of a lease.</summary>
/// <param name="Host">Name of the machine.</param>
/// <param name="Machine">What tells this start of the machine, and its set of processes, from others; empty where that is not
/// known.</param>
/// <param name="Process">Number of the process.</param>
/// <param name="Started">When the process started, in the system's own units.</param>
/// <param name="Token">Drawn again for every lease.</param>
internal sealed record LeaseHolder(string Host, string Machine, int Process, string Started, string Token)
{
    /// <summary>The process for people, with a space before; nothing where it is not known.</summary>
    [JsonIgnore]
    public string Named => Process == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" (process {Process} on {Host})");

    /// <summary>Bytes that a holder takes at most.</summary>
    public const int MostBytes = 2048;

    /// <summary>The holder of a lease that says nothing.</summary>
    public static LeaseHolder Unknown { get; } = new("", "", 0, "", "");

    /// <summary>This process.</summary>
    public static LeaseHolder OfThisProcess() => new(
        Environment.MachineName, LocalProcess.Machine, Environment.ProcessId,
        LocalProcess.StartOf(Environment.ProcessId) ?? "", Guid.NewGuid().ToString("N"));

    /// <summary>The content of the file: one JSON object, always of the same length.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>Reads the content of a file; null if it holds none.</summary>
    public static LeaseHolder? Parse(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize<LeaseHolder>(content) is { Token.Length: > 0 } holder ? holder : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether the process is known to have ended: it ran on this machine, and is no more.</summary>
    public bool HasEnded() => Host == Environment.MachineName && LocalProcess.HasEnded(Machine, Process, Started);
}
