using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>All reports of a finished experiment.</summary>
internal static class ExperimentReports
{
    /// <summary>Writes CSV, HTML, Markdown and figure, beside the result as JSON that is there already.</summary>
    /// <param name="folder">The experiment's folder.</param>
    /// <param name="result">The result.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <param name="figures">Draws the figure; null to leave it at its numbers.</param>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    public static void Write(ExperimentFolder folder, ExperimentResult result, string commandLine, IFigureWriter? figures)
    {
        if (result.Rows.Count > 0)
            AtomicFile.WriteAllText(folder.Rows, ExperimentCsv.Rows(result));
        if (result.Speed is { } speed)
        {
            AtomicFile.WriteAllText(folder.Rows, SpeedReports.Csv(speed));
            AtomicFile.WriteAllText(folder.Courses, CourseFile.Write(speed.Points));
        }
        AtomicFile.WriteAllText(folder.Tickets, ExperimentCsv.Tickets(result));
        AtomicFile.WriteAllText(folder.Metrics, ExperimentCsv.Metrics(result));
        IReadOnlyList<string> drawn = [];
        if (result.Figure is { } figure)
        {
            AtomicFile.WriteAllText(folder.Points, ExperimentCsv.Points(figure));
            drawn = figures?.Write(figure, folder.Own) ?? [];
        }
        TrainingPages.Write(folder, result.Trainings, result.Environment, commandLine);
        AtomicFile.WriteAllText(folder.Report, ExperimentHtml.Write(folder, result, commandLine));
        AtomicFile.WriteAllText(
            folder.Summary, ExperimentMarkdown.Write(result, commandLine, [.. drawn.Select(file => Path.GetFileName(file))]));
    }
}
