namespace BoostingTicket.Training.Optimization;

/// <summary>What single training methods take besides the attack's settings; the defaults are those of their papers. The others
/// ignore them. What takes settings throws <see cref="ConfigurationException"/> for a value out of its range.</summary>
public sealed record MethodSettings
{
    /// <summary>Step of <see cref="TrainingMethod.FgsmRs"/> as a multiple of ε, above 0 and up to 100.</summary>
    public double FgsmRsStep { get; init; } = 1.25;

    /// <summary>Radius of the noise of <see cref="TrainingMethod.NFgsm"/> as a multiple of ε, from 0 to 100.</summary>
    public double Noise { get; init; } = 2;

    /// <summary>Step of <see cref="TrainingMethod.NFgsm"/> as a multiple of ε, above 0 and up to 100.</summary>
    public double NoiseStep { get; init; } = 1;

    /// <summary>m of <see cref="TrainingMethod.Free"/>: times in a row that a batch is trained on, from 1 to
    /// 1,000.</summary>
    public int Replays { get; init; } = 8;

    /// <summary>K of <see cref="TrainingMethod.Yopo"/>: propagations through the whole network for one step of the weights,
    /// from 1 to 1,000.</summary>
    public int OuterSteps { get; init; } = 5;

    /// <summary>n of <see cref="TrainingMethod.Yopo"/>: steps of the images through the first layer after each propagation,
    /// from 1 to 1,000.</summary>
    public int InnerSteps { get; init; } = 3;

    /// <summary>β of <see cref="TrainingMethod.Trades"/>: weight of the divergence, from 0 to 10,000.</summary>
    public double Beta { get; init; } = 6;

    /// <summary>Checks the ranges.</summary>
    /// <param name="group">Path of these settings in a configuration, with a dot behind; empty for none.</param>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    internal void Validate(string group)
    {
        Require.Above($"{group}fgsmRsStep", FgsmRsStep, 0, 100);
        Require.InRange($"{group}noise", Noise, 0, 100);
        Require.Above($"{group}noiseStep", NoiseStep, 0, 100);
        Require.InRange($"{group}replays", Replays, 1, 1_000);
        Require.InRange($"{group}outerSteps", OuterSteps, 1, 1_000);
        Require.InRange($"{group}innerSteps", InnerSteps, 1, 1_000);
        Require.InRange($"{group}beta", Beta, 0, 10_000);
    }
}
