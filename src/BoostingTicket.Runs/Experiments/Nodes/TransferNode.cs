using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>How adversarial images made against each of several trained networks do on the others. After an interruption the
/// rows of networks that were attacked stay.</summary>
internal sealed class TransferNode : ExperimentNode<TransferResult>
{
    private readonly IReadOnlyList<string> _names;
    private readonly IReadOnlyList<TrainingNode> _trainings;
    private readonly string _attack;
    private readonly int _steps;
    private readonly AttackSettings _settings;

    /// <summary>Describes a matrix.</summary>
    /// <param name="networks">Trainings of one seed with the names that they are given; their weights that were best on
    /// validation are used.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog.Names"/>.</param>
    /// <param name="steps">Its gradient steps.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="fingerprint">Test images and how many of them.</param>
    public TransferNode(
        IReadOnlyList<(string Name, TrainingNode Training)> networks, string attack, int steps, AttackSettings settings,
        string fingerprint)
        : base(
            "transfer", $"transfer of {attack} among {string.Join(", ", networks?.Select(network => network.Name) ?? [])}",
            networks?[0].Training.Seed ?? 0,
            new { attack, settings, fingerprint }, [.. networks!.Select(network => network.Training)])
    {
        _names = [.. networks!.Select(network => network.Name)];
        _trainings = [.. networks!.Select(network => network.Training)];
        _attack = attack;
        _steps = steps;
        _settings = settings;
    }

    private protected override TransferResult Compute(NodeContext context)
    {
        // The matrix has one network on the device at a time.
        context.GiveUpNetwork();
        PartialFile<TransferProgress> partial = Partial(context);
        var matrix = new TransferMatrix(
            context.Backend, context.Images.Test, context.Images.TestSamples, _trainings[0].Job.Validation.BatchSize,
            context.Progress)
        {
            Before = partial.Read(kept => kept.Rows.Count < _names.Count
                && kept.Rows.All(row => row.Accuracies.Count == _names.Count)
                && kept.Rows.Select(row => row.Name).SequenceEqual(_names.Take(kept.Rows.Count))),
            Keep = partial.Keep,
        };
        return matrix.Run(
            [.. _trainings.Select((training, index) => new TransferNetwork(
                _names[index], context.Graph(training), context.Weights(training, best: true)))],
            _attack, _settings, Philox.Key(Seed, RandomStream.EvaluationAttack), context.Cancellation);
    }

    private protected override void CleanUp(NodeContext context) => Partial(context).Delete();

    private PartialFile<TransferProgress> Partial(NodeContext context) => new(context.Store.Partial(this));

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext context)
    {
        long images = context.Images.TestCount, networks = _trainings.Count;
        TrainingNode training = _trainings[0];
        return new NodeCost(
            training.TestKind, 0, images * networks * networks, images * networks * _steps,
            context.Graph(training.Job).MultiplyAdds);
    }
}
