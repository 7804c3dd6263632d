using System.Globalization;
using System.Net;
using System.Text;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Tickets;

namespace BoostingTicket.Training.Reporting;

/// <summary>A run as one HTML file that needs nothing else: no network, no script, no font. It is well-formed XML too.</summary>
public static class HtmlReport
{
    /// <summary>The document.</summary>
    /// <param name="result">The run.</param>
    /// <param name="commandLine">Command that produced it.</param>
    public static string Write(RunResult result, string commandLine)
    {
        ArgumentNullException.ThrowIfNull(result);
        RunConfiguration configuration = result.Configuration;
        var html = new StringBuilder();
        string title = $"{configuration.Preset}: {configuration.Model} on {configuration.Data.Name}";
        html.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>")
            .Append(CultureInfo.InvariantCulture, $"<title>{Encode(title)}</title>\n<style>\n{HtmlStyle.Css}\n</style></head>\n<body><main>\n")
            .Append(CultureInfo.InvariantCulture, $"<p class=\"sub\">Boosting ticket run</p><h1>{Encode(title)}</h1>\n")
            .Append(CultureInfo.InvariantCulture, $"<p class=\"sub\">{Encode(Describe(result))}</p>\n");
        if (RunSummary.Finding(result) is { } finding)
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"finding\">{Encode(finding)}</p>\n");
        foreach (string warning in result.Seeds.SelectMany(seed => seed.Warnings).Distinct())
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"warn\">{Encode(warning)}</p>\n");
        AppendTable(html, result);
        AppendDonor(html, result);
        AppendCharts(html, result);
        AppendSettings(html, result, commandLine);
        return html.Append("</main></body></html>\n").ToString();
    }

    private static string Describe(RunResult result)
    {
        RunConfiguration configuration = result.Configuration;
        string seeds = result.Seeds.Count == 1
            ? FormattableString.Invariant($"seed {result.Seeds[0].Seed}")
            : FormattableString.Invariant($"{result.Seeds.Count} seeds from {result.Seeds[0].Seed} on");
        string device = result.Environment.TryGetValue("device", out string? name) ? $" · {name}" : "";
        return FormattableString.Invariant(
            $"donor {SettingNames.Of(configuration.Donor.Method)}, retraining {SettingNames.Of(configuration.Retrain.Method)}, {configuration.Pruning.Ratio:P0} pruned · {seeds}{device}");
    }

    private static void AppendTable(StringBuilder html, RunResult result)
    {
        IReadOnlyList<ArmSummary> rows = RunSummary.Of(result);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> cells) = TableText.Cells(result);
        html.Append("<h2>Result</h2><div class=\"card scroll\"><table><thead><tr>");
        foreach (string header in headers)
            html.Append(CultureInfo.InvariantCulture, $"<th{(header[0] == '>' ? " class=\"n\"" : "")}>{Encode(header.TrimStart('>'))}</th>");
        html.Append(CultureInfo.InvariantCulture,
            $"<th class=\"n\">last clean %</th><th class=\"n\">last {RunSummary.AttackName(result.Configuration)} %</th></tr></thead><tbody>\n");
        for (int row = 0; row < rows.Count; row++)
        {
            string arm = SettingNames.Of(rows[row].Arm);
            html.Append(CultureInfo.InvariantCulture, $"<tr data-arm=\"{arm}\"><td><span class=\"key {arm}\"></span>{arm}</td>");
            for (int column = 1; column < headers.Count; column++)
            {
                bool best = (column == 1 && rows[row].Clean.Mean == rows.Max(other => other.Clean.Mean))
                    || (column == 2 && rows[row].Robust.Mean == rows.Max(other => other.Robust.Mean));
                html.Append(CultureInfo.InvariantCulture, $"<td class=\"n{(best ? " best" : "")}\">{Encode(cells[row][column])}</td>");
            }

            html.Append(CultureInfo.InvariantCulture,
                $"<td class=\"n\">{rows[row].LastClean.Text("F2", 100)}</td><td class=\"n\">{rows[row].LastRobust.Text("F2", 100)}</td></tr>\n");
        }

        html.Append(CultureInfo.InvariantCulture, $"</tbody></table></div><p class=\"note\">{Encode(TableText.Caption(result))}</p>\n");
    }

    private static void AppendDonor(StringBuilder html, RunResult result)
    {
        List<TestResult> tests = [.. result.Seeds.Select(seed => seed.DonorTest).OfType<TestResult>()];
        if (tests.Count == 0)
            return;
        Spread clean = Spread.Of([.. tests.Select(test => test.Clean)]), robust = Spread.Of([.. tests.Select(test => test.Robust)]);
        html.Append(CultureInfo.InvariantCulture,
            $"<p class=\"note\"><span class=\"key donor\"></span> The donor itself, trained with {SettingNames.Of(result.Configuration.Donor.Method)}, reaches {clean.Text("F2", 100)} % clean and {robust.Text("F2", 100)} % under {RunSummary.AttackName(result.Configuration)}.</p>\n");
    }

    private static void AppendCharts(StringBuilder html, RunResult result)
    {
        html.Append("<h2>Training</h2>");
        IEnumerable<string> stages = result.Configuration.Arms.Select(SettingNames.Of);
        if (result.Seeds.Any(seed => seed.Donor.Count > 0))
            stages = stages.Append(ReportCharts.Donor);
        html.Append(Legend(stages.Select(stage => (stage, stage))));
        Grid(html, ReportCharts.Curves(result));
        html.Append("<h2>Time and ticket</h2>");
        IEnumerable<string> bars = ReportCharts.Times(result).Select(chart => chart + Legend(ReportCharts.Phases));
        if (ReportCharts.Sparsity(result) is { } sparsity)
            bars = bars.Append(sparsity + Legend([("kept", "kept weights"), ("pruned", "pruned weights")]));
        Grid(html, bars);
    }

    private static void AppendSettings(StringBuilder html, RunResult result, string commandLine)
    {
        html.Append("<h2>How it was made</h2><pre><code>").Append(Encode(commandLine)).Append("</code></pre>\n<div class=\"card\"><dl>");
        foreach ((string name, string value) in RunSummary.Provenance(result))
            html.Append(CultureInfo.InvariantCulture, $"<dt>{Encode(name)}</dt><dd>{Encode(value)}</dd>");
        html.Append("</dl></div>\n<details><summary>All settings</summary><pre><code>")
            .Append(Encode(RunJson.Write(result.Configuration))).Append("</code></pre></details>\n");
    }

    private static string Legend(IEnumerable<(string Style, string Name)> entries) =>
        $"<div class=\"legend\">{string.Concat(entries.Select(entry => $"<span><span class=\"key {entry.Style}\"></span>{Encode(entry.Name)}</span>"))}</div>\n";

    private static void Grid(StringBuilder html, IEnumerable<string> charts)
    {
        html.Append("<div class=\"grid2\">");
        foreach (string chart in charts)
            html.Append("<div class=\"card\">").Append(chart).Append("</div>\n");
        html.Append("</div>\n");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
