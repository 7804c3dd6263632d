using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Runs.Reporting;

/// <summary>What a training step of each arm costs: multiply-adds that are kept, predicted and measured time.</summary>
internal static class StepTable
{
    /// <summary>What the numbers mean, in a sentence.</summary>
    public const string Caption =
        "A step: multiply-adds of kept weights in an image's forward pass; predicted, convolutions alone on one "
        + "core, by measured prices; measured, mean of the training, whatever else the machine did, so that its share of dense, "
        + "seed by seed, needs two seeds.";

    private const string None = "–";

    /// <summary>Headers (those of numbers begin with <c>&gt;</c>) and rows, means of the seeds; no rows for results of earlier
    /// versions.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Cells(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        string[] headers =
            ["arm", ">multiply-adds", ">of dense %", ">predicted ms", ">of dense %", ">measured ms", ">of dense %"];
        Means? dense = result.Configuration.Arms.Contains(Arm.Dense) ? Of(Arm.Dense) : null;
        var rows = new List<IReadOnlyList<string>>();
        foreach (Arm arm in result.Configuration.Arms)
        {
            if (Of(arm) is { } means)
                rows.Add(
                [
                    SettingNames.Of(arm), means.MultiplyAdds.ToString("N0", CultureInfo.InvariantCulture),
                    Share(means.MultiplyAdds, dense?.MultiplyAdds), Milliseconds(means.Forecast),
                    Share(means.Forecast, dense?.Forecast), Milliseconds(means.Seconds), MeasuredShare(arm),
                ]);
        }

        return (headers, rows);

        Means? Of(Arm arm)
        {
            // A run that goes on lacks arms.
            StepWork?[] work = [.. result.Seeds.SelectMany(seed => seed.Arms).Where(entry => entry.Arm == arm).Select(
                entry => entry.Step)];
            return work.Length == 0 || work.Any(step => step is null) ? null : new Means(
                work.Average(step => step!.MultiplyAdds), work.Average(step => step!.ForecastSeconds),
                work.Average(step => step!.Seconds));
        }

        string MeasuredShare(Arm arm)
        {
            double[] shares =
            [
                .. from seed in result.Seeds
                   let own = SecondsOf(seed, arm)
                   let full = SecondsOf(seed, Arm.Dense)
                   where own is not null && full > 0
                   select own.Value / full.Value,
            ];
            return shares.Length < 2 ? None : Spread.Of(shares).Text("F1", 100);
        }

        static double? SecondsOf(SeedResult seed, Arm arm) =>
            seed.Arms.FirstOrDefault(entry => entry.Arm == arm)?.Step?.Seconds;
    }

    /// <summary>Writes the table for a terminal, without its caption; nothing where there are no rows.</summary>
    public static void Write(RunResult result, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = Cells(result);
        if (rows.Count == 0)
            return;
        var table = new TextTable(headers);
        foreach (IReadOnlyList<string> row in rows)
            table.Add(row);
        table.Write(writer);
    }

    private static string Milliseconds(double? seconds) =>
        seconds is null ? None : (1000 * seconds.Value).ToString("F1", CultureInfo.InvariantCulture);

    private static string Share(double? value, double? dense) => value is null || dense is null or 0
        ? None
        : (100 * value.Value / dense.Value).ToString("F1", CultureInfo.InvariantCulture);

    private sealed record Means(double MultiplyAdds, double? Forecast, double? Seconds);
}
