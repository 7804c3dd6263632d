using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Writes the files for people into a run's folder.</summary>
internal static class RunReports
{
    /// <summary>Writes metrics, HTML and Markdown.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="result">The finished run.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <exception cref="DamagedFileException">A file of the folder that the report shows is damaged.</exception>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    public static void Write(RunFolder folder, RunResult result, string commandLine)
    {
        ArgumentNullException.ThrowIfNull(folder);
        AtomicFile.WriteAllText(folder.Metrics, MetricsCsv.Write(result));
        AtomicFile.WriteAllText(folder.Report, HtmlReport.Write(result, commandLine, RunExtras.Read(folder, result)));
        AtomicFile.WriteAllText(folder.Summary, MarkdownReport.Write(result, commandLine));
    }

    /// <summary>Writes metrics, HTML and Markdown of a single training.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="configuration">What was asked for.</param>
    /// <param name="stage">Its stage.</param>
    /// <param name="arm">The finished training.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <exception cref="DamagedFileException">A file of the folder that the report shows is damaged.</exception>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    public static void WriteTraining(
        RunFolder folder, RunConfiguration configuration, string stage, ArmResult arm, string commandLine)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(arm);
        Dictionary<string, string> environment = RunJson.Read<Dictionary<string, string>>(
            StoredFiles.ReadText(folder.Environment), folder.Environment);
        StageHistory[] trainings = [new(configuration.Seed, stage, arm.History)];
        ReportContent content = ReportContent.OfTraining(
            new RunResult(
                configuration, RunJson.Hash(configuration), environment,
                [new SeedResult(configuration.Seed, [], null, [], arm.Warnings, [arm])]),
            arm.Arm, trainings, commandLine, null);
        content = content with { Extras = RunExtras.Read(folder, content.Result, single: true) };
        AtomicFile.WriteAllText(folder.Metrics, MetricsCsv.Write(trainings));
        AtomicFile.WriteAllText(folder.Report, HtmlReport.Write(content));
        AtomicFile.WriteAllText(folder.Summary, MarkdownReport.Write(content));
    }
}
