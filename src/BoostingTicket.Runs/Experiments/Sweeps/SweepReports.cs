using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Reports;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments.Sweeps;

/// <summary>A finished sweep for people and scripts.</summary>
internal static class SweepReports
{
    private const int MostCurves = 12;

    /// <summary>Writes CSV and HTML, beside the result as JSON that is there already.</summary>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    internal static void Write(ExperimentFolder folder, SweepResult result, string commandLine)
    {
        AtomicFile.WriteAllText(folder.Rows, Csv(result));
        TrainingPages.Write(folder, result.Trainings, result.Environment, commandLine);
        AtomicFile.WriteAllText(folder.Report, Page(folder, result, commandLine));
    }

    /// <summary>The table cell by cell; headers of numbers begin with <c>&gt;</c>.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Cells(SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return (
            [.. result.Configuration.Options.Select(option => ">" + option.Name), "arm", ">pruned %", ">clean %", ">robust %",
                ">seconds"],
            [
                .. result.Rows.Select(row => (IReadOnlyList<string>)
                [
                    .. row.Values, SettingNames.Of(row.Arm), row.Pruned.Text("F1", 100),
                    row.Clean.Text("F2", 100), row.Robust.Text("F2", 100), row.Seconds.Text("F1"),
                ]),
            ]);
    }

    /// <summary>What the numbers are, in a sentence.</summary>
    public static string Caption(SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        int seeds = result.Configuration.Base.Seeds;
        string spread = seeds > 1 ? FormattableString.Invariant($", mean ± standard deviation of {seeds} seeds") : "";
        return $"Test accuracies of the weights that were best on validation, clean and under PGD{spread}; seconds of training "
            + "without validation, with those to find the ticket.";
    }

    /// <summary>The table for spreadsheets and scripts; a deviation of a single seed is an empty field.</summary>
    public static string Csv(SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = new StringBuilder();
        text.Append(string.Concat(result.Configuration.Options.Select(option => PlainText.Csv(option.Name) + ",")))
            .Append(
                "arm,sparsity,clean,clean_deviation,robust,robust_deviation,seconds,seconds_deviation,seeds,folders,"
                + "sparsity_deviation\n");
        foreach (SweepRow row in result.Rows)
        {
            text.Append(string.Concat(row.Values.Select(value => PlainText.Csv(value) + ",")));
            text.Append(
                CultureInfo.InvariantCulture,
                $"{SettingNames.Of(row.Arm)},{row.Sparsity},{row.Clean.Mean},{Deviation(row.Clean)},{row.Robust.Mean},");
            text.Append(
                CultureInfo.InvariantCulture,
                $"{Deviation(row.Robust)},{row.Seconds.Mean},{Deviation(row.Seconds)},{row.Clean.Count},");
            text.Append(
                CultureInfo.InvariantCulture, $"{PlainText.Csv(string.Join(' ', row.Folders))},{Deviation(row.Pruned)}\n");
        }
        return text.ToString();

        static double? Deviation(Spread spread) => spread.Count > 1 ? spread.Deviation : null;
    }

    private static string Page(ExperimentFolder folder, SweepResult result, string commandLine)
    {
        RunConfiguration shared = result.Configuration.Base;
        string swept = string.Join(" and ", result.Configuration.Options.Select(option => option.Name));
        var page = new HtmlPage(
            "Sweep", $"{swept}: {shared.Model} on {shared.Data.Name}",
            FormattableString.Invariant($"{result.Configuration.Points.Count} points · {shared.Seeds} seed(s) each"));
        foreach (string warning in result.Warnings)
            page.Warning(warning);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = Cells(result);
        page.Section("Result").Table(headers, rows.Select((cells, index) => new HtmlRow(cells)
        {
            Link = TrainingPages.LinkTo(folder, result.Trainings.First(row => row.Folder == result.Rows[index].Folders[0])),
            Best = [
                .. Best(cells.Count - 3, row => row.Clean.Mean, index), .. Best(cells.Count - 2, row => row.Robust.Mean, index)],
        })).Note(Caption(result));
        if (Figure(result) is { } figure)
            page.Section("By value").Markup(HtmlPage.Legend(FigureCharts.Legend(figure))).Charts(FigureCharts.Charts(figure));
        return page.Section("How it was made").Code(commandLine)
            .Facts(result.Environment.Select(fact => (fact.Key, fact.Value)))
            .Details("Settings of the first point", RunJson.Write(shared)).ToString();

        IEnumerable<int> Best(int column, Func<SweepRow, double> value, int index) =>
            value(result.Rows[index]) == result.Rows.Max(value) ? [column] : [];
    }

    // Over the first option whose values are several numbers; the others tell curves apart.
    private static FigureData? Figure(SweepResult result)
    {
        IReadOnlyList<SweptOption> options = result.Configuration.Options;
        int axis = Enumerable.Range(0, options.Count).FirstOrDefault(
            index => options[index].Values.Count > 1 && options[index].Values.All(value => Fraction.TryParse(value, out _)), -1);
        if (axis < 0)
            return null;
        var curves = result.Rows.GroupBy(row => string.Join(", ", (string[])
        [
            SettingNames.Of(row.Arm),
            .. Enumerable.Range(0, options.Count).Where(index => index != axis).Select(
                index => $"{options[index].Name} {row.Values[index]}"),
        ])).ToList();
        return curves.Count > MostCurves ? null : new FigureData(
            SweepRun.Command, options[axis].Name, [Panel("Clean test accuracy", row => row.Clean), Panel(
                "Test accuracy under PGD", row => row.Robust)]);

        FigurePanel Panel(string title, Func<SweepRow, Spread> value) => new(
            title, options[axis].Name, "%",
            [
                .. curves.Select(curve => new FigureSeries(
                    curve.Key,
                    [
                        .. curve.Select(row => (X: Number(row.Values[axis]), Y: value(row))).OrderBy(point => point.X).Select(
                            point => new FigurePoint(
                                point.X, 100 * point.Y.Mean, point.Y.Count > 1 ? 100 * point.Y.Deviation : null)),
                    ])),
            ]);

        static double Number(string text) => Fraction.TryParse(text, out double number) ? number : double.NaN;
    }
}
