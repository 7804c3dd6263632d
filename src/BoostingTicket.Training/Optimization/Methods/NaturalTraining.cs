using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>Training on clean images.</summary>
internal sealed class NaturalTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.Natural;

    /// <inheritdoc/>
    public string Description => "training on clean images";

    /// <inheritdoc/>
    public bool IsAdversarial => false;

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack) => 0;

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => AttackedStep.Plans(batch, null);

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context) => new AttackedStep(context, null);
}
