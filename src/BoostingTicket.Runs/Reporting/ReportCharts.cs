using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting.Charts;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting;

/// <summary>The images of a report, made from a run's records.</summary>
internal static class ReportCharts
{
    /// <summary>Name and style of the donor's curves.</summary>
    public const string Donor = "donor", WinningDonor = "winning-donor";

    /// <summary>Style and name of the phases of an epoch.</summary>
    public static IReadOnlyList<(string Style, string Name)> Phases { get; } =
        [("phase-data", "data"), ("phase-attack", "attack"), ("phase-train", "training"), ("phase-evaluate", "validation")];

    /// <summary>Accuracy, loss and learning rate by epoch.</summary>
    public static IEnumerable<string> Curves(RunResult result)
    {
        LineChart[] charts =
        [
            new("Validation accuracy, clean", Series(result, epoch => 100 * epoch.ValidationClean), "F2", " %"),
            new("Validation accuracy under PGD", Series(result, epoch => 100 * epoch.ValidationRobust), "F2", " %"),
            new("Training loss", Series(result, epoch => epoch.TrainLoss), "F4"),
            new("Learning rate", Series(result, epoch => epoch.LearningRate), "0.######", logarithmic: true),
        ];
        return charts.Select(chart => chart.Render()).OfType<string>();
    }

    /// <summary>Seconds of each stage by phase, mean of the seeds.</summary>
    public static IEnumerable<string> Times(RunResult result)
    {
        var bars = Stages(result).Select(stage => StageBar(stage.Name, stage.Histories)).ToList();
        return new[] { new BarChart("Seconds by phase", bars).Render() }.OfType<string>();
    }

    /// <summary>Share of weights that the ticket of the first seed keeps, by layer; null without a ticket.</summary>
    public static string? Sparsity(RunResult result)
    {
        IReadOnlyList<LayerSparsity> layers = result.Seeds[0].Sparsity;
        string seed = result.Seeds.Count > 1 ? FormattableString.Invariant($" (seed {result.Seeds[0].Seed})") : "";
        return layers.Count == 0 ? null : new BarChart($"Kept weights by layer{seed}", [.. layers.Select(LayerBar)], 1).Render();
    }

    private static Bar LayerBar(LayerSparsity layer)
    {
        double kept = layer.Total == 0 ? 0 : (double)layer.Kept / layer.Total;
        return new Bar(
            layer.Name,
            [
                new BarPart(kept, "kept", FormattableString.Invariant($"{layer.Kept:N0} of {layer.Total:N0} weights kept")),
                new BarPart(1 - kept, "pruned", FormattableString.Invariant($"{layer.Total - layer.Kept:N0} pruned")),
            ],
            FormattableString.Invariant($"{100 * kept:F1} %"));
    }

    private static Bar StageBar(string stage, IReadOnlyList<IReadOnlyList<EpochRecord>> histories)
    {
        PhaseTimes sum = histories.SelectMany(history => history).Aggregate(
            default(PhaseTimes), (total, epoch) => total + epoch.Times);
        double[] seconds = [sum.Data / histories.Count, sum.Attack / histories.Count, sum.Train / histories.Count, sum.Evaluate
            / histories.Count];
        return new Bar(
            stage,
            [.. seconds.Select((value, phase) => new BarPart(
                value, Phases[phase].Style, FormattableString.Invariant($"{stage}, {Phases[phase].Name}: {value:F1} s")))],
            string.Create(CultureInfo.InvariantCulture, $"{seconds.Sum():F1} s"));
    }

    /// <summary>Name, which is its style too, and epochs by seed of each training: donors, then arms.</summary>
    public static List<(string Name, IReadOnlyList<IReadOnlyList<EpochRecord>> Histories)> Stages(RunResult result)
    {
        var stages = new List<(string, IReadOnlyList<IReadOnlyList<EpochRecord>>)>();
        if (result.Seeds.Any(seed => seed.Donor.Count > 0))
            stages.Add((Donor, [.. result.Seeds.Select(seed => seed.Donor)]));
        if (result.Seeds.Any(seed => seed.WinningDonor.Count > 0))
            stages.Add((WinningDonor, [.. result.Seeds.Select(seed => seed.WinningDonor)]));
        foreach (Arm arm in result.Configuration.Arms)
            stages.Add((
                SettingNames.Of(arm), [.. result.Seeds.Select(seed => seed.Arms.Single(entry => entry.Arm == arm).History)]));
        return stages;
    }

    // The mean over the seeds that reached an epoch, and each seed behind it.
    private static List<ChartSeries> Series(RunResult result, Func<EpochRecord, double?> value)
    {
        var series = new List<ChartSeries>();
        foreach ((string name, IReadOnlyList<IReadOnlyList<EpochRecord>> histories) in Stages(result))
        {
            var points = histories.SelectMany((history, seed) => history.Select((epoch, index) => (
                Seed: seed, X: index + 1.0, Y: value(epoch))))
                .Where(point => point.Y is not null).Select(point => (point.Seed, point.X, Y: point.Y!.Value)).ToList();
            if (histories.Count > 1)
            {
                series.AddRange(points.GroupBy(point => point.Seed).Select(group =>
                    new ChartSeries(name, name, [.. group.Select(point => (point.X, point.Y))], Faint: true)));
            }

            series.Add(new ChartSeries(
                name, name, [.. points.GroupBy(point => point.X).OrderBy(group => group.Key).Select(group => (
                    group.Key, group.Average(point => point.Y)))]));
        }

        return series;
    }
}
