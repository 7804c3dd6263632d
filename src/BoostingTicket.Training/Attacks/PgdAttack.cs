using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Attacks;

/// <summary><see cref="EvaluationPgd"/> on the device, restarts and all, as one of several attacks. Where the loss is
/// <see cref="LossKind.CarliniWagner"/>, it is the L∞ attack known as C&amp;W or PGD-CW.</summary>
internal sealed class PgdAttack : IAttack
{
    private readonly NetworkModel _model;
    private readonly ulong _stream;
    private readonly EvaluationPgd _attack;

    /// <summary>Prepares the attack.</summary>
    /// <param name="model">The network, whose buffers hold the batch already.</param>
    /// <param name="budget">What the attack may do.</param>
    /// <param name="stream">Key of the random starts.</param>
    /// <exception cref="ConfigurationException">The budget cannot move an image.</exception>
    public PgdAttack(NetworkModel model, in AttackBudget budget, ulong stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _stream = stream;
        Iterations = budget.Steps * budget.Restarts;
        _attack = new EvaluationPgd(
            new NetworkTarget(model.Network, model.Batch, AttackStatistics.Running), budget);
    }

    /// <inheritdoc/>
    public int Rounds => 1;

    /// <inheritdoc/>
    public int Iterations { get; }

    /// <inheritdoc/>
    public string? Weakness => _attack.Budget.Weakness;

    /// <inheritdoc/>
    public void Run(AttackBatch batch, int round)
    {
        ArgumentNullException.ThrowIfNull(batch);
        IBackend backend = _model.Network.Backend;
        backend.Upload(batch.Clean, _model.Buffers.Clean);
        backend.Upload(batch.Labels, _model.Buffers.Labels);
        backend.Upload(batch.Samples, _model.Buffers.Samples);
        GradientCounts counts = _attack.Run(_stream, batch.Used);
        batch.ZeroGradients += (int)counts.Zero;
        batch.ByMargin += (int)counts.ByMargin;
        batch.Blind += (int)counts.Blind;
        backend.Download(_model.Buffers.Input, batch.Adversarial);
        batch.Advance(Iterations);
    }

    /// <inheritdoc/>
    public void Dispose() => _attack.Dispose();
}
