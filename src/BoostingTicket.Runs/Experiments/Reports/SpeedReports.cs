using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>Times to equal robustness as tables. Headers of numbers begin with <c>&gt;</c>.</summary>
internal static class SpeedReports
{
    /// <summary>What the table shows.</summary>
    public const string Heading = "Time to the robustness of the full network";

    private const string None = "–", NotReached = "not reached";

    /// <summary>A row for each network and way of training, over all seeds, without the seconds that passed: for terminals, which
    /// are narrow.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) BriefTable(SpeedResult result)
    {
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = Table(result);
        int[] kept = [.. headers.Index().Where(header => !header.Item.EndsWith(", s", StringComparison.Ordinal)).Select(
            header => header.Index)];
        return ([.. kept.Select(index => headers[index])], [.. rows.Select(row => kept.Select(index => row[index]).ToList())]);
    }

    /// <summary>A row for each network and way of training, over all seeds.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Table(SpeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        IReadOnlyList<string> yardsticks = [.. result.Rows.Where(row => row.IsYardstick).Select(row => row.Arm).Distinct()];
        return (
        [
            "network", "arm", ">seeds", ">clean %", ">PGD %", ">AutoAttack %", ">whole, CPU s", ">whole, s",
            ">to equal robustness, CPU s", ">to equal robustness, s",
            .. yardsticks.SelectMany(yardstick => (string[])[$">{yardstick} / arm, CPU s", $">{yardstick} / arm, s"]),
        ],
        [.. result.Rows.Select(row => (IReadOnlyList<string>)
        [
            row.Model, row.Arm, row.Seeds.Count.ToString(CultureInfo.InvariantCulture),
            row.Over(seed => seed.Clean).Text("F2", 100), row.Over(seed => seed.Robust).Text("F2", 100),
            row.Over(seed => seed.AutoAttack)?.Text("F2", 100) ?? None,
            row.Over(seed => seed.Whole.Processor).Text("N1"), row.Over(seed => seed.Whole.Wall).Text("N1"),
            Reached(row, seconds => seconds.Processor), Reached(row, seconds => seconds.Wall),
            .. yardsticks.Select(yardstick => result.Rows.FirstOrDefault(
                other => other.Model == row.Model && other.Arm == yardstick)).SelectMany(yardstick => (string[])
                [
                    Sooner(row, yardstick, seconds => seconds.Processor), Sooner(row, yardstick, seconds => seconds.Wall),
                ]),
        ])]);
    }

    /// <summary>Explains the table, in a few sentences.</summary>
    public static string Note(SpeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Points.Count == 0)
            return "";
        CoursePoint point = result.Points[0];
        SpeedSeed dense = result.Rows[0].Seeds[0];
        var interval = WilsonInterval.Of((int)Math.Round(dense.Robust * point.Samples), point.Samples);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Equal robustness is the accuracy under PGD that the full network (dense) of the same seed has at its end, on "
            + $"{point.Samples} test images ({100 * dense.Robust:F2} % is {100 * interval.Low:F1} to {100 * interval.High:F1} % "
            + $"with 95 % confidence). A training reaches it in the first epoch that ends with as much or more, at the time on "
            + $"the straight line from the epoch before. CPU s are seconds of all processors that training used; s are seconds "
            + $"that passed. Those of a ticket's donor count, evaluations do not. \"dense / arm\" is the full network's time "
            + $"over the arm's, over the seeds in which both reach it: above 1 the arm is sooner. AutoAttack is that of the last "
            + $"weights on the first test images.");
    }

    /// <summary>A line for each training.</summary>
    public static string Csv(SpeedResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = new StringBuilder(
            "model,arm,seed,epochs,target,reached_processor_seconds,reached_wall_seconds,processor_seconds,wall_seconds,"
            + "clean,robust,autoattack\n");
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
                    $"{seed.Whole.Processor},{seed.Whole.Wall},{seed.Clean},{seed.Robust},{seed.AutoAttack}\n");
            }
        }

        return text.ToString();
    }

    private static string Reached(SpeedRow row, Func<ElapsedSeconds, double> value)
    {
        if (row.Over(seed => seed.Reached is { } reached ? value(reached) : null) is not { } spread)
            return NotReached;
        string text = spread.Text("N1");
        return spread.Count == row.Seeds.Count ? text
            : string.Create(CultureInfo.InvariantCulture, $"{text} ({spread.Count} of {row.Seeds.Count} seeds)");
    }

    private static string Sooner(SpeedRow row, SpeedRow? yardstick, Func<ElapsedSeconds, double> value) =>
        yardstick is null ? None : row.Sooner(yardstick, value)?.Text("F2") ?? None;
}
