using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
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
public sealed record TrainingRecord(
    IReadOnlyList<EpochRecord> History, int BestEpoch, int Epochs, double Seconds, string SplitHash, double? DonorDistance)
    : IStoredRecord
{
    /// <summary>What happened in training that the user should worry about.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("best epoch", BestEpoch >= 0 && BestEpoch <= Epochs),
        ("seconds", StoredValues.IsAmount(Seconds)),
        ("distance", DonorDistance is null || StoredValues.IsAmount(DonorDistance.Value)));
}

/// <summary>A network trained once: a donor, a baseline, a ticket or a control. Its folder is laid out like that of <c>train</c>, so
/// that <c>evaluate</c> and <c>inspect</c> understand its files.</summary>
public sealed class TrainingNode : ExperimentNode<TrainingRecord>
{
    private const string Stage = "training";

    /// <summary>Describes a training.</summary>
    /// <param name="label">What it is, for people.</param>
    /// <param name="configuration">Everything about it; <see cref="RunConfiguration.Dense"/> is the training. What has no
    /// influence is at its default.</param>
    /// <param name="fingerprint">Training images and number format.</param>
    /// <param name="ticket">Ticket whose mask is kept; null for a dense network.</param>
    /// <param name="reinitialize">Whether to begin from another draw of the initial weights.</param>
    public TrainingNode(string label, RunConfiguration configuration, string fingerprint, TicketNode? ticket, bool reinitialize)
        : base("training", label, configuration?.Seed ?? 0, new { configuration, fingerprint, reinitialize }, ticket is null ? [] : [ticket])
    {
        Configuration = configuration!;
        Ticket = ticket;
        Reinitialize = reinitialize;
    }

    /// <summary>Everything about the training.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>Ticket whose mask is kept; null for a dense network.</summary>
    public TicketNode? Ticket { get; }

    /// <summary>Whether it begins from another draw of the initial weights.</summary>
    public bool Reinitialize { get; }

    /// <summary>The training.</summary>
    public TrainingSettings Settings => Configuration.Dense;

    /// <summary>The weights after the last epoch, or those that were best on validation.</summary>
    internal string Weights(ExperimentStore store, bool best)
    {
        RunFolder folder = store.Files(this);
        return best && Read(store).BestEpoch > 0 ? folder.BestWeights(Seed, Stage) : folder.LastWeights(Seed, Stage);
    }

    private protected override TrainingRecord Compute(NodeContext bench)
    {
        RunFolder folder = bench.Store.Files(this);
        AtomicFile.WriteAllText(folder.Configuration, RunJson.Write(Configuration));
        StoredFiles.CreateFolder(folder.Seed(Seed));
        Network network = bench.Network(Configuration);
        InitializationScheme scheme = Initialization.ParseScheme(Configuration.Initialization);
        ModelState start = Reinitialize
            ? Initialization.Redraw(network.Graph.Table, Seed, scheme)
            : Initialization.Draw(network.Graph.Table, Seed, scheme);
        Mask? mask = Ticket is null ? null : bench.Ticket(Ticket).Mask;
        // The key binds the checkpoint to the ticket and to the start.
        var runner = new StageRunner(
            Configuration, folder, Seed, network, bench.Images, bench.Progress, bench.Cancellation, new RunOwner(ExperimentRun.Command, Key));
        TrainingState state = runner.Train(Stage, start, mask, Settings);
        double? distance = Ticket is null ? null : RelativeDistance.Between(bench.Weights(Ticket.Donor), ModelState.Capture(network.Parameters, network.Backend));
        return new TrainingRecord(
            [.. state.History], state.BestEpoch, state.Epoch, state.TrainingSeconds, runner.SplitHash, distance)
        {
            Warnings = [.. state.Warnings],
        };
    }

    private protected override void CleanUp(NodeContext bench) => StoredFiles.Delete(bench.Store.Files(this).Checkpoint(Seed, Stage));

    /// <inheritdoc/>
    internal override NodeCost Cost(NodeContext bench)
    {
        DataSettings data = Configuration.Data;
        EvaluationSettings evaluation = Configuration.Evaluation;
        int samples = bench.Images.TrainCount - data.ValidationSamples;
        int probed = evaluation.ProbeSteps == 0 ? 0
            : evaluation.ProbeSamples == 0 ? data.ValidationSamples : Math.Min(evaluation.ProbeSamples, data.ValidationSamples);
        long epochs = Settings.Epochs, probes = epochs / evaluation.ProbeEvery + (epochs % evaluation.ProbeEvery == 0 ? 0 : 1);
        return new NodeCost(
            Configuration, Ticket?.Settings.Ratio ?? 0, epochs * new BatchPlan(samples, Settings.BatchSize).BatchCount,
            epochs * data.ValidationSamples + probes * probed * 2, probes * probed * evaluation.ProbeSteps, bench.Graph(Configuration).MultiplyAdds);
    }
}
