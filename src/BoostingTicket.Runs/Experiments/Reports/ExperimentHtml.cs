using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>An experiment as one HTML file that needs nothing else: the paper's values and ours, curves, tickets,
/// trainings.</summary>
internal static class ExperimentHtml
{
    /// <summary>The document.</summary>
    /// <param name="folder">The experiment's folder, from which the links lead to the trainings' own.</param>
    /// <param name="result">The result.</param>
    /// <param name="commandLine">Command that produced it.</param>
    public static string Write(ExperimentFolder folder, ExperimentResult result, string commandLine)
    {
        string device = result.Environment.TryGetValue("device", out string? name) ? $" · {name}" : "";
        int seeds = result.Configuration.Base.Seeds;
        var page = new HtmlPage(
            $"Experiment {result.Experiment}", result.Title,
            FormattableString.Invariant($"{(seeds == 1 ? "one seed" : $"{seeds} seeds")}{device}"));
        if (result.Caveat is { } caveat)
            page.Finding(caveat);
        foreach (string warning in result.Warnings)
            page.Warning(warning);
        if (result.Rows.Count > 0)
            AddTable(page, "The paper and ours", ExperimentTables.Comparison(result)).Note(ExperimentTables.Caption(result));
        if (result.Speed is { } speed)
        {
            foreach (SpeedTable table in SpeedReports.Tables(speed))
                AddTable(page, table.Heading, table.Content);
            page.Note(SpeedReports.Note(speed));
        }
        if (result.Figure is { } figure)
            page.Section("Figure").Markup(HtmlPage.Legend(FigureCharts.Legend(figure))).Charts(FigureCharts.Charts(figure));
        if (result.Tickets.Count > 0)
            AddTable(page, "Relative weight distance", ExperimentTables.Tickets(result)).Note(ExperimentTables.DistanceNote);
        if (result.Trainings.Count > 0)
            AddTrainings(page, folder, result);
        page.Section("How it was made").Code(commandLine).Facts(result.Environment.Select(fact => (fact.Key, fact.Value)))
            .Details("All settings", RunJson.Write(result.Configuration));
        return page.ToString();
    }

    private static HtmlPage AddTable(
        HtmlPage page, string heading, (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) table) =>
        page.Section(heading).Table(table.Headers, table.Rows.Select(row => new HtmlRow(row)));

    private static void AddTrainings(HtmlPage page, ExperimentFolder folder, ExperimentResult result) =>
        page.Section("Trainings").Table(
        ["training", ">seed", ">epochs", ">data s", ">attack s", ">training s", ">validation s"],
        result.Trainings.Select(row =>
        {
            PhaseTimes times = row.Record.History.Aggregate(default(PhaseTimes), (sum, epoch) => sum + epoch.Times);
            return new HtmlRow(
            [
                row.Training, row.Seed.ToString(CultureInfo.InvariantCulture),
                row.Record.History.Count.ToString(CultureInfo.InvariantCulture),
                .. ((double[])[times.Data, times.Attack, times.Train, times.Evaluate]).Select(seconds => seconds.ToString(
                    "N1", CultureInfo.InvariantCulture)),
            ])
            {
                Link = TrainingPages.LinkTo(folder, row),
            };
        }));
}
