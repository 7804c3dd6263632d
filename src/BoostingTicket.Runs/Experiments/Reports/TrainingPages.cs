using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>A page for each training of an experiment, in its folder of the store: what reports link to.</summary>
internal static class TrainingPages
{
    /// <summary>Writes the pages that are not there yet. One of a training whose settings cannot be read is left out.</summary>
    /// <param name="folder">The experiment's folder.</param>
    /// <param name="trainings">Its trainings.</param>
    /// <param name="environment">Versions and data, and the device of this process, in whose place pages name those that
    /// trained.</param>
    /// <param name="commandLine">Command that pages name.</param>
    /// <exception cref="ConfigurationException">A page cannot be written.</exception>
    public static void Write(
        ExperimentFolder folder, IEnumerable<TrainingRow> trainings, IReadOnlyDictionary<string, string> environment,
        string commandLine)
    {
        foreach (TrainingRow row in trainings)
        {
            RunFolder files = Files(folder, row);
            if (!File.Exists(files.Report) && Settings(files) is { } configuration)
                AtomicFile.WriteAllText(files.Report, HtmlReport.Write(Content(row, configuration, environment, commandLine)));
        }
    }

    /// <summary>The address of a training's page as the experiment's page links to it; null where there is none.</summary>
    public static string? LinkTo(ExperimentFolder folder, TrainingRow row) =>
        File.Exists(Files(folder, row).Report) ? HtmlPage.LinkTo(folder.Own, Files(folder, row).Report) : null;

    private static ReportContent Content(
        TrainingRow row, RunConfiguration configuration, IReadOnlyDictionary<string, string> environment, string commandLine)
    {
        var result = new RunResult(
            configuration, RunJson.Hash(configuration), Where(row.Record, environment),
            [new SeedResult(row.Seed, [], null, [], row.Record.Warnings, [])]);
        return ReportContent.OfTraining(
            result, Arm.Dense, [new StageHistory(row.Seed, row.Training, row.Record.History)], commandLine, extras: null) with
        {
            Title = row.Training,
        };
    }

    // The system is this process's too, and nothing is known of another's.
    private static Dictionary<string, string> Where(TrainingRecord record, IReadOnlyDictionary<string, string> environment)
    {
        string[] own = [RunEnvironment.DeviceName, RunEnvironment.ProcessorName, RunEnvironment.SystemName];
        Dictionary<string, string> facts = new(environment.Where(fact => !own.Contains(fact.Key)));
        if (record.Machines is { } machines)
        {
            facts[RunEnvironment.DeviceName] = string.Join(", then ", machines.Select(machine => machine.Device).Distinct());
            facts[RunEnvironment.ProcessorName] = string.Join(
                ", then ", machines.Select(machine => machine.Processor).Distinct());
        }

        return facts;
    }

    private static RunFolder Files(ExperimentFolder folder, TrainingRow row) => new(Path.Combine(folder.Store, row.Folder));

    private static RunConfiguration? Settings(RunFolder files)
    {
        try
        {
            return File.Exists(files.Configuration)
                ? RunJson.Read<RunConfiguration>(StoredFiles.ReadText(files.Configuration), files.Configuration)
                : null;
        }
        catch (BoostingTicketException)
        {
            return null;
        }
    }
}
