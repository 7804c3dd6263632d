using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Attacks;

/// <summary>The attack that adversarial training defends against, in pixel units of [0, 1]. What takes settings throws
/// <see cref="ConfigurationException"/> for a value out of its range.</summary>
public sealed record AttackSettings
{
    /// <summary>Radius of the L∞ ball, from 0 to 1. 0, which has to be asked for, attacks nothing.</summary>
    public double Epsilon { get; init; } = 8.0 / 255;

    /// <summary>Size of a PGD step, above 0 and up to 1; FGSM takes one step of <see cref="Epsilon"/> instead.</summary>
    public double StepSize { get; init; } = 2.0 / 255;

    /// <summary>PGD steps, from 1 to 100,000.</summary>
    public int Steps { get; init; } = 10;

    /// <summary>Restarts of PGD from other random points, from 1 to 1,000; the worst result of each sample counts.</summary>
    public int Restarts { get; init; } = 1;

    /// <summary>Loss that the attack raises.</summary>
    public LossKind Loss { get; init; } = LossKind.CrossEntropy;

    /// <summary>Statistics that normalisation reads during the attack.</summary>
    public AttackStatistics Statistics { get; init; } = AttackStatistics.Running;

    /// <summary>Checks the ranges.</summary>
    /// <param name="group">Path of these settings in a configuration, with a dot behind; empty for none.</param>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    internal void Validate(string group)
    {
        Require.PixelDistance($"{group}epsilon", Epsilon);
        Require.PixelDistance($"{group}stepSize", StepSize);
        Require.Above($"{group}stepSize", StepSize, 0, 1);
        Require.InRange($"{group}steps", Steps, 1, 100_000);
        Require.InRange($"{group}restarts", Restarts, 1, 1_000);
    }
}
