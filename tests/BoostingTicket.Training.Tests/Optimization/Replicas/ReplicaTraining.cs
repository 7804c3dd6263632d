using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Optimization.Replicas;

/// <summary>A short training whose last batch is a leftover, for comparisons of bits.</summary>
internal static class ReplicaTraining
{
    public const int Batch = 16;

    private const ulong Seed = 6;

    // Two full batches and one of five.
    private const int Samples = 2 * Batch + 5;

    private static readonly DataSplit Small = SyntheticImages.Generate("synthetic-28", 1, 28, Samples + Batch, 1, seed: 4);
    private static readonly DataSplit Colour = SyntheticImages.Generate("synthetic-32", 3, 32, Samples + Batch, 1, seed: 4);

    private static readonly AttackSettings Attack = new() { Epsilon = 0.05, StepSize = 0.02, Steps = 2 };

    public static TrainingSettings Settings(TrainingMethod method, int replicas) => new()
    {
        Method = method,
        MethodOptions = new MethodSettings { Replays = 2, OuterSteps = 2, InnerSteps = 2 },
        Epochs = 2,
        BatchSize = Batch,
        LearningRate = 0.02,
        LearningRateDrops = [],
        Replicas = replicas,
    };

    /// <summary>Trains, from a checkpoint where there is one.</summary>
    /// <param name="settings">The training.</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="model">LeNet on grey images, anything else on coloured ones.</param>
    /// <param name="checkpoint">File of the checkpoint; null for none.</param>
    /// <param name="stopAfter">Steps after which it stops and saves.</param>
    /// <param name="ratio">Share of the weights that is pruned.</param>
    /// <param name="rule">May end it.</param>
    /// <returns>Hash of the last weights and statistics, and how far it is.</returns>
    public static (string Weights, TrainingState State) Run(
        TrainingSettings settings, IBackend backend, string model = "lenet-4-8-32", string? checkpoint = null,
        int stopAfter = int.MaxValue, double ratio = 0, IEpochRule? rule = null)
    {
        ImageSet set = (model.StartsWith("lenet", StringComparison.Ordinal) ? Small : Colour).Train;
        using var network = new Network(ModelCatalog.Build(model, new ModelOptions(DeviceImages.Shape(set))), backend);
        ModelState initial = Initialization.Draw(network.Graph.Table, Seed);
        Mask? mask = ratio == 0 ? null : PrunerCatalog.Find("global").Prune(initial, new PruningOptions(ratio)).Mask;
        TicketReset.Apply(network.Parameters, backend, initial, mask);
        using var images = new DeviceImages(set, backend);
        int[] samples = [.. Enumerable.Range(0, Samples + Batch)];
        using var progress = new CountingProgress();
        using var source = new CancellationTokenSource();
        var metadata = ModelFileMetadata.Of(network.Graph, null) with { ConfigurationHash = "replicas" };
        using var trainer = new Trainer(
            new TrainingContext(
                network, images, samples.AsMemory(0, Samples), samples.AsMemory(Samples), Augmentation.None, Seed),
            settings, Attack, new EvaluationSettings { ProbeSteps = 1, BatchSize = Batch / 2 },
            new Storage(checkpoint, metadata), progress, rule);
        if (stopAfter < int.MaxValue)
            trainer.Observer = new Stop(stopAfter, source);
        TrainingState state = trainer.Restore();
        try
        {
            trainer.Run(state, source.Token);
        }
        catch (OperationCanceledException)
        {
            // Stopped as asked; the checkpoint is written.
        }
        return (ModelState.Capture(network.Parameters, backend).ContentHash(), state);
    }

    private sealed class Stop(int steps, CancellationTokenSource source) : IStepObserver
    {
        private int _left = steps;

        public void Enter(StepPhase phase)
        {
            if (phase == StepPhase.Update && --_left == 0)
                source.Cancel();
        }
    }

    private sealed class Storage(string? path, ModelFileMetadata metadata) : ITrainingStorage
    {
        public TrainingState? Restore(Network network) =>
            File.Exists(path) ? TrainingCheckpoint.Load(path, network, metadata.ConfigurationHash!) : null;

        public void Save(Network network, TrainingState state)
        {
            if (path is not null)
                TrainingCheckpoint.Save(path, network, state, metadata);
        }

        public void SaveBest(Network network)
        {
        }
    }
}
