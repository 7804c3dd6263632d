using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>FGSM training from a uniform random point of the ball, projected onto it after a step of 1.25 ε (Wong, Rice and
/// Kolter, "Fast is better than free", 2020).</summary>
internal sealed class FgsmRandomStartTraining : AttackedTraining
{
    /// <inheritdoc/>
    public override TrainingMethod Method => TrainingMethod.FgsmRs;

    /// <inheritdoc/>
    public override string Description =>
        "FGSM from a random start: one step of 1.25 ε, projected onto the ball (Wong et al., 2020)";

    /// <inheritdoc/>
    protected override AttackBudget Budget(AttackSettings attack, MethodSettings options) =>
        new(PixelBall.Radius(attack.Epsilon), (float)(options.FgsmRsStep * attack.Epsilon), 1, AttackStart.Random, 1, attack.Loss)
        {
            AllowsNoRadius = attack.Epsilon == 0,
        };
}
