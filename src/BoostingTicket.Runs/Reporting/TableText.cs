using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;


namespace BoostingTicket.Runs.Reporting;

/// <summary>The final table of a run, cell by cell, for the terminal and for Markdown.</summary>
public static class TableText
{
    private const string None = "–";

    /// <summary>Headers (those of numbers begin with <c>&gt;</c>) and rows.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Cells(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        RunConfiguration configuration = result.Configuration;
        bool stops = StopsEarly(configuration);
        List<string> headers = ["arm", ">clean %", $">{RunSummary.AttackName(configuration)} %"];
        if (stops)
            headers.AddRange([">best epoch", ">stopped at"]);
        headers.AddRange([">pruning s", ">training s", ">total s", ">ratio"]);
        var rows = new List<IReadOnlyList<string>>();
        foreach (ArmSummary row in RunSummary.Of(result))
        {
            List<string> cells = [SettingNames.Of(row.Arm), row.Clean.Text("F2", 100), row.Robust.Text("F2", 100)];
            if (stops)
                cells.AddRange([row.BestEpoch.Text("0.#"), row.EpochsRun.Text("0.#")]);
            cells.AddRange(
            [
                row.Arm == Arm.Dense ? None : row.PruningSeconds.Text("F1"), row.TrainingSeconds.Text("F1"),
                row.TotalSeconds.Text("F1"),
                row.Ratio?.Text("F2") ?? None,
            ]);
            rows.Add(cells);
        }

        return (headers, rows);
    }

    /// <summary>Whether any training of the run may stop early.</summary>
    public static bool StopsEarly(RunConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return (configuration.Retrain.EarlyStopping ?? configuration.Dense.EarlyStopping) is not null;
    }

    /// <summary>What the numbers mean, in a sentence.</summary>
    public static string Caption(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        int samples = result.Seeds.SelectMany(seed => seed.Arms).Select(arm => arm.Best.Samples).FirstOrDefault();
        int done = result.Seeds.Count(seed => seed.Arms.Count > 0);
        string seeds = done > 1 ? $", mean ± standard deviation of {done} seeds" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Accuracies on {samples:N0} test images of the weights that were best on validation{seeds}; seconds without "
            + $"validation; ratio to the dense total.");
    }

    /// <summary>Writes the table and its caption for a terminal.</summary>
    public static void Write(RunResult result, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = Cells(result);
        var table = new TextTable(headers);
        foreach (IReadOnlyList<string> row in rows)
            table.Add(row);
        table.Write(writer);
        writer.WriteLine(Caption(result));
    }
}
