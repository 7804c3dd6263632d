namespace BoostingTicket.Engine.Graph;

/// <summary>What a parameter is, which decides its initial values, whether it decays and where it is stored.</summary>
internal enum ParameterRole
{
    /// <summary>Weight of a convolution: outputs x inputs x rows x columns.</summary>
    ConvolutionWeight,

    /// <summary>Weight of a linear layer: outputs x inputs.</summary>
    LinearWeight,

    /// <summary>Bias of a convolution or linear layer.</summary>
    Bias,

    /// <summary>γ of a normalisation.</summary>
    NormalizationScale,

    /// <summary>β of a normalisation.</summary>
    NormalizationShift,

    /// <summary>Running mean of a normalisation; a statistic, not trained.</summary>
    RunningMean,

    /// <summary>Running variance of a normalisation; a statistic, not trained.</summary>
    RunningVariance,
}

/// <summary>A parameter that a layer declares.</summary>
/// <param name="LocalName">Name below the layer's, as in PyTorch: <c>weight</c>, <c>bias</c>, <c>running_mean</c>.</param>
/// <param name="Dimensions">Shape in PyTorch's order.</param>
/// <param name="Role">What it is.</param>
/// <param name="Prunable">Whether pruning may remove single weights of it.</param>
internal sealed record ParameterSpec(string LocalName, IReadOnlyList<int> Dimensions, ParameterRole Role, bool Prunable = false)
{
    /// <summary>Multiply-adds of one sample's forward pass that each value takes part in: the pixels of a convolution's output;
    /// 1 for a linear layer. Not meant for other than weights.</summary>
    public int Uses { get; init; } = 1;

    /// <summary>Values.</summary>
    public int Length { get; } = Dimensions.Aggregate(1, (product, dimension) => product * dimension);
}
