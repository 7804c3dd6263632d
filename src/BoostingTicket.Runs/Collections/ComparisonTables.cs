using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Collections;

/// <summary>Runs side by side as tables and as a page. Headers of numbers begin with <c>&gt;</c>.</summary>
internal static class ComparisonTables
{
    /// <summary>What the accuracies are, in a sentence.</summary>
    public const string Caption =
        "Test accuracies of the weights that were best on validation, mean ± standard deviation over seeds; 95 % intervals of "
        + "the "
        + "mean for that many test images; seconds of training without validation, with those to find the ticket.";

    /// <summary>The settings in which the runs differ.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Settings(ComparedRuns runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return (
            ["setting", .. runs.Runs.Select(run => run.Name)],
            [.. runs.Settings.Select(setting => (IReadOnlyList<string>)[setting.Name, .. setting.Values])]);
    }

    /// <summary>The arms of all runs.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Arms(ComparedRuns runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return (
            ["run", "arm", ">pruned %", ">clean %", "clean, 95 %", ">robust %", "robust, 95 %", "attack", ">images", ">seconds"],
            [
                .. runs.Rows.Select(row => (IReadOnlyList<string>)
                [
                    row.Run, row.Arm is { } arm ? SettingNames.Of(arm) : "–",
                    (100 * row.Sparsity).ToString("F1", CultureInfo.InvariantCulture), row.Clean.Text("F2", 100),
                    Interval(row.CleanInterval), row.Robust.Text("F2", 100), Interval(row.RobustInterval), row.Attack,
                    row.Samples.ToString("N0", CultureInfo.InvariantCulture), row.Seconds?.Text("F1") ?? "–",
                ]),
            ]);
    }

    /// <summary>The page, one HTML file that needs nothing else.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <param name="folder">Folder of the page, from which links lead to the runs' reports.</param>
    public static string Page(ComparedRuns runs, string commandLine, string folder)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var page = new HtmlPage(
            "Runs side by side", string.Join(" · ", runs.Runs.Select(run => run.Name)),
            FormattableString.Invariant($"{runs.Runs.Count} runs"));
        foreach (string warning in runs.Warnings)
            page.Warning(warning);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = Arms(runs);
        var styles = runs.Figure is { } drawn
            ? FigureCharts.Styles(drawn)
            : new Dictionary<string, string>();
        page.Section("Accuracies").Table(headers, rows.Select((row, index) => new HtmlRow(row)
        {
            Key = styles.GetValueOrDefault($"{row[0]}: {row[1]}"),
            Link = ReportOf(runs.Runs.First(run => run.Name == runs.Rows[index].Run), folder),
        })).Note(Caption);
        if (runs.Figure is { } figure)
        {
            page.Section("Accuracy against seconds").Markup(HtmlPage.Legend(FigureCharts.Legend(figure)))
                .Charts(FigureCharts.Charts(figure))
                .Note("Validation accuracy by epoch, mean and standard deviation of the seeds.");
        }
        (headers, rows) = Settings(runs);
        page.Section("Settings that differ");
        if (rows.Count == 0)
            page.Note("All settings are the same.");
        else
            page.Table(headers, rows.Select(row => new HtmlRow(row)));
        page.Section("How it was made").Code(commandLine).Facts(
            runs.Runs.Select(run => (run.Name, $"{run.Command}, {SettingNames.Of(run.State)}, {run.Folder}")));
        return page.ToString();
    }

    private static string? ReportOf(ComparedRun run, string folder)
    {
        string report = new Folders.RunFolder(run.Folder).Report;
        return File.Exists(report) ? HtmlPage.LinkTo(folder, report) : null;
    }

    private static string Interval(WilsonInterval interval) => string.Create(
        CultureInfo.InvariantCulture, $"{100 * interval.Low:F2} – {100 * interval.High:F2}");
}
