using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Optimization;

/// <summary>Free training does the passes that were asked for, whatever its replays.</summary>
internal sealed class FreePassesTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 100, 1, seed: 4);

    // 70 samples in batches of 16.
    private const int Batches = 5;

    [TestCase(1, 8, new[] { 5 })]
    [TestCase(5, 8, new[] { 25 })]
    [TestCase(8, 8, new[] { 40 })]
    [TestCase(5, 3, new[] { 15, 10 })]
    [TestCase(6, 3, new[] { 15, 15 })]
    [TestCase(3, 1, new[] { 5, 5, 5 })]
    [TestCase(0, 8, new int[0])]
    public void Asked_passes_are_done_passes(int passes, int replays, int[] stepsOfEpochs)
    {
        using var training = new Training(passes, replays);
        Assert.That(training.Trainer.TotalSteps, Is.EqualTo(passes * Batches));
        TrainingState state = training.Trainer.Restore();
        training.Trainer.Run(state, default);
        Assert.That(training.Steps, Is.EqualTo(stepsOfEpochs));
        Assert.That(state.History, Has.Count.EqualTo(stepsOfEpochs.Length));
        Assert.That(training.Trainer.StepsDone(state), Is.EqualTo(passes * Batches));
        if (passes > 0)
            Assert.That(state.History[^1].LearningRate, Is.EqualTo(0.01 * 0.1).Within(1e-12), "dropped for the last pass");
    }

    [Test]
    public void Fewer_passes_are_other_weights()
    {
        string[] hashes = [.. ((int[])[1, 5, 8]).Select(passes =>
        {
            using var training = new Training(passes, 8);
            training.Trainer.Run(training.Trainer.Restore(), default);
            return training.Hash;
        })];
        Assert.That(hashes, Is.Unique);
    }

    [Test]
    public void A_sweep_of_so_many_replays_is_the_same_training()
    {
        using Training last = new(5, 8), whole = new(5, 5);
        last.Trainer.Run(last.Trainer.Restore(), default);
        whole.Trainer.Run(whole.Trainer.Restore(), default);
        Assert.That(last.Hash, Is.EqualTo(whole.Hash));
    }

    [TestCase(5, 8, "each batch is trained on 5 times in a row: 5 passes in 1 epoch of the log")]
    [TestCase(20, 8, "each batch is trained on 8 times in a row: 20 passes in 3 epochs of the log, the last with 4 in a row")]
    [TestCase(16, 8, "each batch is trained on 8 times in a row: 16 passes in 2 epochs of the log")]
    [TestCase(1, 8, "each batch is trained on 1 time: 1 pass in 1 epoch of the log")]
    [TestCase(3, 1, null)]
    public void Passes_and_epochs_of_the_log_are_explained(int passes, int replays, string? text) =>
        Assert.That(TrainingMethodCatalog.DescribeReplays(Settings(passes, replays)), Is.EqualTo(text));

    private static TrainingSettings Settings(int passes, int replays) => new()
    {
        Method = TrainingMethod.Free,
        Epochs = passes,
        BatchSize = 16,
        LearningRate = 0.01,
        LearningRateDrops = [0.8],
        MethodOptions = new MethodSettings { Replays = replays },
    };

    private sealed class Training : ITrainingStorage, IStepObserver, IDisposable
    {
        private readonly IBackend _backend = CpuBackend.Create(1);
        private readonly Network _network;
        private readonly DeviceImages _images;
        private readonly CountingProgress _progress = new();
        private int _updates;

        public Training(int passes, int replays)
        {
            _network = new Network(ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), _backend);
            Initialization.Draw(_network.Graph.Table, seed: 1).CopyTo(_network.Parameters, _backend);
            _images = new DeviceImages(Data.Train, _backend);
            int[] samples = [.. Enumerable.Range(0, 100)];
            Trainer = new Trainer(
                new TrainingContext(_network, _images, samples.AsMemory(0, 70), samples.AsMemory(70), Augmentation.None, Seed: 1),
                Settings(passes, replays), new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 2 },
                new EvaluationSettings { ProbeSteps = 0, BatchSize = 16 }, this, _progress)
            {
                Observer = this,
            };
        }

        public Trainer Trainer { get; }

        /// <summary>Steps of the weights in each epoch.</summary>
        public List<int> Steps { get; } = [];

        public string Hash => ModelState.Capture(_network.Parameters, _backend).ContentHash();

        public TrainingState? Restore(Network network) => null;

        public void Save(Network network, TrainingState state)
        {
            Steps.Add(_updates);
            _updates = 0;
        }

        public void Enter(StepPhase phase) => _updates += phase == StepPhase.Update ? 1 : 0;

        public void SaveBest(Network network)
        {
        }

        public void Dispose()
        {
            Trainer.Dispose();
            _progress.Dispose();
            _images.Dispose();
            _network.Dispose();
            _backend.Dispose();
        }
    }
}
