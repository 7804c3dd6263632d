namespace BoostingTicket.Training.Data;

/// <summary>The error for a data set that is not where it was looked for.</summary>
internal static class MissingData
{
    /// <summary>The error.</summary>
    /// <param name="name">The data set.</param>
    /// <param name="candidates">Every path that would have done.</param>
    /// <param name="found">A sentence about something similar that is there, without its full stop; null for nothing.</param>
    public static DataException Error(string name, IReadOnlyList<string> candidates, string? found = null) => new(
        $"The data set {name} is missing: there is no {string.Join(" and no ", candidates)}; "
        + $"{(found is null ? "" : found + "; ")}"
        + $"run 'data fetch {name}', or name the folder that has it with {Setting.Named("dataFolder")} or "
            + $"{DataRoot.EnvironmentVariable}.");
}
