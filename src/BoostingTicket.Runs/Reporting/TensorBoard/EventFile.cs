using System.Globalization;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Reporting.TensorBoard;

/// <summary>An event file that this process adds to. TensorBoard reads the files of a folder in the order of their names and
/// wants a new one from every process.</summary>
internal sealed class EventFile : IDisposable
{
    private const string Prefix = "events.out.tfevents.";

    private static int _opened;

    private readonly string _path;
    private readonly FileStream _stream;

    /// <summary>Begins a file behind those that a folder holds.</summary>
    /// <param name="folder">The folder; created if missing.</param>
    /// <exception cref="ConfigurationException">It cannot be written.</exception>
    public EventFile(string folder)
    {
        long seconds = Math.Max(
            DateTimeOffset.UtcNow.ToUnixTimeSeconds(), Names(folder).Select(SecondsOf).DefaultIfEmpty(0).Max() + 1);
        string host = string.Concat(Environment.MachineName.Select(
            letter => char.IsAsciiLetterOrDigit(letter) || letter == '-' ? letter : '-'));
        _path = Path.Combine(folder, string.Create(
            CultureInfo.InvariantCulture,
            $"{Prefix}{seconds:D10}.{host}.{Environment.ProcessId}.{Interlocked.Increment(ref _opened)}"));
        try
        {
            Directory.CreateDirectory(folder);
            // A reader may look at it at any time.
            _stream = new FileStream(_path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(_path, error);
        }
    }

    /// <summary>Adds an event.</summary>
    /// <exception cref="ConfigurationException">It cannot be written; the file may end in a part of it, and takes no
    /// more.</exception>
    public void Add(EventMessage message)
    {
        try
        {
            _stream.Write(RecordFormat.Frame(message.ToBytes()));
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(_path, error);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _stream.Dispose();
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            // Nothing is buffered, so that nothing is lost.
        }
    }

    /// <summary>The events in the files of a folder, oldest first, without those that later files took back.</summary>
    /// <exception cref="ConfigurationException">A file cannot be read.</exception>
    public static List<EventMessage> ReadAll(string folder)
    {
        var events = new List<EventMessage>();
        foreach (string name in Names(folder))
        {
            string path = Path.Combine(folder, name);
            try
            {
                foreach (EventMessage message in Read(File.ReadAllBytes(path)))
                {
                    if (message.IsStart)
                        events.RemoveAll(before => before.Step >= message.Step);
                    events.Add(message);
                }
            }
            catch (Exception error) when (StorageErrors.IsStorage(error))
            {
                throw StorageErrors.CannotRead(path, error);
            }
        }
        return events;
    }

    /// <summary>The events at the beginning of a file, up to the first that is torn or damaged.</summary>
    public static IEnumerable<EventMessage> Read(ReadOnlyMemory<byte> file)
    {
        foreach (ReadOnlyMemory<byte> record in RecordFormat.Read(file))
        {
            if (EventMessage.Read(record.Span) is not { } message)
                yield break;
            yield return message;
        }
    }

    /// <summary>Whether a folder holds event files.</summary>
    public static bool Any(string folder) => Names(folder).Any();

    private static IEnumerable<string> Names(string folder)
    {
        try
        {
            return !Directory.Exists(folder) ? [] :
            [
                .. Directory.GetFiles(folder, Prefix + "*").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotRead(folder, error);
        }
    }

    private static long SecondsOf(string name) =>
        long.TryParse(name[Prefix.Length..].Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            && seconds < 9_999_999_999 ? seconds : 0;
}
