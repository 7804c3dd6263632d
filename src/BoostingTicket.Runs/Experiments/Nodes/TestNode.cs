using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>Clean accuracy of a trained network on the test samples, and its accuracy under attacks.</summary>
internal sealed class TestNode : ExperimentNode<RobustnessResult>
{
    /// <summary>Describes a test.</summary>
    /// <param name="training">Training whose weights are tested.</param>
    /// <param name="best">Whether those that were best on validation, instead of the last.</param>
    /// <param name="attacks">Names of <see cref="AttackCatalog.Names"/>; empty for clean accuracy alone.</param>
    /// <param name="settings">Settings of the attacks.</param>
    /// <param name="fingerprint">Test images and how many of them.</param>
    public TestNode(TrainingNode training, bool best, IReadOnlyList<string> attacks, AttackSettings settings, string fingerprint)
        : base(
            "test", $"test of {training?.Label}, {(best ? "best" : "last")} weights", training?.Seed ?? 0,
            new { best, attacks, settings = attacks?.Count > 0 ? settings : null, fingerprint }, training!)
    {
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
        // Evaluation does not read the mask; a backend that leaves out pruned weights does.
        Mask? mask = Training.Ticket is null ? null : context.Ticket(Training.Ticket).Network.TrainingMask;
        TicketReset.Apply(network.Parameters, network.Backend, context.Weights(Training, Best), mask);
        var evaluator = new AttackEvaluator(
            network, context.Images.Test, context.Images.TestSamples, Training.Job.Validation.BatchSize, context.Progress);
        RobustnessResult result = evaluator.Run(
            Attacks, Settings, Philox.Key(Seed, RandomStream.EvaluationAttack), cancellation: context.Cancellation);
        if (Attacks.Count == 0)
            context.Progress.StageFinished();
        return result;
    }

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext context)
    {
        long images = context.Images.TestCount;
        return new NodeCost(
            Training.Job, Training.Ticket?.Settings.Ratio ?? 0, 0, images * (1 + Attacks.Count),
            images * Attacks.SelectMany(AttackCatalog.Stages).Sum(attack => attack.Gradients(Settings)),
            context.Graph(Training.Job).MultiplyAdds);
    }
}
