using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>What is kept of a training besides its weights.</summary>
/// <param name="History">Epoch by epoch.</param>
/// <param name="BestEpoch">Epoch of the weights that were best on validation; 0 for the initial ones.</param>
/// <param name="Epochs">Epochs until the end or early stopping.</param>
/// <param name="Seconds">Seconds of training, without validation.</param>
/// <param name="SplitHash">SHA-256 of the split into training and validation samples.</param>
/// <param name="DonorDistance">Relative distance of the last weights to those of the donor; see
/// <see cref="RelativeDistance"/>. Null without a ticket.</param>
internal sealed record TrainingRecord(
    IReadOnlyList<EpochRecord> History, int BestEpoch, int Epochs, double Seconds, string SplitHash, double? DonorDistance)
    : IStoredRecord
{
    /// <summary>What happened in training that the user should worry about.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What it ran on, in order of time: several where it was continued elsewhere. Null where an earlier version began
    /// it, which did not write that down.</summary>
    public IReadOnlyList<TrainingMachine>? Machines { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("best epoch", BestEpoch >= 0 && BestEpoch <= Epochs),
        ("seconds", StoredValues.IsAmount(Seconds)),
        ("machines", Machines is null or { Count: > 0 }),
        ("distance", DonorDistance is null || StoredValues.IsAmount(DonorDistance.Value)));
}

/// <summary>A network trained once: a donor, a baseline, a ticket or a control. Its folder is laid out like that of <c>train</c>,
/// so that <c>evaluate</c> and <c>inspect</c> understand its files.</summary>
internal sealed class TrainingNode : ExperimentNode<TrainingRecord>
{
    private const string Stage = "training";

    /// <summary>Describes a training.</summary>
    /// <param name="label">What it is, for people.</param>
    /// <param name="job">All that decides it but the ticket, which the node knows.</param>
    /// <param name="fingerprint">Training images and number format.</param>
    /// <param name="ticket">Ticket whose mask is kept; null for a dense network.</param>
    /// <param name="keepsEpochs">Whether the weights after every epoch are kept.</param>
    /// <param name="precision">Number format to train in; null for the experiment's.</param>
    public TrainingNode(
        string label, TrainingJob job, string fingerprint, TicketNode? ticket, bool keepsEpochs = false,
        Precision? precision = null)
        : base("training", label, job?.Seed ?? 0, Identity(job!, fingerprint, keepsEpochs), ticket is null ? [] : [ticket])
    {
        Job = job! with { Ticket = ticket?.Name };
        Ticket = ticket;
        KeepsEpochs = keepsEpochs;
        Precision = precision;
    }

    /// <summary>All that decides the training.</summary>
    public TrainingJob Job { get; }

    /// <summary>Ticket whose mask is kept; null for a dense network.</summary>
    public TicketNode? Ticket { get; }

    /// <summary>Whether the weights after every epoch are kept.</summary>
    public bool KeepsEpochs { get; }

    /// <summary>Number format that it trains in; null for the experiment's.</summary>
    public Precision? Precision { get; }

    /// <summary>The training.</summary>
    public TrainingSettings Settings => Job.Settings;

    /// <summary>What it is and its seed, for people.</summary>
    internal string Title => FormattableString.Invariant($"{Label}, seed {Seed}");

    /// <summary>What its steps compute.</summary>
    internal StepKind TrainingKind => new(Job, Ticket?.Settings.Options(Ticket.Settings.Ratio), Precision);

    /// <summary>What tests of its network compute.</summary>
    internal StepKind TestKind => TrainingKind with { Precision = null };

    /// <summary>The weights after the last epoch, or those that were best on validation.</summary>
    internal string Weights(ExperimentStore store, bool best)
    {
        RunFolder folder = store.Files(this);
        return best && Read(store).BestEpoch > 0 ? folder.BestWeights(Seed, Stage) : folder.LastWeights(Seed, Stage);
    }

    /// <summary>The weights after an epoch, where they are kept.</summary>
    /// <param name="store">The store.</param>
    /// <param name="epoch">The epoch, from 1.</param>
    internal string EpochWeights(ExperimentStore store, int epoch) => store.Files(this).EpochWeights(Seed, Stage, epoch);

    /// <summary>What the training took, epoch by epoch.</summary>
    /// <exception cref="ConfigurationException">A program recorded it that did not count processor seconds.</exception>
    internal IReadOnlyList<TrainingWork> Work(ExperimentStore store) =>
    [
        .. Read(store).History.Select(epoch => epoch.Work ?? throw new ConfigurationException(
            $"The training in {store.Folder(this)} was done by version 0.1.0, which counted no processor seconds; delete that "
            + $"folder to train it again, or choose another {Setting.Named("out")}.")),
    ];

    private protected override TrainingRecord Compute(NodeContext context)
    {
        RunFolder folder = context.Store.Files(this);
        RunConfiguration recorded = Recorded(Job);
        AtomicFile.WriteAllText(folder.Configuration, RunJson.Write(recorded));
        StoredFiles.CreateFolder(folder.Seed(Seed));
        TrainingMachine[]? machines = KeepMachines(context);
        NodeDevice device = context.DeviceOf(Precision);
        Network network = context.Network(Job, context.Graph(this), device);
        ModelState start = Job.DrawStart(context.Graph(Job).Table);
        SubNetwork? ticket = Ticket is null ? null : context.Ticket(Ticket).Network;
        // The key binds the checkpoint to the ticket and to the start.
        var files = new StageFiles(
            folder, Seed, StageFiles.Describe(recorded, network.Graph, device.Images.Train.Set, Seed),
            new RunOwner(ExperimentRun.Command, Key));
        var trainer = new StageTrainer(files, Seed, network, device.Images, context.Progress, context.Cancellation);
        IEpochRule? keepers = KeepsEpochs
            ? EpochRules.Of(Enumerable.Range(1, TrainingMethodCatalog.EpochsOf(Settings)).Select(
                epoch => files.KeepEpoch(Stage, epoch)))
            : null;
        TrainingState state = trainer.Train(Stage, Job, ticket?.Take(start) ?? start, ticket?.TrainingMask, keepers);
        double? distance = Ticket is null
            ? null
            : RelativeDistance.Between(
                context.FullWeights(Ticket.Donor),
                context.Widen(this, ModelState.Capture(network.Parameters, network.Backend)));
        return new TrainingRecord(
            [.. state.History], state.BestEpoch, state.Epoch, state.TrainingSeconds, trainer.SplitHash, distance)
        {
            Warnings = [.. state.Warnings],
            Machines = machines,
        };
    }

    // What was done before is in the checkpoint; an earlier version did not write down where.
    private TrainingMachine[]? KeepMachines(NodeContext context)
    {
        string path = context.Store.Machines(this);
        TrainingMachine[] before = [];
        if (File.Exists(Checkpoint(context)))
        {
            if (!File.Exists(path))
                return null;
            before = RunJson.Read<TrainingMachine[]>(StoredFiles.ReadText(path), path);
        }

        TrainingMachine[] machines = before.LastOrDefault() == context.Machine ? before : [.. before, context.Machine];
        AtomicFile.WriteAllText(path, RunJson.Write(machines));
        return machines;
    }

    /// <summary>What the folder of a training records as its configuration.</summary>
    internal static RunConfiguration Recorded(TrainingJob job) => job.Record(ExperimentRun.Command);

    // In the words of version 0.1.0, which the keys of its experiments are hashes of. The fingerprint names the number format.
    private static object Identity(TrainingJob job, string fingerprint, bool keepsEpochs)
    {
        RunConfiguration configuration = Recorded(job);
        bool reinitialize = job.Start == TrainingStart.Redrawn;
        return keepsEpochs
            ? new { configuration, fingerprint, reinitialize, keepsEpochs }
            : new { configuration, fingerprint, reinitialize };
    }

    private protected override void CleanUp(NodeContext context)
    {
        StoredFiles.Delete(Checkpoint(context));
        StoredFiles.Delete(context.Store.Machines(this));
    }

    private string Checkpoint(NodeContext context) => context.Store.Files(this).Checkpoint(Seed, Stage);

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext context)
    {
        DataSettings data = Job.Data;
        EvaluationSettings evaluation = Job.Validation;
        int samples = context.Images.TrainCount - data.ValidationSamples;
        int probed = evaluation.ProbeSteps == 0 ? 0
            : evaluation.ProbeSamples == 0 ? data.ValidationSamples : Math.Min(evaluation.ProbeSamples, data.ValidationSamples);
        long epochs = Settings.Epochs, probes = epochs / evaluation.ProbeEvery + (epochs % evaluation.ProbeEvery == 0 ? 0 : 1);
        return new NodeCost(
            TrainingKind, epochs * new BatchPlan(samples, Settings.BatchSize).BatchCount,
            epochs * data.ValidationSamples + probes * probed * 2, probes * probed * evaluation.ProbeSteps,
            context.Graph(Job).MultiplyAdds);
    }
}
