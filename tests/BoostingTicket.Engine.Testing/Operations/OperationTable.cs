namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Every case that every backend must pass. A new operation adds its cases to a family here and nothing else.</summary>
public static class OperationTable
{
    /// <summary>All cases, with unique names.</summary>
    public static IReadOnlyList<OperationCase> Cases { get; } =
    [
        .. ConvolutionCases.Cases(),
        .. SparseConvolutionCases.Cases(),
        .. NormalizationCases.Cases(),
        .. ElementwiseCases.Cases(),
        .. LossCases.Cases(),
        .. AttackCases.Cases(),
        .. DataCases.Cases(),
        .. ParameterCases.Cases(),
        .. ChainCases.Cases(),
        .. NotANumberCases.Cases(),
    ];
}
