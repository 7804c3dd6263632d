using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>Times to equal robustness as tables.</summary>
internal static class SpeedReports
{
    private const string None = "–", NotReached = "not reached";

    private static readonly Level Equal = new("equal robustness", seed => seed.Reached);

    private static readonly string NearlyEqual = string.Create(
        CultureInfo.InvariantCulture, $"{100 * SpeedMeasurement.NearlyEqual:F0} %");

    private static readonly Level Nearly = new($"{NearlyEqual} of it", seed => seed.NearlyReached);

    private static readonly Clock OfProcessors = new("CPU s", seconds => seconds.Processor);

    private static readonly Clock Passed = new("s", seconds => seconds.Wall);

    /// <summary>Three tables with a row for each network and way of training, over all seeds: accuracies and what all of the
    /// training took; the time to equal robustness; the time to nearly as much.</summary>
    public static IReadOnlyList<SpeedTable> Tables(SpeedResult result) => Tables(result, Clocks(result));

    /// <summary>The same in one kind of seconds, the one that says more: for terminals, which are narrow.</summary>
    public static IReadOnlyList<SpeedTable> BriefTables(SpeedResult result) => Tables(result, Clocks(result)[..1]);

    private static Clock[] Clocks(SpeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.OnGpu ? [Passed] : [OfProcessors, Passed];
    }

    private static IReadOnlyList<SpeedTable> Tables(SpeedResult result, Clock[] clocks) =>
    [
        new SpeedTable(
            "Accuracies and whole trainings",
            [
                "network", "arm", ">seeds", ">clean %", ">PGD %", $">AutoAttack %{Images(result)}",
                .. clocks.Select(clock => $">whole, {clock.Unit}"),
            ],
            [.. result.Rows.Select(row => (IReadOnlyList<string>)
            [
                .. Name(row), row.Over(seed => seed.Clean).Text("F2", 100), row.Over(seed => seed.Robust).Text("F2", 100),
                AutoAttack(row), .. clocks.Select(clock => row.Over(seed => clock.Seconds(seed.Whole)).Text("N1")),
            ])]),
        Table(result, "Time to the robustness of the full network", Equal, clocks),
        Table(result, $"Time to {NearlyEqual} of that robustness", Nearly, clocks),
    ];

    /// <summary>Explains the tables, in a few sentences.</summary>
    public static string Note(SpeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Points.Count == 0)
            return "";
        CoursePoint point = result.Points[0];
        SpeedSeed dense = result.Rows[0].Seeds[0];
        string seconds = result.OnGpu
            ? "s are seconds that passed; those of processors say nothing of a GPU's work, and are in the CSV file alone."
            : "CPU s are seconds of all processors that training used; s are seconds that passed.";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Equal robustness is the accuracy under PGD that the full network (dense) of the same seed has at its end, on "
            + $"{point.Samples:N0} test images ({100 * dense.Robust:F2} % is {Interval(dense.Robust, point.Samples)} % with 95 % "
            + $"confidence). A training reaches it in the first epoch that ends with as much or more, at the time on the "
            + $"straight line from the epoch before. Two equally good trainings differ by some tenths of a point, and the lower "
            + $"one never reaches the other's accuracy. So the time to {Nearly.Name} is given too. {seconds} Those of a ticket's "
            + $"donor count, evaluations do not. \"dense / arm\" is the full network's time over the arm's, over the seeds in "
            + $"which both reach it: above 1 the arm is sooner. It is the geometric mean of the seeds, ×/÷ their "
            + $"multiplicative standard deviation. AutoAttack is that of the last weights on the first test images, as many as "
            + $"its column says; behind one seed stands the 95 % interval.");
    }

    /// <summary>A line for each training.</summary>
    public static string Csv(SpeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = new StringBuilder(
            "model,arm,seed,epochs,target,reached_processor_seconds,reached_wall_seconds,processor_seconds,wall_seconds,"
            + "clean,robust,autoattack,nearly_processor_seconds,nearly_wall_seconds,autoattack_samples\n");
        foreach (SpeedRow row in result.Rows)
        {
            foreach (SpeedSeed seed in row.Seeds)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{PlainText.Csv(row.Model)},{PlainText.Csv(row.Arm)},{seed.Seed},{seed.Epochs},{seed.Target},"
                    + $"{seed.Reached?.Processor},{seed.Reached?.Wall},");
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{seed.Whole.Processor},{seed.Whole.Wall},{seed.Clean},{seed.Robust},{seed.AutoAttack},"
                    + $"{seed.NearlyReached?.Processor},{seed.NearlyReached?.Wall},{seed.AutoAttackSamples}\n");
            }
        }

        return text.ToString();
    }

    private static SpeedTable Table(SpeedResult result, string heading, Level level, Clock[] clocks)
    {
        IReadOnlyList<string> baselines = [.. result.Rows.Where(row => row.IsBaseline).Select(row => row.Arm).Distinct()];
        return new SpeedTable(
            heading,
            [
                "network", "arm", ">seeds", .. clocks.Select(clock => $">to {level.Name}, {clock.Unit}"),
                .. baselines.SelectMany(baseline => clocks.Select(clock => $">{baseline} / arm, {clock.Unit}")),
            ],
            [.. result.Rows.Select(row => (IReadOnlyList<string>)
            [
                .. Name(row), .. clocks.Select(clock => Reached(row, level, clock)),
                .. baselines.Select(baseline => result.Rows.FirstOrDefault(
                    other => other.Model == row.Model && other.Arm == baseline)).SelectMany(
                    baseline => clocks.Select(clock => Sooner(row, baseline, level, clock))),
            ])]);
    }

    private static string[] Name(SpeedRow row) =>
        [row.Model, row.Arm, row.Seeds.Count.ToString(CultureInfo.InvariantCulture)];

    // All are attacked on as many.
    private static string Images(SpeedResult result) =>
        result.Rows.SelectMany(row => row.Seeds).Select(seed => seed.AutoAttackSamples).FirstOrDefault(
            samples => samples is not null) is { } samples
            ? string.Create(CultureInfo.InvariantCulture, $" ({samples:N0} images)")
            : "";

    private static string AutoAttack(SpeedRow row)
    {
        if (row.Over(seed => seed.AutoAttack) is not { } spread)
            return None;
        string text = spread.Text("F2", 100);
        return spread.Count == 1 && row.Seeds.First(seed => seed.AutoAttack is not null).AutoAttackSamples is { } samples
            ? $"{text} ({Interval(spread.Mean, samples)})"
            : text;
    }

    // In percent.
    private static string Interval(double share, int samples)
    {
        var interval = WilsonInterval.Of((int)Math.Round(share * samples), samples);
        return string.Create(CultureInfo.InvariantCulture, $"{100 * interval.Low:F1} to {100 * interval.High:F1}");
    }

    private static string Reached(SpeedRow row, Level level, Clock clock)
    {
        if (row.Over(seed => level.Reached(seed) is { } reached ? clock.Seconds(reached) : null) is not { } spread)
            return NotReached;
        return OfSeeds(spread.Text("N1"), spread.Count, row);
    }

    private static string Sooner(SpeedRow row, SpeedRow? baseline, Level level, Clock clock) =>
        baseline is not null && row.Sooner(baseline, level.Reached, clock.Seconds) is { } ratio
            ? OfSeeds(ratio.Text("F2"), ratio.Count, row)
            : None;

    private static string OfSeeds(string text, int seeds, SpeedRow row) => seeds == row.Seeds.Count ? text
        : string.Create(CultureInfo.InvariantCulture, $"{text} ({seeds} of {row.Seeds.Count} seeds)");

    private sealed record Level(string Name, Func<SpeedSeed, ElapsedSeconds?> Reached);

    private sealed record Clock(string Unit, Func<ElapsedSeconds, double> Seconds);
}
