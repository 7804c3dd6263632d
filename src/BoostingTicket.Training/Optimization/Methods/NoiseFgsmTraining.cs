using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>N-FGSM (de Jorge et al., "Make some noise", 2022): uniform noise of radius 2 ε, then a step of ε, clamped to [0, 1] after
/// each but never clipped to the ball of ε.</summary>
internal sealed class NoiseFgsmTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.NFgsm;

    /// <inheritdoc/>
    public string Description => "N-FGSM: noise of ±2 ε, then one step of ε, not clipped to the ball (de Jorge et al., 2022)";

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack) => 1;

    /// <inheritdoc/>
    public double Radius(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(attack);
        return (settings.MethodOptions.Noise + settings.MethodOptions.NoiseStep) * attack.Epsilon;
    }

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => AttackedStep.Plans(batch, attack);

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        AttackSettings attack = context.Attack;
        MethodSettings options = context.Settings.MethodOptions;
        double noise = options.Noise * attack.Epsilon, step = options.NoiseStep * attack.Epsilon;
        // The ball that noise and step reach together clips nothing.
        float radius = PixelBall.Radius(noise + step);
        return new AttackedStep(context, new AttackBudget(radius, (float)step, 1, AttackStart.Random, 1, attack.Loss)
        {
            StartRadius = PixelBall.Radius(noise),
            AllowsNoRadius = attack.Epsilon == 0,
        });
    }
}
