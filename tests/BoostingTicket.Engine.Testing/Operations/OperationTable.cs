namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Cases of the table that are run as one test: those whose names start with the same two words (the operation and,
/// for most, the shape), because a test platform handles a few hundred tests far better than thousands.</summary>
/// <param name="Name">The two words.</param>
/// <param name="Cases">The cases.</param>
internal sealed record OperationGroup(string Name, IReadOnlyList<OperationCase> Cases)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Every case that every backend must pass. A new operation adds its cases to a family here and nothing else.</summary>
internal static class OperationTable
{
    /// <summary>All cases, with unique names.</summary>
    public static IReadOnlyList<OperationCase> Cases { get; } =
    [
        .. ConvolutionCases.Cases(),
        .. SparseConvolutionCases.Cases(),
        .. PrepareCases.Cases(),
        .. NormalizationCases.Cases(),
        .. ElementwiseCases.Cases(),
        .. LossCases.Cases(),
        .. AttackCases.Cases(),
        .. DataCases.Cases(),
        .. ParameterCases.Cases(),
        .. ChainCases.Cases(),
        .. NotANumberCases.Cases(),
    ];

    /// <summary>The same cases in groups.</summary>
    public static IReadOnlyList<OperationGroup> Groups { get; } = Group(Cases);

    /// <summary>The layers of networks that benchmarks time (<see cref="LayerShapes"/>), in groups: too large for simulated
    /// devices.</summary>
    public static IReadOnlyList<OperationGroup> LayerGroups { get; } = Group(ConvolutionCases.Layers());

    private static IReadOnlyList<OperationGroup> Group(IEnumerable<OperationCase> cases) =>
    [
        .. cases.GroupBy(operation => string.Join(' ', operation.Name.Split([' ', ','], 3).Take(2)))
            .Select(group => new OperationGroup(group.Key, [.. group])),
    ];
}
