using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting;

/// <summary>The final table of a run, cell by cell, for the terminal and for Markdown.</summary>
internal static class TableText
{
    private const string None = "–";
    private const double PerTera = 1e-12;

    /// <summary>Headers (those of numbers begin with <c>&gt;</c>) and rows.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Cells(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        RunConfiguration configuration = result.Configuration;
        bool stops = StopsEarly(configuration);
        List<string> headers = ["arm", ">clean %", $">{RunSummary.AttackName(configuration)} %"];
        if (stops)
            headers.AddRange([">best epoch", ">stopped at"]);
        IReadOnlyList<ArmSummary> arms = RunSummary.Of(result);
        bool timed = arms.Any(arm => arm.TimeRatio is not null);
        headers.AddRange([">steps", ">TFLOP", ">of dense", ">processor s", ">s"]);
        if (timed)
            headers.Add(">s of dense");
        var rows = new List<IReadOnlyList<string>>();
        foreach (ArmSummary row in arms)
        {
            List<string> cells = [SettingNames.Of(row.Arm), row.Clean.Text("F2", 100), row.Robust.Text("F2", 100)];
            if (stops)
                cells.AddRange([row.BestEpoch.Text("0.#"), row.EpochsRun.Text("0.#")]);
            cells.AddRange(
            [
                row.Steps?.Text("N0") ?? None, row.Operations?.Text("N2", PerTera) ?? None,
                row.OperationRatio?.Text("F2") ?? None, row.ProcessorSeconds?.Text("F1") ?? None, row.TotalSeconds.Text("F1"),
            ]);
            if (timed)
                cells.Add(row.TimeRatio?.Text("F2") ?? None);
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
            $"Accuracies on {samples:N0} test images of the weights that were best on validation{seeds}; steps, operations of "
            + $"kept "
            + $"weights and seconds include the ticket's donor, not validation.{Disturbance(result)}");
    }

    /// <summary>Says that other processes disturbed the measured seconds; empty where they did not.</summary>
    private static string Disturbance(RunResult result)
    {
        IEnumerable<EpochRecord> epochs = result.Seeds.SelectMany(seed => (IEnumerable<EpochRecord>)[.. seed.Donor,
            .. seed.WinningDonor, .. seed.Arms.SelectMany(arm => arm.History)]);
        string? busy = BusyMachine.Tell(epochs.Select(epoch => epoch.Work).OfType<TrainingWork>());
        return busy is null ? "" : $" {busy}";
    }

    /// <summary>Writes the table and its caption for a terminal.</summary>
    /// <param name="result">The run.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static void Write(RunResult result, TextWriter writer, int width)
    {
        ArgumentNullException.ThrowIfNull(writer);
        (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = Cells(result);
        var table = new TextTable(headers);
        foreach (IReadOnlyList<string> row in rows)
            table.Add(row);
        table.Write(writer);
        foreach (string line in TextWrap.Lines(Caption(result), width))
            writer.WriteLine(line);
    }
}
