using System.Globalization;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>Trains the stages of one seed, one after the other, on one network.</summary>
/// <param name="files">Where weights and checkpoints are kept.</param>
/// <param name="seed">The seed, which decides the split.</param>
/// <param name="network">The network, used by all stages.</param>
/// <param name="data">The images.</param>
/// <param name="progress">Receives progress.</param>
/// <param name="cancellation">Ends a stage after its current step.</param>
internal sealed class StageTrainer(
    StageFiles files, ulong seed, Network network, RunData data, IRunProgress progress, CancellationToken cancellation)
{
    private readonly TrainValidationSplit _split = data.Split(seed);

    /// <summary>Path of a training's settings, with a dot behind, by which errors name them.</summary>
    public Func<TrainingSettings, string> PathOf { get; init; } = _ => "retrain.";

    /// <summary>Told of every training and of each of its epochs; null for nobody.</summary>
    public IRunWatch? Watch { get; init; }

    /// <summary>SHA-256 of the split into training and validation samples.</summary>
    public string SplitHash => _split.Hash;

    /// <summary>What progress calls a training.</summary>
    public static string Title(ulong seed, string stage, TrainingSettings settings) =>
        $"seed {seed} · {stage} ({SettingNames.Of(settings.Method)})";

    /// <summary>Puts the network back to a start under a mask, trains it, and keeps its last weights. Continues from the
    /// stage's checkpoint if there is one.</summary>
    /// <param name="stage">Name of the stage.</param>
    /// <param name="job">The training, of the trainer's seed.</param>
    /// <param name="start">Weights to begin from.</param>
    /// <param name="mask">The mask; null for none.</param>
    /// <param name="rule">May end it after an epoch; null for none.</param>
    /// <param name="name">What tables and charts call it; null for the stage's name.</param>
    /// <exception cref="OperationCanceledException">It was asked to stop, and saved how far it is.</exception>
    public TrainingState Train(
        string stage, TrainingJob job, ModelState start, Mask? mask, IEpochRule? rule = null, string? name = null)
    {
        if (job.Seed != seed)
            throw new ArgumentException($"the job has seed {job.Seed}, the trainer {seed}", nameof(job));
        cancellation.ThrowIfCancellationRequested();
        TicketReset.Apply(network.Parameters, network.Backend, start, mask);
        var context = new TrainingContext(
            network, data.Train, _split.Train.ToArray(), _split.Validation.ToArray(), job.Augmentation, seed);
        var watched = new WatchedTraining(
            seed, stage, name ?? stage, job.Settings.Method, TrainingMethodCatalog.EpochsOf(job.Settings),
            mask is null ? [] : LayerSparsity.Of(mask));
        using var trainer = new Trainer(
            context, job.Settings, job.Attack, job.Validation, files.Storage(stage),
            Watch is null ? progress : new WatchedProgress(progress, Watch, watched), rule);
        TrainingState state = trainer.Restore();
        Watch?.TrainingStarted(watched, [.. state.History]);
        progress.StageStarted(Title(seed, stage, job.Settings), trainer.TotalSteps, trainer.StepsDone(state));
        if (TrainingMethodCatalog.DescribeReplays(job.Settings) is { } replays)
            progress.Note($"{stage}: {replays}");
        if (trainer.BytesSent is > 0 and var bytes)
            progress.Note(string.Create(
                CultureInfo.InvariantCulture, $"{stage}: each process sends {bytes / 1e6:0.0##} MB a step"));
        try
        {
            trainer.Run(state, cancellation);
        }
        catch (DivergedException error)
        {
            throw error.Within(PathOf(job.Settings));
        }

        files.SaveLast(stage, network);
        progress.StageFinished();
        return state;
    }
}
