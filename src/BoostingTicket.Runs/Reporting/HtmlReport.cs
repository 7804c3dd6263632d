using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A run as one HTML file that needs nothing else.</summary>
public static class HtmlReport
{
    /// <summary>The document.</summary>
    /// <param name="result">The run.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <param name="extras">What the run's folder holds besides; null for nothing.</param>
    public static string Write(RunResult result, string commandLine, RunExtras? extras = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        RunConfiguration configuration = result.Configuration;
        var page = new HtmlPage(
            "Boosting ticket run", $"{configuration.Preset}: {configuration.Model} on {configuration.Data.Name}",
            Describe(result));
        if (RunSummary.Finding(result) is { } finding)
            page.Finding(finding);
        foreach (string warning in result.Seeds.SelectMany(seed => seed.Warnings).Distinct())
            page.Warning(warning);
        AddTable(page, result);
        AddDonor(page, result);
        AddSteps(page, result);
        AddCharts(page, result);
        AddEvaluations(page, extras?.Evaluations ?? []);
        AddPictures(page, extras?.Examples ?? []);
        page.Section("How it was made").Code(commandLine).Facts(RunSummary.Provenance(result))
            .Details("All settings", RunJson.Write(configuration));
        return page.ToString();
    }

    private static string Describe(RunResult result)
    {
        RunConfiguration configuration = result.Configuration;
        string seeds = result.Seeds.Count == 1
            ? FormattableString.Invariant($"seed {result.Seeds[0].Seed}")
            : FormattableString.Invariant($"{result.Seeds.Count} seeds from {result.Seeds[0].Seed} on");
        string device = result.Environment.TryGetValue("device", out string? name) ? $" · {name}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"donor {SettingNames.Of(configuration.Donor.Method)}, retraining {SettingNames.Of(configuration.Retrain.Method)}, "
            + $"{configuration.Pruning.Ratio:P0} pruned · {seeds}{device}");
    }

    private static void AddTable(HtmlPage page, RunResult result)
    {
        IReadOnlyList<ArmSummary> rows = RunSummary.Of(result);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> cells) = TableText.Cells(result);
        page.Section("Result").Table(
            [.. headers, ">last clean %", $">last {RunSummary.AttackName(result.Configuration)} %"],
            rows.Select((row, index) => new HtmlRow(
                [.. cells[index], row.LastClean.Text("F2", 100), row.LastRobust.Text("F2", 100)])
            {
                Arm = SettingNames.Of(row.Arm),
                Best =
                [
                    .. row.Clean.Mean == rows.Max(other => other.Clean.Mean) ? (int[])[1] : [],
                    .. row.Robust.Mean == rows.Max(other => other.Robust.Mean) ? (int[])[2] : [],
                ],
            })).Note(TableText.Caption(result));
    }

    private static void AddDonor(HtmlPage page, RunResult result)
    {
        List<TestResult> tests = [.. result.Seeds.Select(seed => seed.DonorTest).OfType<TestResult>()];
        if (tests.Count == 0)
            return;
        Spread clean = Spread.Of([.. tests.Select(test => test.Clean)]),
        robust = Spread.Of([.. tests.Select(test => test.Robust)]);
        page.Note(
            $"The donor itself, trained with {SettingNames.Of(result.Configuration.Donor.Method)}, reaches "
            + $"{clean.Text("F2", 100)} % clean and {robust.Text("F2", 100)} % under "
            + $"{RunSummary.AttackName(result.Configuration)}.",
            "donor");
    }

    private static void AddSteps(HtmlPage page, RunResult result)
    {
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = StepTable.Cells(result);
        if (rows.Count > 0)
            page.Section("A step of training").Table(
                [.. headers], rows.Select((row, index) => new HtmlRow([.. row]) { Arm = row[0] })).Note(StepTable.Caption);
    }

    private static void AddCharts(HtmlPage page, RunResult result)
    {
        page.Section("Training")
            .Markup(HtmlPage.Legend(ReportCharts.Stages(result).Select(stage => (stage.Name, stage.Name.Replace('-', ' ')))))
            .Charts(ReportCharts.Curves(result));
        IEnumerable<string> bars = ReportCharts.Times(result).Select(chart => chart + HtmlPage.Legend(ReportCharts.Phases));
        if (ReportCharts.Sparsity(result) is { } sparsity)
            bars = bars.Append(sparsity + HtmlPage.Legend([("kept", "kept weights"), ("pruned", "pruned weights")]));
        page.Section("Time and ticket").Charts(bars);
    }

    private static void AddEvaluations(HtmlPage page, IReadOnlyList<KeptEvaluation> evaluations)
    {
        if (evaluations.Count == 0)
            return;
        page.Section("Robust accuracy by attack").Table(
            ["weights", "attack", ">attacked", ">accuracy %", "95 % interval", ">largest perturbation", ">samples/s"],
            evaluations.SelectMany(evaluation => (HtmlRow[])
            [
                Row(evaluation.Weights, "none", "", evaluation.Result.Clean, evaluation.Result.CleanInterval, "", ""),
                .. evaluation.Result.Attacks.Select(attack => Row(
                    "", attack.Attack, attack.Attacked.ToString("N0", CultureInfo.InvariantCulture), attack.Robust,
                    attack.Interval,
                    attack.LargestPerturbation.ToString("0.#####", CultureInfo.InvariantCulture),
                    attack.SamplesPerSecond.ToString("N1", CultureInfo.InvariantCulture))),
                Row("", "all of them", "", evaluation.Result.WorstCase, evaluation.Result.WorstCaseInterval, "", ""),
            ]));
        foreach (string warning in evaluations.SelectMany(evaluation => evaluation.Result.Warnings).Distinct())
            page.Warning(warning);
        page.Note("Shares of all evaluated samples, from the last run of evaluate on these weights; AutoAttack stage by stage.");

        static HtmlRow Row(string weights, string attack, string attacked, double accuracy, WilsonInterval interval,
            string largest, string speed) =>
            new(
            [
                weights, attack, attacked, (100 * accuracy).ToString("F2", CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{100 * interval.Low:F2} – {100 * interval.High:F2}"), largest,
                speed,
            ]);
    }

    private static void AddPictures(HtmlPage page, IReadOnlyList<KeptExamples> examples)
    {
        if (examples.Count == 0)
            return;
        page.Section("Images before and after the attack");
        foreach (KeptExamples kept in examples)
        {
            page.Markup($"<h3>{HtmlPage.Key(kept.Arm)} {HtmlPage.Encode(kept.Arm)}</h3>\n").Markup(PictureGrid.Render(
                kept.Examples));
        }

        page.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"The first test images of seed {examples[0].Seed}, the same images after the attack within ± "
            + $"{examples[0].Examples.Epsilon:0.####}, and the magnified difference. The class after the arrow is what the "
            + $"network predicts."));
    }
}
