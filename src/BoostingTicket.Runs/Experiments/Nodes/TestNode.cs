using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>Clean accuracy of a trained network on the test samples, and its accuracy under attacks.</summary>
internal sealed class TestNode : ExperimentNode<RobustnessResult>
{
    private readonly int? _limit;

    /// <summary>Describes a test.</summary>
    /// <param name="training">Training whose weights are tested.</param>
    /// <param name="best">Whether those that were best on validation, instead of the last.</param>
    /// <param name="attacks">Names of <see cref="AttackCatalog.Names"/>; empty for clean accuracy alone.</param>
    /// <param name="settings">Settings of the attacks.</param>
    /// <param name="fingerprint">Test images and how many of them.</param>
    /// <param name="limit">Samples at most, the first of them; null for all.</param>
    public TestNode(
        TrainingNode training, bool best, IReadOnlyList<string> attacks, AttackSettings settings, string fingerprint,
        int? limit = null)
        : base(
            "test", $"test of {training?.Label}, {(best ? "best" : "last")} weights", training?.Seed ?? 0,
            Identity(best, attacks, attacks?.Count > 0 ? settings : null, fingerprint, limit), training!)
    {
        _limit = limit;
        Training = training!;
        Best = best;
        Attacks = attacks!;
        Settings = settings;
    }

    /// <summary>Training whose weights are tested.</summary>
    public TrainingNode Training { get; }

    /// <summary>Whether those that were best on validation are tested, instead of the last.</summary>
    public bool Best { get; }

    /// <summary>Names of the attacks.</summary>
    public IReadOnlyList<string> Attacks { get; }

    /// <summary>Settings of the attacks.</summary>
    public AttackSettings Settings { get; }

    private protected override RobustnessResult Compute(NodeContext context)
    {
        if (Attacks.Count == 0)
            context.Progress.StageStarted($"seed {Seed} · {Label}", 1, 0);
        Network network = context.Network(Training);
        TicketReset.Apply(network.Parameters, network.Backend, context.Weights(Training, Best), context.MaskOf(Training));
        int samples = Samples(context);
        var evaluator = new AttackEvaluator(
            network, context.Images.Test, context.Images.TestSamples.AsSpan(0, samples), Training.Job.Validation.BatchSize,
            context.Progress)
        {
            CleanAlone = Attacks.Count == 0,
        };
        RobustnessResult result = evaluator.Run(
            Attacks, Settings, Philox.Key(Seed, RandomStream.EvaluationAttack),
            new AttackStateFile(Progress(context), Key, samples, pixels: 0), context.Cancellation);
        if (Attacks.Count == 0)
            context.Progress.StageFinished();
        return result;
    }

    private protected override void CleanUp(NodeContext context) => StoredFiles.Delete(Progress(context));

    private string Progress(NodeContext context) => new RunFolder(context.Store.Folder(this)).AttackState;

    private int Samples(NodeContext context) => Math.Min(_limit ?? int.MaxValue, context.Images.TestCount);

    // As version 0.1.0 wrote it, whose keys are hashes of it; a limit came later.
    private static object Identity(
        bool best, IReadOnlyList<string>? attacks, AttackSettings? settings, string fingerprint, int? limit) => limit is null
            ? new { best, attacks, settings, fingerprint }
            : new { best, attacks, settings, fingerprint, limit };

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext context)
    {
        long images = Samples(context);
        return new NodeCost(
            Training.TestKind, 0, images * (1 + Attacks.Count),
            images * Attacks.SelectMany(AttackCatalog.Stages).Sum(attack => attack.Gradients(Settings)),
            context.Graph(Training.Job).MultiplyAdds);
    }
}
