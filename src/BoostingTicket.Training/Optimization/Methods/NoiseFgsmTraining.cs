using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>N-FGSM (de Jorge et al., "Make some noise", 2022): uniform noise of radius 2 ε, then a step of ε, clamped to [0, 1]
/// after each but never clipped to the ball of ε.</summary>
internal sealed class NoiseFgsmTraining : AttackedTraining
{
    /// <inheritdoc/>
    public override TrainingMethod Method => TrainingMethod.NFgsm;

    /// <inheritdoc/>
    public override string Description =>
        "N-FGSM: noise of ±2 ε, then one step of ε, not clipped to the ball (de Jorge et al., 2022)";

    /// <inheritdoc/>
    public override double Radius(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(attack);
        return (settings.MethodOptions.Noise + settings.MethodOptions.NoiseStep) * attack.Epsilon;
    }

    /// <inheritdoc/>
    protected override AttackBudget Budget(AttackSettings attack, MethodSettings options)
    {
        double noise = options.Noise * attack.Epsilon, step = options.NoiseStep * attack.Epsilon;
        // The ball that noise and step reach together clips nothing.
        return new AttackBudget(PixelBall.Radius(noise + step), (float)step, 1, AttackStart.Random, 1, attack.Loss)
        {
            StartRadius = PixelBall.Radius(noise),
            AllowsNoRadius = attack.Epsilon == 0,
        };
    }
}
