using System.Globalization;

namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>An experiment's tables cell by cell, for the terminal and for Markdown. Headers of numbers begin with
/// <c>&gt;</c>.</summary>
internal static class ExperimentTables
{
    /// <summary>What the distances are, in a sentence.</summary>
    public const string DistanceNote =
        "‖w_full − w_ticket‖₂ / ‖w_full‖₂ over all prunable weights, pruned ones as zeros: of the ticket before training to its "
        + "trained "
        + "donor, and after training to the donor and to the trained full network, where the experiment has one.";

    private const string None = "–";

    /// <summary>The paper's values, ours, differences.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Comparison(ExperimentResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var rows = new List<IReadOnlyList<string>>();
        foreach (ComparedRow row in result.Rows)
        {
            string unit = QuantityText.Of(row.Unit), format = QuantityText.Format(row.Unit);
            string paper = row.Paper is { } value
                ? (value.IsRounded ? "≈ " : "") + value.Value.ToString(
                    value.IsRounded ? "0.##" : format, CultureInfo.InvariantCulture)
                : None;
            rows.Add(
            [
                row.Item, unit.Length == 0 ? row.Measure : $"{row.Measure}, {unit}", paper, row.Ours.Text(format),
                row.Difference is { } difference ? QuantityText.Signed(difference, row.Unit) : None,
            ]);
        }
        return (["", "measure", ">paper", ">ours", ">difference"], rows);
    }

    /// <summary>Tickets with their weight distances.</summary>
    public static (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Tickets(ExperimentResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return (["ticket", ">seed", ">pruned %", ">at start to donor", ">trained to donor", ">trained to dense"],
        [
            .. result.Tickets.Select(row => (IReadOnlyList<string>)
            [
                row.Training, row.Seed.ToString(CultureInfo.InvariantCulture),
                (100 * row.Sparsity).ToString("F2", CultureInfo.InvariantCulture),
                row.StartDistance.ToString("F4", CultureInfo.InvariantCulture),
                row.DonorDistance.ToString("F4", CultureInfo.InvariantCulture),
                row.DenseDistance?.ToString("F4", CultureInfo.InvariantCulture) ?? None,
            ]),
        ]);
    }

    /// <summary>Explains the numbers, in a sentence.</summary>
    public static string Caption(ExperimentResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        int seeds = result.Configuration.Base.Seeds;
        string spread = seeds > 1
            ? FormattableString.Invariant($"Mean ± standard deviation of {seeds} seeds; differences are those of the mean.")
            : "One seed only, so the spread is unknown.";
        return result.Caveat is null ? spread : $"{result.Caveat} {spread}";
    }
}
