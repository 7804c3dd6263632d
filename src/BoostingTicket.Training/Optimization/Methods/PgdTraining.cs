using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>PGD training (Madry et al., 2017).</summary>
internal sealed class PgdTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.Pgd;

    /// <inheritdoc/>
    public string Description => "PGD: several steps of the attack from a random start (Madry et al., 2017)";

    /// <inheritdoc/>
    public bool TakesStepSize => true;

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(attack);
        return attack.Steps * attack.Restarts;
    }

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => AttackedStep.Plans(batch, attack);

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new AttackedStep(context, AttackBudget.Pgd(context.Attack));
    }
}
