using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Attacks;

/// <summary>What an attack needs of a network: losses and input gradients of the images in
/// <see cref="BatchBuffers.Input"/>. Knows no optimizer.</summary>
internal interface IAttackTarget
{
    /// <summary>Where it runs.</summary>
    IBackend Backend { get; }

    /// <summary>Clean images, the images to be changed, labels and results.</summary>
    BatchBuffers Buffers { get; }

    /// <summary>Whether the steps of an attack may be recorded and replayed; not while somebody watches them.</summary>
    bool MayRepeat { get; }

    /// <summary>Told of every phase; null for none.</summary>
    IStepObserver? Observer => null;

    /// <summary>Brings the network up to date with its weights, so that <see cref="Gradients"/> does nothing but what is the same
    /// every time.</summary>
    void Prepare();

    /// <summary>Computes each sample's loss and correctness at <see cref="BatchBuffers.Input"/>.</summary>
    void Losses(LossKind loss);

    /// <summary>Computes losses and correctness, and the gradient of the summed loss in
    /// <see cref="BatchBuffers.InputGradient"/>.</summary>
    void Gradients(LossKind loss);
}

/// <summary>A network under attack, at one batch size.</summary>
internal sealed class NetworkTarget : IAttackTarget
{
    private readonly Network _network;
    private readonly PlanOptions _forwardOptions;
    private readonly Plan _gradient;
    private Plan? _forward;

    /// <summary>Compiles the plan of an attack's gradients; that of losses alone, which only restarts need, when it is first
    /// asked for.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="statistics">Statistics that normalisation reads during the attack.</param>
    public NetworkTarget(Network network, int batch, AttackStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(network);
        Backend = network.Backend;
        Buffers = network.Buffers(batch);
        _gradient = network.Plan(new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, statistics));
        _network = network;
        _forwardOptions = new PlanOptions(batch, PlanMode.Attack, GradientRequest.None, statistics);
    }

    /// <inheritdoc/>
    public IBackend Backend { get; }

    /// <inheritdoc/>
    public BatchBuffers Buffers { get; }

    /// <inheritdoc/>
    public bool MayRepeat => Observer is null && _gradient.Observer is null;

    /// <inheritdoc/>
    public IStepObserver? Observer { get; set; }

    /// <inheritdoc/>
    public void Prepare() => _gradient.Prepare();

    /// <inheritdoc/>
    public void Losses(LossKind loss)
    {
        _forward ??= _network.Plan(_forwardOptions);
        Observer?.Enter(StepPhase.AttackForward);
        _forward.Forward();
        _forward.Loss(loss, gradientScale: 1);
    }

    /// <inheritdoc/>
    public void Gradients(LossKind loss)
    {
        Observer?.Enter(StepPhase.AttackForward);
        _gradient.Forward();
        _gradient.Loss(loss, gradientScale: 1);
        Observer?.Enter(StepPhase.AttackGradient);
        _gradient.Backward();
    }
}
