using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>PGD training (Madry et al., 2017).</summary>
internal sealed class PgdTraining : AttackedTraining
{
    /// <inheritdoc/>
    public override TrainingMethod Method => TrainingMethod.Pgd;

    /// <inheritdoc/>
    public override string Description => "PGD: several steps of the attack from a random start (Madry et al., 2017)";

    /// <inheritdoc/>
    public override bool TakesStepSize => true;

    /// <inheritdoc/>
    public override int AttackSteps(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(attack);
        return attack.Steps * attack.Restarts;
    }

    /// <inheritdoc/>
    protected override AttackBudget Budget(AttackSettings attack, MethodSettings options) => AttackBudget.Pgd(attack);
}
