using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>Trains on what an attack makes of the images, as it is when the attack is over.</summary>
internal sealed class AttackedStep : MethodStep
{
    private readonly NetworkTarget? _target;
    private readonly ProjectedGradientDescent? _attack;

    /// <summary>Prepares attack and training.</summary>
    /// <param name="context">Network and settings.</param>
    /// <param name="budget">The attack; null to train on clean images.</param>
    public AttackedStep(MethodContext context, AttackBudget? budget) : base(context)
    {
        if (budget is not { } some)
            return;
        _target = new NetworkTarget(context.Network, context.Batch, context.Attack.Statistics);
        _attack = new ProjectedGradientDescent(_target, some);
    }

    /// <inheritdoc/>
    public override IStepObserver? Observer
    {
        get => base.Observer;
        set
        {
            base.Observer = value;
            if (_target is not null)
                _target.Observer = value;
        }
    }

    /// <inheritdoc/>
    public override Tensor Destination => _attack is null ? Buffers.Input : Buffers.Clean;

    /// <summary>The plans of training and, if there is one, of the attack.</summary>
    public static IEnumerable<PlanOptions> Plans(int batch, AttackSettings? attack)
    {
        yield return TrainingPlan(batch);
        if (attack is not null)
            yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, attack.Statistics);
    }

    /// <inheritdoc/>
    public override void Attack(int epoch) => _attack?.Run(Context.AttackKey, epoch);

    /// <inheritdoc/>
    public override void Train()
    {
        Forward();
        Backward();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _attack?.Dispose();
        base.Dispose(disposing);
    }
}
