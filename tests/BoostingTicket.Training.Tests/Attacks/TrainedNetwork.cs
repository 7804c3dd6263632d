using System.Collections.Concurrent;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>A small network trained on the built-in images.</summary>
internal sealed class TrainedNetwork : IDisposable
{
    public const int TestSamples = 60;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 3_000, TestSamples, seed: 4);

    // What has been trained, which is the same each time.
    private static readonly ConcurrentDictionary<(int Epochs, string Model), ModelState> Trained = new();

    private readonly IBackend _backend = CpuBackend.Create(1);

    public TrainedNetwork(int epochs, string model = "lenet-4-8-32")
    {
        Network = new Network(ModelCatalog.Build(model, new ModelOptions(new FeatureShape(1, 28, 28))), _backend);
        Initialization.Draw(Network.Graph.Table, seed: 1).CopyTo(Network.Parameters, _backend);
        Test = new DeviceImages(Data.Test, _backend);
        if (epochs == 0)
            return;
        if (Trained.TryGetValue((epochs, model), out ModelState? state))
        {
            state.CopyTo(Network.Parameters, _backend);
            return;
        }
        using var images = new DeviceImages(Data.Train, _backend);
        int[] samples = [.. Enumerable.Range(0, 3_000)];
        using var progress = new CountingProgress();
        using var trainer = new Trainer(
            new TrainingContext(Network, images, samples.AsMemory(0, 2_950), samples.AsMemory(2_950), Augmentation.None, Seed: 1),
            new TrainingSettings { Method = TrainingMethod.Natural, Epochs = epochs, BatchSize = 50, LearningRate = 0.03 },
            new AttackSettings(), new EvaluationSettings { ProbeSteps = 0, BatchSize = 50 },
            new NoStorage(), progress);
        trainer.Run(trainer.Restore(), default);
        Trained[(epochs, model)] = ModelState.Capture(Network.Parameters, _backend);
    }

    public Network Network { get; }

    public DeviceImages Test { get; }

    public void Dispose()
    {
        Test.Dispose();
        Network.Dispose();
        _backend.Dispose();
    }

    private sealed class NoStorage : ITrainingStorage
    {
        public TrainingState? Restore(Network network) => null;

        public void Save(Network network, TrainingState state)
        {
        }

        public void SaveBest(Network network)
        {
        }
    }
}
