using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>A method that attacks the images of a batch and then trains on what the attack made of them.</summary>
internal abstract class AttackedTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public abstract TrainingMethod Method { get; }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <inheritdoc/>
    public virtual bool TakesStepSize => false;

    /// <inheritdoc/>
    public virtual int AttackSteps(TrainingSettings settings, AttackSettings attack) => 1;

    /// <inheritdoc/>
    public virtual double Radius(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(attack);
        return attack.Epsilon;
    }

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => AttackedStep.Plans(batch, attack);

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new AttackedStep(context, Budget(context.Attack, context.Settings.MethodOptions));
    }

    /// <summary>The attack of a step.</summary>
    /// <param name="attack">The attack that the network is to withstand.</param>
    /// <param name="options">Settings of methods.</param>
    protected abstract AttackBudget Budget(AttackSettings attack, MethodSettings options);
}
