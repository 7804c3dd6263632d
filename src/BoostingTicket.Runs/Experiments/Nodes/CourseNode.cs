using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>Accuracies after an epoch, in [0, 1].</summary>
/// <param name="Clean">Without an attack.</param>
/// <param name="Robust">Under PGD.</param>
internal sealed record CourseEpoch(double Clean, double Robust) : IStoredRecord
{
    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("clean accuracy", StoredValues.IsShare(Clean)), ("robust accuracy", StoredValues.IsShare(Robust)));
}

/// <summary>Accuracies after each epoch of a training.</summary>
/// <param name="Samples">Test images that they were measured on.</param>
/// <param name="Epochs">The first epoch first.</param>
/// <param name="Warnings">Reasons to distrust them, a sentence each.</param>
internal sealed record CourseRecord(int Samples, IReadOnlyList<CourseEpoch> Epochs, IReadOnlyList<string> Warnings);

/// <summary>Test accuracies of a training after each of its epochs, measured when it is done, so that they are no part of its
/// time. After an interruption the epochs that were measured stay.</summary>
internal sealed class CourseNode : ExperimentNode<CourseRecord>
{
    private readonly AttackSettings _attack;

    /// <summary>Describes a measurement.</summary>
    /// <param name="training">Training that keeps the weights of its epochs.</param>
    /// <param name="attack">The attack: PGD.</param>
    /// <param name="fingerprint">Test images and how many of them.</param>
    public CourseNode(TrainingNode training, AttackSettings attack, string fingerprint)
        : base("course", $"epochs of {training?.Label}", training?.Seed ?? 0, new { attack, fingerprint }, training!)
    {
        if (!training!.KeepsEpochs)
            throw new ArgumentException("the training does not keep the weights of its epochs", nameof(training));
        Training = training;
        _attack = attack;
    }

    /// <summary>The training.</summary>
    public TrainingNode Training { get; }

    private protected override CourseRecord Compute(NodeContext context)
    {
        int epochs = Training.Read(context.Store).Epochs, samples = context.Images.TestCount;
        PartialFile<CourseRecord> partial = Partial(context);
        CourseRecord? before = partial.Read(kept => kept.Samples == samples && kept.Epochs.Count < epochs);
        var measured = new List<CourseEpoch>(before?.Epochs ?? []);
        var warnings = new List<string>(before?.Warnings ?? []);
        context.Progress.StageStarted($"seed {Seed} · {Label}", epochs, measured.Count);
        Network network = context.Network(Training);
        Mask? mask = context.MaskOf(Training);
        using var evaluator = new Evaluator(
            network, context.Images.Test, context.Images.TestSamples, Training.Job.Validation.BatchSize);
        for (int epoch = measured.Count + 1; epoch <= epochs; epoch++)
        {
            WeightsAfter(epoch);
            TestResult result = evaluator.Robust(
                AttackBudget.Pgd(_attack), Philox.Key(Seed, RandomStream.EvaluationAttack), samples,
                cancellation: context.Cancellation);
            measured.Add(new CourseEpoch(result.Clean, result.Robust));
            warnings.AddRange(result.Warnings.Select(warning => FormattableString.Invariant($"after epoch {epoch}: {warning}")));
            if (epoch < epochs)
                partial.Keep(new CourseRecord(samples, measured, warnings));
            context.Progress.StepsDone(epoch, result.Samples / Math.Max(result.Seconds, 1e-9));
        }
        context.Progress.StageFinished();
        return new CourseRecord(samples, measured, warnings);

        void WeightsAfter(int epoch) => TicketReset.Apply(
            network.Parameters, network.Backend,
            WeightFile.Load(Training.EpochWeights(context.Store, epoch), network.Graph).State, mask);
    }

    private protected override void CleanUp(NodeContext context) => Partial(context).Delete();

    private PartialFile<CourseRecord> Partial(NodeContext context) => new(context.Store.Partial(this));

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext context)
    {
        long images = (long)context.Images.TestCount * Training.Settings.Epochs;
        return new NodeCost(
            Training.TestKind, 0, 2 * images,
            images * _attack.Steps * _attack.Restarts, context.Graph(Training.Job).MultiplyAdds);
    }
}
