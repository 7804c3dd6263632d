using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>FGSM training from the clean image with a step of ε (Goodfellow et al., 2015), as the paper trains donors: weakly
/// robust, and meant to be.</summary>
internal sealed class FgsmTraining : AttackedTraining
{
    /// <inheritdoc/>
    public override TrainingMethod Method => TrainingMethod.Fgsm;

    /// <inheritdoc/>
    public override string Description =>
        "FGSM: one step of ε from the clean image (Goodfellow et al., 2015; the paper's donors)";

    /// <inheritdoc/>
    protected override AttackBudget Budget(AttackSettings attack, MethodSettings options) =>
        AttackBudget.Fgsm(PixelBall.Radius(attack.Epsilon), attack.Loss);
}
