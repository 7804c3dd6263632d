namespace BoostingTicket.Runs.Experiments.Reports;

/// <summary>A table. Headers of numbers begin with <c>&gt;</c>.</summary>
internal sealed record SpeedTable(string Heading, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>Headers and rows.</summary>
    public (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) Content => (Headers, Rows);

    /// <summary>The same table without some of its columns.</summary>
    public SpeedTable Without(Func<string, bool> left)
    {
        int[] kept = [.. Headers.Index().Where(header => !left(header.Item)).Select(header => header.Index)];
        return this with
        {
            Headers = [.. kept.Select(index => Headers[index])],
            Rows = [.. Rows.Select(row => (IReadOnlyList<string>)[.. kept.Select(index => row[index])])],
        };
    }
}
