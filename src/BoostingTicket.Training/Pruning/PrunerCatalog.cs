namespace BoostingTicket.Training.Pruning;

/// <summary>The pruners there are, by name. Adding one is one line in <see cref="All"/> and the class.</summary>
internal static class PrunerCatalog
{
    /// <summary>The name of <see cref="GlobalMagnitude"/>.</summary>
    internal const string Global = "global";

    /// <summary>The name of <see cref="LayerwiseMagnitude"/>.</summary>
    internal const string Layerwise = "layerwise";

    /// <summary>The name of <see cref="CostMagnitude"/>.</summary>
    public const string Cost = "cost";

    /// <summary>Every pruner; the default first.</summary>
    public static IReadOnlyList<IPruner> All { get; } =
    [
        new GlobalMagnitude(),
        new LayerwiseMagnitude(),
        new CostMagnitude(),
    ];

    /// <summary>The names of all pruners.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(pruner => pruner.Name)];

    /// <summary>The pruner of a name.</summary>
    /// <exception cref="ConfigurationException">There is no such pruner; the message names the nearest.</exception>
    public static IPruner Find(string name) =>
        All.FirstOrDefault(pruner => pruner.Name == name) ?? throw NearestName.Unknown("pruning scope", name, Names);
}
