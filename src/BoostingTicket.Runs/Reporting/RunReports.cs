using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Writes the files for people into a run's folder.</summary>
public static class RunReports
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
}
