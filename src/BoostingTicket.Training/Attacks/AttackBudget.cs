using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>Where an attack starts.</summary>
public enum AttackStart
{
    /// <summary>At the clean image.</summary>
    Zero,

    /// <summary>At a uniform random point of the L∞ ball, clamped to [0, 1].</summary>
    Random,

    /// <summary>At the clean image plus normally distributed noise, not clamped before the first step.</summary>
    Normal,
}

/// <summary>What an L∞ attack may do, in pixel units of [0, 1].</summary>
/// <param name="Epsilon">Radius of the ball (<see cref="PixelBall.Radius"/>).</param>
/// <param name="StepSize">Size of a step.</param>
/// <param name="Steps">Gradient steps.</param>
/// <param name="Start">Where it starts.</param>
/// <param name="Restarts">Attempts from different starts; the worst of each sample is kept.</param>
/// <param name="Loss">Loss that is raised.</param>
public readonly record struct AttackBudget(
    float Epsilon, float StepSize, int Steps, AttackStart Start, int Restarts, LossKind Loss)
{
    /// <summary>Radius of <see cref="AttackStart.Random"/>, deviation of <see cref="AttackStart.Normal"/>.</summary>
    public float StartRadius { get; init; } = Epsilon;

    /// <summary>FGSM (Goodfellow et al., 2015) as the paper trains donors with it: one step of ε from the clean image.</summary>
    public static AttackBudget Fgsm(float epsilon, LossKind loss = LossKind.CrossEntropy) =>
        new(epsilon, epsilon, 1, AttackStart.Zero, 1, loss);

    /// <summary>PGD (Madry et al., 2017) with the settings' steps and restarts, from random starts.</summary>
    public static AttackBudget Pgd(AttackSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new(
            PixelBall.Radius(settings.Epsilon), (float)settings.StepSize, settings.Steps, AttackStart.Random, settings.Restarts,
            settings.Loss);
    }
}
