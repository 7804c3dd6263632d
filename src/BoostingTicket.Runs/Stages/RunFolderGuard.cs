using System.Text.RegularExpressions;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Keeps a folder's contents together with the command, configuration, ticket and data that they come from.</summary>
/// <param name="folder">The folder.</param>
/// <param name="configuration">What is to be done.</param>
/// <param name="owner">The command, and its ticket.</param>
/// <param name="environment">Device, versions and data by name.</param>
/// <param name="resume">Whether what the folder holds may be continued.</param>
internal sealed partial class RunFolderGuard(
    RunFolder folder, RunConfiguration configuration, RunOwner owner, RunEnvironment environment, bool resume)
{
    // Other values of these may change the last bits of a result, but not what it means.
    private static readonly string[] Machine = ["device", RunEnvironment.PrecisionName, "version"];

    /// <summary>What of an environment says which data results come from.</summary>
    public static IReadOnlyList<string> DataNames { get; } = [RunEnvironment.TrainImages, RunEnvironment.TestImages];

    /// <summary>Device, versions and data of a run, by name.</summary>
    public static RunEnvironment Describe(IBackend backend, DataSplit data) => new(backend, data);

    /// <summary>Takes a folder that holds a run and checks it, so that a folder in use is called that whatever else is amiss.
    /// Leaves a new folder alone: what is refused before the work begins shall leave none behind.</summary>
    /// <returns>The lock; null for a new folder.</returns>
    /// <exception cref="ConfigurationException">The folder is in use, or belongs to something else.</exception>
    public RunLock? LockExisting()
    {
        if (!File.Exists(folder.Configuration))
            return null;
        RunLock taken = RunLock.Acquire(folder.Root);
        try
        {
            Require();
            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Writes down what the folder belongs to. The folder must be locked.</summary>
    /// <param name="progress">Warned of another device or version than before.</param>
    /// <exception cref="ConfigurationException">The folder belongs to something else, or cannot be written to.</exception>
    public void Claim(IRunProgress progress)
    {
        // Another process may have filled the folder after it was looked at.
        Require();
        Dictionary<string, string> kept = Kept() ?? [];
        WarnOfChanges(kept, environment, progress);
        // The configuration comes last, since it is what makes the folder a run's.
        AtomicFile.WriteAllText(folder.Command, RunJson.Write(owner with { Meanings = ChangedSettings.Meanings }));
        environment.Keep(folder.Environment, folder.Choices, progress);
        AtomicFile.WriteAllText(folder.Configuration, RunJson.Write(configuration));
    }

    /// <summary>Warns of another device, number format or version than before.</summary>
    /// <param name="kept">What <see cref="Describe"/> said before; may be empty.</param>
    /// <param name="environment">What it says now.</param>
    /// <param name="progress">Warned.</param>
    public static void WarnOfChanges(
        IReadOnlyDictionary<string, string> kept, IReadOnlyDictionary<string, string> environment, IRunProgress progress)
    {
        foreach (string name in Machine)
        {
            if (kept.TryGetValue(name, out string? before) && WithoutThreads(before) != WithoutThreads(environment[name]))
                progress.Warn(
                    $"The folder was started with another {name} ({before}; now {environment[name]}); the last digits of results "
                    + $"may "
                    + "differ from those of a run without interruption.");
        }
    }

    private void Require()
    {
        if (!File.Exists(folder.Configuration))
            return;
        RunOwner? before = File.Exists(folder.Command)
            ? RunJson.Read<RunOwner>(StoredFiles.ReadText(folder.Command), folder.Command)
            : null;
        if (before is not null && before.Command != owner.Command)
            throw new ConfigurationException(
                $"The folder {folder.Root} belongs to the command '{before.Command}'; resume it with that command, or choose "
                + $"another {Setting.Named("out")}.");
        RunConfiguration kept = RunJson.Read<RunConfiguration>(StoredFiles.ReadText(folder.Configuration), folder.Configuration);
        if (RunJson.Hash(kept) != RunJson.Hash(configuration))
            throw new ConfigurationException(
                $"The folder {folder.Root} holds a run with other settings; choose another {Setting.Named("out")}, or resume "
                + $"that run "
                + $"with its own settings ({Setting.Named("config")} {folder.Configuration} {Setting.Named("resume")}).");
        if (!resume)
            throw new ConfigurationException(
                $"The folder {folder.Root} holds this run already; add {Setting.Named("resume")} to continue it, or choose "
                + $"another "
                + $"{Setting.Named("out")}.");
        if (before is not null && before.Ticket != owner.Ticket)
            throw new ConfigurationException(
                $"The folder {folder.Root} was started with another ticket (see {folder.Command}); resume with that ticket, or "
                + $"choose another {Setting.Named("out")}.");
        if (before is not null && before.Weights != owner.Weights)
            throw new ConfigurationException(
                $"The folder {folder.Root} was started with other weights (see {folder.Command}); resume with those weights, or "
                + $"choose "
                + $"another {Setting.Named("out")}.");
        if (before is not null && !owner.Continues(before))
            throw new ConfigurationException(
                $"The folder {folder.Root} was started with other attacks ({before.Attacks}; now {owner.Attacks}); resume with "
                + $"the same "
                + $"{Setting.Named("attack")}, and with {Setting.Named("saveAdversarial")} only if it was started that way, or "
                    + $"choose another "
                + $"{Setting.Named("out")}.");
        if (!File.Exists(folder.Result)
            && ChangedSettings.Find(configuration, owner.Command, before?.Meanings ?? 0) is { } changed)
            throw new ConfigurationException(
                $"The folder {folder.Root} was started by version 0.1.0, in which {changed}; finish it with that version, or "
                + $"start "
                + $"again with another {Setting.Named("out")}.");
        if (Kept() is { } data)
        {
            RequireSame(data, RunEnvironment.TrainImages);
            RequireSame(data, RunEnvironment.TestImages);
        }
    }

    private void RequireSame(Dictionary<string, string> kept, string name)
    {
        if (kept.TryGetValue(name, out string? before) && before != environment[name])
            throw new ConfigurationException(
                $"The {name} are not those that {folder.Root} was started with ({before}; now {environment[name]}); bring back "
                + $"the old data, or choose another {Setting.Named("out")}.");
    }

    // Results do not depend on the number of threads.
    private static string WithoutThreads(string value) => Threads.Replace(value, "");

    [GeneratedRegex(@"\b\d+ threads?, ")]
    private static partial Regex Threads { get; }

    private Dictionary<string, string>? Kept() => File.Exists(folder.Environment)
        ? RunJson.Read<Dictionary<string, string>>(StoredFiles.ReadText(folder.Environment), folder.Environment)
        : null;
}
