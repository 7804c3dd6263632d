using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A run as one HTML file that needs nothing else.</summary>
internal static class HtmlReport
{
    /// <summary>The document.</summary>
    /// <param name="result">The run.</param>
    /// <param name="commandLine">Command that produced it.</param>
    /// <param name="extras">What the run's folder holds besides; null for nothing.</param>
    public static string Write(RunResult result, string commandLine, RunExtras? extras = null) =>
        Write(ReportContent.Of(result, commandLine, extras));

    /// <summary>The document of a run that is finished or not, or of a single training.</summary>
    public static string Write(ReportContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        RunResult result = content.Result;
        var page = new HtmlPage(
            content.Kind, content.Title,
            Describe(content), content.Status?.Reload);
        if (content.Status is { } status)
            page.State(status.Text);
        if (RunSummary.Finding(result) is { } finding)
            page.Finding(finding);
        foreach (string warning in result.Seeds.SelectMany(seed => seed.Warnings).Distinct())
            page.Warning(warning);
        if (result.Seeds.Any(seed => seed.Arms.Count > 0))
            AddTable(page, result);
        AddDonor(page, result);
        AddSteps(page, result);
        AddCharts(page, content);
        AddEvaluations(page, content.Extras?.Evaluations ?? [], result.Configuration.Seed);
        AddPictures(page, content.Extras?.Examples ?? []);
        page.Section("How it was made").Code(content.CommandLine).Facts(RunSummary.Provenance(result))
            .Details("All settings", RunJson.Write(content.Asked));
        return page.ToString();
    }

    private static string Describe(ReportContent content)
    {
        RunConfiguration configuration = content.Result.Configuration;
        string seeds = configuration.Seeds == 1
            ? FormattableString.Invariant($"seed {configuration.Seed}")
            : FormattableString.Invariant($"{configuration.Seeds} seeds from {configuration.Seed} on");
        string device = content.Result.Environment.TryGetValue("device", out string? name) ? $" · {name}" : "";
        string work = content.Method is { } method
            ? $"trained with {SettingNames.Of(method)}"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"donor {SettingNames.Of(configuration.Donor.Method)}, retraining "
                + $"{SettingNames.Of(configuration.Retrain.Method)}, "
                + $"{configuration.Pruning.Ratio:P0} pruned");
        return $"{work} · {seeds}{device}";
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

    private static void AddCharts(HtmlPage page, ReportContent content)
    {
        IReadOnlyList<StageHistory> trainings = content.Trainings;
        if (trainings.All(training => training.Epochs.Count == 0))
            return;
        page.Section("Training")
            .Markup(HtmlPage.Legend(ReportCharts.Stages(trainings).Select(
                stage => (stage.Style, stage.Name.Replace('-', ' ')))))
            .Charts(ReportCharts.Curves(trainings));
        IEnumerable<string> bars = ReportCharts.Times(trainings).Select(chart => chart + HtmlPage.Legend(ReportCharts.Phases));
        if (ReportCharts.Sparsity(content.Result) is { } sparsity)
            bars = bars.Append(sparsity + HtmlPage.Legend([("kept", "kept weights"), ("pruned", "pruned weights")]));
        page.Section("Time and ticket").Charts(bars);
    }

    private static void AddEvaluations(HtmlPage page, IReadOnlyList<KeptEvaluation> evaluations, ulong usualSeed)
    {
        if (evaluations.Count == 0)
            return;
        page.Section("Robust accuracy by attack").Table(
            [
                "weights", ">samples", "attack", ">ε", ">steps", ">attacked", ">accuracy %", "95 % interval",
                ">largest perturbation", ">samples/s",
            ],
            evaluations.SelectMany(kept => EvaluationRows(kept, usualSeed)));
        foreach (string warning in evaluations.SelectMany(kept => kept.Evaluation.Result.Warnings).Distinct())
            page.Warning(warning);
        page.Note(
            "Shares of all evaluated samples, from the last run of evaluate with each of these settings; AutoAttack stage by "
            + "stage. Attacks without steps choose their own.");
    }

    private static IEnumerable<HtmlRow> EvaluationRows(KeptEvaluation kept, ulong usualSeed)
    {
        (RobustnessSettings? settings, RobustnessResult result) = kept.Evaluation;
        string samples = result.Samples.ToString("N0", CultureInfo.InvariantCulture);
        string epsilon = settings is null ? "" : Fraction.Text(settings.Attack.Epsilon);
        yield return Row(
            kept.Weights + (settings?.Unusual(usualSeed) ?? ", settings not kept"),
            settings is null ? samples : $"{samples} of {settings.Dataset}", "none", "", "", "", result.Clean,
            result.CleanInterval, "", "");
        foreach (AttackResult attack in result.Attacks)
        {
            yield return Row(
                "", "", attack.Attack, epsilon, settings?.StepsOf(attack.Attack) ?? "",
                attack.Attacked.ToString("N0", CultureInfo.InvariantCulture), attack.Robust, attack.Interval,
                attack.LargestPerturbation.ToString("0.#####", CultureInfo.InvariantCulture),
                attack.SamplesPerSecond.ToString("N1", CultureInfo.InvariantCulture));
        }
        yield return Row("", "", "all of them", epsilon, "", "", result.WorstCase, result.WorstCaseInterval, "", "");

        static HtmlRow Row(
            string weights, string samples, string attack, string epsilon, string steps, string attacked, double accuracy,
            WilsonInterval interval, string largest, string speed) =>
            new(
            [
                weights, samples, attack, epsilon, steps, attacked, (100 * accuracy).ToString("F2", CultureInfo.InvariantCulture),
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
