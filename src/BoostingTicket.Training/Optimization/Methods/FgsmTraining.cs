using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>FGSM training from the clean image with a step of ε (Goodfellow et al., 2015), as the paper trains donors: weakly robust,
/// and meant to be.</summary>
internal sealed class FgsmTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.Fgsm;

    /// <inheritdoc/>
    public string Description => "FGSM: one step of ε from the clean image (Goodfellow et al., 2015; the paper's donors)";

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack) => 1;

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => AttackedStep.Plans(batch, attack);

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new AttackedStep(context, AttackBudget.Fgsm(PixelBall.Radius(context.Attack.Epsilon), context.Attack.Loss));
    }
}
