using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Attacks;

/// <summary>A network whose predictions an attack drives away from those of the clean images (TRADES), whatever loss it is asked
/// for.</summary>
internal sealed class DivergenceTarget : IAttackTarget
{
    private readonly Plan _plan;
    private readonly Tensor _reference;

    /// <summary>Compiles the plan of the attack's gradients.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="statistics">Statistics that normalisation reads during the attack.</param>
    /// <param name="reference">Receives the clean images' logits, N x classes.</param>
    public DivergenceTarget(Network network, int batch, AttackStatistics statistics, Tensor reference)
    {
        ArgumentNullException.ThrowIfNull(network);
        Backend = network.Backend;
        Buffers = network.Buffers(batch);
        _plan = network.Plan(new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, statistics));
        _reference = reference;
    }

    /// <inheritdoc/>
    public IBackend Backend { get; }

    /// <inheritdoc/>
    public BatchBuffers Buffers { get; }

    /// <inheritdoc/>
    public bool MayRepeat => Observer is null && _plan.Observer is null;

    /// <inheritdoc/>
    public IStepObserver? Observer { get; set; }

    /// <summary>Takes the predictions of the clean images as those to be driven away from.</summary>
    public void TakeReference()
    {
        Observer?.Enter(StepPhase.AttackStart);
        Backend.Copy(Buffers.Clean, Buffers.Input);
        Observer?.Enter(StepPhase.Filters);
        Prepare();
        Observer?.Enter(StepPhase.AttackForward);
        _plan.Forward();
        Backend.Copy(_plan.Logits, _reference);
    }

    /// <inheritdoc/>
    public void Prepare() => _plan.Prepare();

    /// <inheritdoc/>
    public void Losses(LossKind loss)
    {
        Observer?.Enter(StepPhase.AttackForward);
        _plan.Forward();
        _plan.Loss(loss, gradientScale: 1);
        _plan.Divergence(_reference, Buffers.Losses, gradientScale: 1);
    }

    /// <inheritdoc/>
    public void Gradients(LossKind loss)
    {
        Observer?.Enter(StepPhase.AttackForward);
        _plan.Forward();
        _plan.Divergence(_reference, Buffers.Losses, gradientScale: 1);
        Observer?.Enter(StepPhase.AttackGradient);
        _plan.Backward();
    }
}
