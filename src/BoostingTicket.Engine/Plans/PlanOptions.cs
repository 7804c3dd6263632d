namespace BoostingTicket.Engine.Plans;

/// <summary>How a network runs.</summary>
internal enum PlanMode
{
    /// <summary>Batch statistics; running statistics are updated.</summary>
    Train,

    /// <summary>Running statistics, folded into the convolutions.</summary>
    Evaluate,

    /// <summary>For attacks: never writes running statistics; reads those that the options say.</summary>
    Attack,
}

/// <summary>What a backward pass produces.</summary>
[Flags]
internal enum GradientRequest
{
    /// <summary>There is no backward pass.</summary>
    None = 0,

    /// <summary>The gradient of the images. Alone, it skips every filter gradient: 30 % of a step's work.</summary>
    Input = 1,

    /// <summary>The gradients of the trained parameters.</summary>
    Parameters = 2,

    /// <summary>The gradients of the first layer's parameters are left out of the backward pass and come from
    /// <see cref="Plan.BackwardFirstLayer"/>, which may be asked for them at other images.</summary>
    FirstLayerApart = 4,
}

/// <summary>Statistics that batch normalisation reads while an attack runs.</summary>
public enum AttackStatistics
{
    /// <summary>Running statistics: the network that will be evaluated is attacked; cheapest.</summary>
    Running,

    /// <summary>Statistics of the attacked batch, as in Madry et al.'s code, except that running statistics stay.</summary>
    Batch,
}

/// <summary>What a plan is compiled for.</summary>
/// <param name="Batch">Samples.</param>
/// <param name="Mode">How the network runs.</param>
/// <param name="Gradients">What the backward pass produces.</param>
/// <param name="AttackStatistics">In <see cref="PlanMode.Attack"/>, the statistics that normalisation reads.</param>
internal readonly record struct PlanOptions(
    int Batch, PlanMode Mode, GradientRequest Gradients = GradientRequest.None,
    AttackStatistics AttackStatistics = AttackStatistics.Running)
{
    /// <summary>Whether normalisation uses the batch's own statistics.</summary>
    public bool UsesBatchStatistics =>
        Mode == PlanMode.Train || (Mode == PlanMode.Attack && AttackStatistics == AttackStatistics.Batch);

    /// <summary>Whether the backward pass produces the gradient of the images.</summary>
    public bool WantsInputGradient => Gradients.HasFlag(GradientRequest.Input);

    /// <summary>Whether the backward pass produces the gradients of the parameters.</summary>
    public bool WantsParameterGradients => Gradients.HasFlag(GradientRequest.Parameters);

    /// <summary>Whether the gradients of the first layer's parameters are computed apart.</summary>
    public bool WantsFirstLayerApart => Gradients.HasFlag(GradientRequest.FirstLayerApart);
}
