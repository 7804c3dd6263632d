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

    /// <summary>SHA-256 of the split into training and validation samples.</summary>
    public string SplitHash => _split.Hash;

    /// <summary>Puts the network back to a start under a mask, trains it, and keeps its last weights. Continues from the
    /// stage's checkpoint if there is one.</summary>
    /// <param name="stage">Name of the stage.</param>
    /// <param name="job">The training, of the trainer's seed.</param>
    /// <param name="start">Weights to begin from.</param>
    /// <param name="mask">The mask; null for none.</param>
    /// <param name="rule">May end it after an epoch; null for none.</param>
    /// <exception cref="OperationCanceledException">It was asked to stop, and saved how far it is.</exception>
    public TrainingState Train(string stage, TrainingJob job, ModelState start, Mask? mask, IEpochRule? rule = null)
    {
        if (job.Seed != seed)
            throw new ArgumentException($"the job has seed {job.Seed}, the trainer {seed}", nameof(job));
        cancellation.ThrowIfCancellationRequested();
        TicketReset.Apply(network.Parameters, network.Backend, start, mask);
        var context = new TrainingContext(
            network, data.Train, _split.Train.ToArray(), _split.Validation.ToArray(), job.Augmentation, seed);
        using var trainer = new Trainer(
            context, job.Settings, job.Attack, job.Validation, files.Storage(stage), progress, rule);
        TrainingState state = trainer.Restore();
        progress.StageStarted(
            $"seed {seed} · {stage} ({SettingNames.Of(job.Settings.Method)})", trainer.TotalSteps, trainer.StepsDone(state));
        if (TrainingMethodCatalog.DescribeReplays(job.Settings) is { } replays)
            progress.Note($"{stage}: {replays}");
        if (trainer.BytesSent is > 0 and var bytes)
            progress.Note(string.Create(CultureInfo.InvariantCulture, $"{stage}: each process sends {bytes / 1e6:0.0##} MB a step"));
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
