using System.Globalization;
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
    public static IEnumerable<string> Curves(IReadOnlyList<StageHistory> trainings)
    {
        LineChart[] charts =
        [
            new("Validation accuracy, clean", Series(trainings, epoch => 100 * epoch.ValidationClean), "F2", " %"),
            new("Validation accuracy under PGD", Series(trainings, epoch => 100 * epoch.ValidationRobust), "F2", " %"),
            new("Training loss", Series(trainings, epoch => epoch.TrainLoss), "F4"),
            new("Learning rate", Series(trainings, epoch => epoch.LearningRate), "0.######", logarithmic: true),
        ];
        return charts.Select(chart => chart.Render()).OfType<string>();
    }

    /// <summary>Seconds of each stage by phase, mean of the seeds.</summary>
    public static IEnumerable<string> Times(IReadOnlyList<StageHistory> trainings)
    {
        var bars = Stages(trainings).Select(stage => StageBar(stage.Name, stage.Histories)).ToList();
        return new[] { new BarChart("Seconds by phase", bars).Render() }.OfType<string>();
    }

    /// <summary>Share of weights that the ticket of the first seed keeps, by layer; null without a ticket.</summary>
    public static string? Sparsity(RunResult result)
    {
        if (result.Seeds.Count == 0 || result.Seeds[0].Sparsity is not { Count: > 0 } layers)
            return null;
        string seed = result.Configuration.Seeds > 1 ? FormattableString.Invariant($" (seed {result.Seeds[0].Seed})") : "";
        return new BarChart($"Kept weights by layer{seed}", [.. layers.Select(LayerBar)], 1).Render();
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

    /// <summary>Name, style and epochs by seed of each training: donors, then arms.</summary>
    public static IReadOnlyList<(string Name, string Style, IReadOnlyList<IReadOnlyList<EpochRecord>> Histories)> Stages(
        IReadOnlyList<StageHistory> trainings) =>
    [
        .. trainings.Where(training => training.Epochs.Count > 0).GroupBy(training => training.Name).Select(group => (
            group.Key, group.First().Style,
            (IReadOnlyList<IReadOnlyList<EpochRecord>>)[.. group.Select(training => training.Epochs)])),
    ];

    // The mean over the seeds that reached an epoch, and each seed behind it.
    private static List<ChartSeries> Series(IReadOnlyList<StageHistory> trainings, Func<EpochRecord, double?> value)
    {
        var series = new List<ChartSeries>();
        foreach ((string name, string style, IReadOnlyList<IReadOnlyList<EpochRecord>> histories) in Stages(trainings))
        {
            var points = histories.SelectMany((history, seed) => history.Select((epoch, index) => (
                Seed: seed, X: index + 1.0, Y: value(epoch))))
                .Where(point => point.Y is not null).Select(point => (point.Seed, point.X, Y: point.Y!.Value)).ToList();
            if (histories.Count > 1)
            {
                series.AddRange(points.GroupBy(point => point.Seed).Select(group =>
                    new ChartSeries(name, style, [.. group.Select(point => (point.X, point.Y))], Faint: true)));
            }

            series.Add(new ChartSeries(
                name, style, [.. points.GroupBy(point => point.X).OrderBy(group => group.Key).Select(group => (
                    group.Key, group.Average(point => point.Y)))]));
        }

        return series;
    }
}
