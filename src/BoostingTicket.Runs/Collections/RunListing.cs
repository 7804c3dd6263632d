using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Sweeps;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Collections;

/// <summary>Finds the runs, trainings, evaluations and experiments under a folder. Whatever cannot be read is a line that says
/// so.</summary>
internal static class RunListing
{
    private const int MostLevels = 8;

    private const string ExperimentFile = "experiment.json", Seeds = "seed-";

    /// <summary>Lists them, oldest first.</summary>
    /// <param name="root">The folder; it may be a run itself.</param>
    /// <exception cref="ConfigurationException">There is no such folder.</exception>
    public static IReadOnlyList<RunEntry> List(string root)
    {
        if (!Directory.Exists(root))
            throw new ConfigurationException($"There is no folder {root}; name one that holds runs.");
        var entries = new List<RunEntry>();
        Walk(Path.GetFullPath(root), ".", 0, entries);
        return [.. entries.OrderBy(entry => entry.Date).ThenBy(entry => entry.Folder, StringComparer.Ordinal)];
    }

    private static void Walk(string folder, string name, int level, List<RunEntry> entries)
    {
        try
        {
            if (File.Exists(Path.Combine(folder, ExperimentFile)))
                entries.Add(Experiment(folder, name));
            else if (File.Exists(Path.Combine(folder, SweepRun.FileName)))
                entries.Add(Sweep(folder, name));
            else if (IsRun(folder))
                entries.AddRange(RunEntry.Of(RunReader.Read(folder), name));
            else if (level < MostLevels)
            {
                // The parts that experiments share are no runs of their own.
                string store = new ExperimentFolder(folder, name).Store;
                foreach (DirectoryInfo inner in new DirectoryInfo(folder).EnumerateDirectories())
                {
                    if (inner.FullName != store && inner.LinkTarget is null)
                        Walk(inner.FullName, name == "." ? inner.Name : Path.Combine(name, inner.Name), level + 1, entries);
                }
            }
        }
        catch (Exception error) when (error is BoostingTicketException || StorageErrors.IsStorage(error))
        {
            entries.Add(Broken(folder, name, error));
        }
    }

    // A folder without settings is a run too where it has what only runs have.
    private static bool IsRun(string folder)
    {
        var files = new RunFolder(folder);
        return File.Exists(files.Configuration) || File.Exists(files.Command)
            || Directory.EnumerateDirectories(folder, Seeds + "*").Any(
                seed => ulong.TryParse(Path.GetFileName(seed)[Seeds.Length..], out _));
    }

    private static RunEntry Experiment(string folder, string name)
    {
        string own = Path.GetFileName(folder), root = Path.GetDirectoryName(folder) ?? folder;
        var files = new ExperimentFolder(root, own);
        bool finished = File.Exists(files.Result);
        ExperimentConfiguration configuration =
            RunJson.Read<ExperimentConfiguration>(StoredFiles.ReadText(files.Configuration), files.Configuration);
        double? seconds = finished
            ? RunJson.Read<ExperimentResult>(StoredFiles.ReadText(files.Result), files.Result).Trainings.Sum(
                training => training.Record.Seconds)
            : null;
        return new RunEntry(
            name, $"{ExperimentRun.Command} {configuration.Experiment}",
            finished ? RunState.Finished : RunLock.IsHeld(root) ? RunState.Running : RunState.Interrupted,
            configuration.Model, configuration.Base.Data.Name, null, null, configuration.Base.Seeds, null, null, null, seconds,
            new DateTimeOffset(File.GetLastWriteTimeUtc(finished ? files.Result : files.Configuration)), null);
    }

    private static RunEntry Sweep(string folder, string name)
    {
        string own = Path.GetFileName(folder), root = Path.GetDirectoryName(folder) ?? folder;
        var files = new ExperimentFolder(root, own);
        string asked = SweepRun.SweepFile(files);
        bool finished = File.Exists(files.Result);
        SweepConfiguration configuration = RunJson.Read<SweepConfiguration>(StoredFiles.ReadText(asked), asked);
        double? seconds = finished
            ? RunJson.Read<SweepResult>(StoredFiles.ReadText(files.Result), files.Result).Trainings.Sum(
                training => training.Record.Seconds)
            : null;
        return new RunEntry(
            name, $"{SweepRun.Command} {string.Join(' ', configuration.Options.Select(option => option.Name))}",
            finished ? RunState.Finished : RunLock.IsHeld(root) ? RunState.Running : RunState.Interrupted,
            configuration.Base.Model, configuration.Base.Data.Name, configuration.Base.Retrain.Method, null,
            configuration.Base.Seeds, null, null, null, seconds,
            new DateTimeOffset(File.GetLastWriteTimeUtc(finished ? files.Result : asked)), null);
    }

    private static RunEntry Broken(string folder, string name, Exception error) => new(
        name, null, RunState.Broken, null, null, null, null, 0, null, null, null, null,
        new DateTimeOffset(Directory.GetLastWriteTimeUtc(folder)), error.Message.ReplaceLineEndings(" "));
}
