using System.Diagnostics;
using System.Text.Json;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>Trains and tests the stages of one seed in a run's folder.</summary>
internal sealed class StageRunner
{
    /// <summary>Test images kept before and after the attack.</summary>
    private const int Examples = 8;

    private readonly RunConfiguration _configuration;
    private readonly ModelFileMetadata _metadata;
    private readonly ModelFileMetadata _checkpointMetadata;
    private readonly RunFolder _folder;
    private readonly ulong _seed;
    private readonly Network _network;
    private readonly RunData _data;
    private readonly IRunProgress _progress;
    private readonly CancellationToken _cancellation;
    private readonly TrainValidationSplit _split;

    /// <summary>Prepares the stages of a seed.</summary>
    /// <param name="configuration">What is done.</param>
    /// <param name="folder">Where it is kept.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="network">The network, used by all stages.</param>
    /// <param name="data">The images.</param>
    /// <param name="progress">Receives progress.</param>
    /// <param name="cancellation">Ends a stage after its current step.</param>
    /// <param name="owner">Whose ticket the checkpoints are bound to; null for those of the folder itself.</param>
    public StageRunner(
        RunConfiguration configuration, RunFolder folder, ulong seed, Network network, RunData data,
        IRunProgress progress, CancellationToken cancellation, RunOwner? owner = null)
    {
        _configuration = configuration;
        _metadata = Describe(configuration, network.Graph, data.Train.Set, seed);
        _checkpointMetadata = owner is null
            ? _metadata
            : _metadata with { ConfigurationHash = owner.Bind(_metadata.ConfigurationHash!) };
        _folder = folder;
        _seed = seed;
        _network = network;
        _data = data;
        _progress = progress;
        _cancellation = cancellation;
        _split = data.Split(seed);
    }

    /// <summary>SHA-256 of the split into training and validation samples.</summary>
    public string SplitHash => _split.Hash;

    /// <summary>What the run's files say about where they come from.</summary>
    public static ModelFileMetadata Describe(
        RunConfiguration configuration, NetworkGraph graph, ImageSet train, ulong seed) =>
        ModelFileMetadata.Of(graph, configuration.Data.Normalize ? RunNormalization.For(train) : null) with
        {
            Preset = configuration.Preset,
            Seed = seed,
            ConfigurationHash = RunJson.Hash(configuration),
            Settings = JsonSerializer.Serialize(configuration, RunJson.Compact),
        };

    /// <summary>Writes weights that a stage begins from.</summary>
    public void SaveInitial(ModelState initial) => WeightFile.Save(_folder.Initial(_seed), initial, _metadata);

    /// <summary>Writes a ticket.</summary>
    public void SaveTicket(string stage, ModelState initial, Mask mask) =>
        TicketFile.Save(_folder.Ticket(_seed, stage), initial, mask, OfTicket(_metadata, _configuration.Pruning));

    /// <summary>Adds how a ticket was drawn.</summary>
    public static ModelFileMetadata OfTicket(ModelFileMetadata metadata, PruningSettings pruning) =>
        metadata with { PruningRatio = pruning.Ratio, PruningScope = pruning.Scope };

    /// <summary>Trains and tests one arm; reads the result of a stage that finished before.</summary>
    public ArmResult TrainAndTest(
        string stage, Arm arm, ModelState start, Mask? mask, TrainingSettings settings, double pruningSeconds)
    {
        string done = _folder.StageResult(_seed, stage);
        if (File.Exists(done))
        {
            // The process may have ended between the two.
            DeleteCheckpoint(stage);
            return RunJson.Read<ArmResult>(StoredFiles.ReadText(done), done);
        }
        TrainingState state = Train(stage, start, mask, settings);
        TestResult last = Test(stage, "last");
        TestResult best = last;
        if (state.BestEpoch != state.Epoch && state.BestEpoch > 0)
        {
            WeightFile.Load(_folder.BestWeights(_seed, stage), _network.Graph).State
                .CopyTo(_network.Parameters, _network.Backend);
            best = Test(stage, "best");
        }
        SaveExamples(stage);
        var result = new ArmResult(
            arm, mask?.Sparsity ?? 0, last, best, state.BestEpoch, state.Epoch, pruningSeconds, state.TrainingSeconds,
            [.. state.History])
        {
            Warnings =
            [
                .. state.Warnings.Select(warning => $"{stage}: {warning}"), .. Warnings(stage, "last", last),
                .. ReferenceEquals(best, last) ? [] : Warnings(stage, "best", best),
            ],
        };
        AtomicFile.WriteAllText(done, RunJson.Write(result));
        DeleteCheckpoint(stage);
        return result;
    }

    /// <summary>Deletes the checkpoint of a stage whose result is kept.</summary>
    public void DeleteCheckpoint(string stage) => StoredFiles.Delete(_folder.Checkpoint(_seed, stage));

    /// <summary>Puts the network back to a start under a mask, trains it, and keeps its last weights. Continues from the
    /// stage's checkpoint if there is one.</summary>
    /// <param name="stage">Name of the stage.</param>
    /// <param name="start">Weights to begin from.</param>
    /// <param name="mask">The mask; null for none.</param>
    /// <param name="settings">The training.</param>
    /// <param name="rule">May end it after an epoch; null for none.</param>
    public TrainingState Train(string stage, ModelState start, Mask? mask, TrainingSettings settings, IEpochRule? rule = null)
    {
        _cancellation.ThrowIfCancellationRequested();
        TicketReset.Apply(_network.Parameters, _network.Backend, start, mask);
        var context = new TrainingContext(
            _network, _data.Train, _split.Train.ToArray(), _split.Validation.ToArray(),
            _configuration.Data.CropFlip ? Augmentation.Crop4Flip : Augmentation.None, _seed);
        var storage = new StageStorage(
            _folder.Checkpoint(_seed, stage), _folder.BestWeights(_seed, stage), _metadata, _checkpointMetadata);
        using var trainer = new Trainer(
            context, settings, _configuration.Attack, _configuration.Evaluation, storage, _progress, rule);
        TrainingState state = trainer.Restore();
        _progress.StageStarted(
            $"seed {_seed} · {stage} ({SettingNames.Of(settings.Method)})", trainer.TotalSteps,
            trainer.StepsDone(state));
        if (TrainingMethodCatalog.DescribeReplays(settings) is { } replays)
            _progress.Note($"{stage}: {replays}");
        try
        {
            trainer.Run(state, _cancellation);
        }
        catch (DivergedException error)
        {
            throw error.Within(_configuration.PathOf(settings));
        }
        WeightFile.Save(
            _folder.LastWeights(_seed, stage), ModelState.Capture(_network.Parameters, _network.Backend), _metadata);
        _progress.StageFinished();
        return state;
    }

    // The same samples for every stage and seed, so that arms can be compared by eye.
    private void SaveExamples(string stage)
    {
        EvaluationSettings settings = _configuration.Evaluation;
        using var evaluator = new Evaluator(_network, _data.Test, _data.TestSamples, settings.BatchSize);
        evaluator.Examples(AttackBudget.Pgd(settings.Attack), Philox.Key(_seed, RandomStream.EvaluationAttack), Examples)
            .Save(_folder.Examples(_seed, stage));
    }

    /// <summary>Tests the network as it is on the run's test samples.</summary>
    public TestResult Test(string stage, string weights)
    {
        EvaluationSettings settings = _configuration.Evaluation;
        using var evaluator = new Evaluator(_network, _data.Test, _data.TestSamples, settings.BatchSize);
        int total = (_data.TestCount + settings.BatchSize - 1) / settings.BatchSize;
        _progress.StageStarted($"seed {_seed} · {stage}, test of {weights} weights", total, 0);
        long last = Stopwatch.GetTimestamp();
        TestResult result = evaluator.Robust(
            AttackBudget.Pgd(settings.Attack), Philox.Key(_seed, RandomStream.EvaluationAttack), _data.TestCount,
            (batch, batches) =>
            {
                // Only what is classified correctly is attacked, so the last batches may not come.
                double rate = settings.BatchSize / Math.Max(Stopwatch.GetElapsedTime(last).TotalSeconds, 1e-9);
                last = Stopwatch.GetTimestamp();
                _progress.StepsDone(batch == batches ? total : batch, rate);
            },
            _cancellation);
        _progress.StageFinished();
        foreach (string warning in Warnings(stage, weights, result))
            _progress.Warn(warning);
        return result;
    }

    /// <summary>The reasons to distrust a test, with what was tested.</summary>
    public static IEnumerable<string> Warnings(string stage, string weights, TestResult result) =>
        result.Warnings.Select(warning => $"{stage}, {weights} weights: {warning}");
}
