using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>What one device chose in a folder.</summary>
/// <param name="Ways">Ways by work; see <see cref="DeviceChoices.Made"/>.</param>
/// <param name="Dropped">What was dropped and why.</param>
internal sealed record ChosenWays(IReadOnlyDictionary<string, string> Ways, IReadOnlyList<string> Dropped)
{
    /// <summary>These and others; of two ways for one work this one's.</summary>
    internal ChosenWays With(ChosenWays others)
    {
        var ways = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string work, string way) in others.Ways.Concat(Ways))
            ways[work] = way;
        return new ChosenWays(ways, [.. Dropped.Union(others.Dropped)]);
    }
}

/// <summary>Keeps in a folder what a device chose by measurement: written down as a choice is made, before a result of it is
/// kept, and given back to the next process, so that work that was killed at any instant goes on with the same bits. Folders of
/// version 0.1.0 have no such file; what they hold is continued with choices made anew.</summary>
internal sealed class KeptChoices
{
    private readonly string _path;
    private readonly DeviceChoices _choices;
    private readonly IRunProgress _progress;
    private readonly Action<IReadOnlyList<string>> _tellDropped;
    private readonly SortedDictionary<string, ChosenWays> _devices;

    private KeptChoices(string path, DeviceChoices choices, IRunProgress progress, Action<IReadOnlyList<string>> tellDropped)
    {
        _path = path;
        _choices = choices;
        _progress = progress;
        _tellDropped = tellDropped;
        _devices = Read(path);
    }

    private static SortedDictionary<string, ChosenWays> Read(string path) => File.Exists(path)
        ? new(RunJson.Read<Dictionary<string, ChosenWays>>(StoredFiles.ReadText(path), path), StringComparer.Ordinal)
        : new(StringComparer.Ordinal);

    private ChosenWays Own => _devices.GetValueOrDefault(_choices.Device)
        ?? new ChosenWays(new Dictionary<string, string>(), []);

    /// <summary>Gives a device what the folder holds, and writes down there what it chooses from now on.</summary>
    /// <param name="path">The file.</param>
    /// <param name="choices">The device's; null where nothing is measured, and then nothing is kept.</param>
    /// <param name="progress">Warned, once, of what is dropped.</param>
    /// <param name="tellDropped">Told all that was dropped, each time that there is more, and once at the start if there is
    /// any.</param>
    /// <exception cref="DamagedFileException">The file cannot be read.</exception>
    public static void Attach(
        string path, DeviceChoices? choices, IRunProgress progress, Action<IReadOnlyList<string>> tellDropped)
    {
        if (choices is null)
            return;
        var kept = new KeptChoices(path, choices, progress, tellDropped);
        choices.WhenChanged = null;
        choices.WhenFound = null;
        choices.Restore(kept.Own.Ways);
        if (kept.Own.Dropped.Count > 0)
            tellDropped(kept.Own.Dropped);
        foreach (string finding in choices.Findings)
            kept.Drop(finding);
        if (choices.Made.Count > 0)
            kept.Write();
        choices.WhenChanged = kept.Write;
        choices.WhenFound = kept.Drop;
    }

    // What is not done in this process stays as it is.
    private void Write()
    {
        var ways = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string work, string way) in Own.Ways)
            ways[work] = way;
        foreach ((string work, string way) in _choices.Made)
            ways[work] = way;
        Save(new ChosenWays(ways, Own.Dropped));
    }

    private void Drop(string finding)
    {
        if (Own.Dropped.Contains(finding))
            return;
        _progress.Warn(finding);
        Save(Own with { Dropped = [.. Own.Dropped, finding] });
        _tellDropped(Own.Dropped);
    }

    private void Save(ChosenWays own)
    {
        // Processes that share an experiment add to one file, one after the other.
        using RunLease turn = Await();
        foreach ((string device, ChosenWays others) in Read(_path))
        {
            if (device != _choices.Device)
                _devices[device] = others;
            else
                own = own.With(others);
        }
        _devices[_choices.Device] = own;
        AtomicFile.WriteAllText(_path, RunJson.Write(_devices));
    }

    private RunLease Await()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            return RunLease.Await(_path, LeaseTimes.Usual);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(_path, error);
        }
    }
}
