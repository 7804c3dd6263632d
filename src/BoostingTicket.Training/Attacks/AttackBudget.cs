using System.Globalization;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>Where an attack starts.</summary>
internal enum AttackStart
{
    /// <summary>At the clean image.</summary>
    Zero,

    /// <summary>At a uniform random point of the L∞ ball, clamped to [0, 1].</summary>
    Random,

    /// <summary>At the clean image plus normally distributed noise, not clamped before the first step.</summary>
    Normal,
}

/// <summary>What an L∞ attack may do, in pixel units of [0, 1]. Attacks refuse one that cannot move an image
/// (<see cref="Validate"/>), such as one that was made without naming every value.</summary>
/// <param name="Epsilon">Radius of the ball (<see cref="PixelBall.Radius"/>).</param>
/// <param name="StepSize">Size of a step.</param>
/// <param name="Steps">Gradient steps.</param>
/// <param name="Start">Where it starts.</param>
/// <param name="Restarts">Attempts from different starts; the worst of each sample is kept.</param>
/// <param name="Loss">Loss that is raised.</param>
internal readonly record struct AttackBudget(
    float Epsilon, float StepSize, int Steps, AttackStart Start, int Restarts, LossKind Loss)
{
    /// <summary>Radius of <see cref="AttackStart.Random"/>, deviation of <see cref="AttackStart.Normal"/>.</summary>
    public float StartRadius { get; init; } = Epsilon;

    /// <summary>Whether a radius of 0 is meant: every image then stays as it is, and robust accuracy is clean accuracy.
    /// <see cref="Pgd"/> and <see cref="Fgsm"/> take a radius of 0 that they are given for meant.</summary>
    public bool AllowsNoRadius { get; init; }

    /// <summary>What it is called: PGD-20.</summary>
    public string Name => Start == AttackStart.Zero && Steps == 1 ? "FGSM"
        : FormattableString.Invariant($"{(Loss == LossKind.CrossEntropy ? "PGD" : "C&W")}-{Steps}");

    /// <summary>Why its result flatters any network, in a sentence; null where it does not.</summary>
    public string? Weakness =>
        Epsilon == 0 ? NoRadius
        : Steps * (double)StepSize >= Epsilon * (1 - RelativeRounding) ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Name} with steps of {StepSize:0.######} cannot cross its ball: {Steps} of them come "
            + $"{Steps * (double)StepSize:0.######} far, ε is {Epsilon:0.######}; robust accuracy is "
            + $"overestimated, so raise the step size or the number of steps.");

    /// <summary>What to say of every attack without a radius.</summary>
    internal const string NoRadius =
        "ε is 0, so that nothing was attacked: robust accuracy is clean accuracy; give ε a value above 0 to attack.";

    private const double RelativeRounding = 1e-5;

    /// <summary>FGSM (Goodfellow et al., 2015) as the paper trains donors with it: one step of ε from the clean image.</summary>
    public static AttackBudget Fgsm(float epsilon, LossKind loss = LossKind.CrossEntropy) =>
        new(epsilon, epsilon, 1, AttackStart.Zero, 1, loss) { AllowsNoRadius = epsilon == 0 };

    /// <summary>PGD (Madry et al., 2017) with the settings' steps and restarts, from random starts.</summary>
    public static AttackBudget Pgd(AttackSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new(
            PixelBall.Radius(settings.Epsilon), (float)settings.StepSize, settings.Steps, AttackStart.Random, settings.Restarts,
            settings.Loss)
        {
            AllowsNoRadius = settings.Epsilon == 0,
        };
    }

    /// <summary>Refuses an attack that cannot move an image, since its result would be that everything is robust.</summary>
    /// <exception cref="ConfigurationException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        if (!(Epsilon >= 0 && float.IsFinite(Epsilon)))
            throw Cannot($"Epsilon is {Epsilon}", "give a radius above 0");
        if (Epsilon == 0 && !AllowsNoRadius)
            throw Cannot($"Epsilon is 0", "give a radius above 0, or set AllowsNoRadius where clean accuracy is meant");
        if (Steps < 1)
            throw Cannot($"Steps is {Steps}", "give 1 or more");
        if (Restarts < 1)
            throw Cannot($"Restarts is {Restarts}", "give 1 or more");
        if (Epsilon > 0 && !(StepSize > 0 && float.IsFinite(StepSize)))
            throw Cannot($"StepSize is {StepSize}", "give a size above 0");
        if (!(StartRadius >= 0 && float.IsFinite(StartRadius)))
            throw Cannot($"StartRadius is {StartRadius}", "give 0 or more");
    }

    private static ConfigurationException Cannot(FormattableString what, string remedy) =>
        new($"The attack's {FormattableString.Invariant(what)}, with which it cannot attack; {remedy}.");
}
