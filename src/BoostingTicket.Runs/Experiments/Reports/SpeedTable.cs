namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>A table. Headers of numbers begin with <c>&gt;</c>.</summary>
internal sealed record SpeedTable(string Heading, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>Headers and rows.</summary>
    public (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Content => (Headers, Rows);
}
