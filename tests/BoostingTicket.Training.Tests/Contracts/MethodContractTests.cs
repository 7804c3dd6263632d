using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Contracts;

/// <summary>What holds for every training method of the catalogue: a new line there is tested without a new test.</summary>
internal sealed class MethodContractTests
{
    private const int Samples = 60, Batch = 10, Epochs = 8;
    private const ulong Seed = 6;

    private static readonly AttackSettings Attack = new() { Epsilon = 0.05, StepSize = 0.02, Steps = 2 };
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, Samples, 1, seed: 4);

    private static IEnumerable<TrainingMethod> Methods => TrainingMethodCatalog.All.Select(method => method.Method);

    [Test]
    public void It_lowers_the_loss_and_gives_the_same_bits_again_and_when_it_goes_on(
        [ValueSource(nameof(Methods))] TrainingMethod method)
    {
        using var folder = new TemporaryFolder();
        (string weights, TrainingState state) = Train(method, folder["whole"]);
        Assert.That(state.IsFinished);
        Assert.That(state.History[^1].TrainLoss, Is.LessThan(state.History[0].TrainLoss));
        Assert.That(Train(method, folder["again"]).Weights, Is.EqualTo(weights), "the same again");

        (string half, TrainingState stopped) = Train(method, folder["resumed"], stopAfter: 7);
        Assert.That(stopped.IsFinished, Is.False);
        Assert.That(half, Is.Not.EqualTo(weights));
        Assert.That(Train(method, folder["resumed"]).Weights, Is.EqualTo(weights), "resumed");
    }

    [Test]
    public void What_it_trains_on_is_in_its_ball_and_in_range([ValueSource(nameof(Methods))] TrainingMethod method)
    {
        ITrainingMethod entry = TrainingMethodCatalog.Find(method);
        using IBackend backend = CpuBackend.Create(1);
        using Network network = Create(backend);
        TrainingSettings settings = Settings(method);
        BatchBuffers buffers = network.Buffers(Batch);
        using MethodStep step = entry.Create(
            new MethodContext(network, new SgdOptimizer(network, settings), settings, Attack, Seed, Batch));
        float[] clean = [.. Data.Train.Pixels.Take(Batch * Data.Train.SampleLength).Select(pixel => pixel / 255f)];
        int[] samples = [.. Enumerable.Range(0, Batch)];
        backend.Upload([.. samples.Select(sample => (int)Data.Train.Labels[sample])], buffers.Labels);
        backend.Upload(samples, buffers.Samples);
        double ball = entry.Radius(settings, Attack), largest = 0;
        for (int i = 0; i < 3; i++)
        {
            backend.Upload(clean, step.Destination);
            step.Attack(epoch: 0);
            Look();
            step.Train();
            Look();
        }
        Assert.That(largest, Is.LessThanOrEqualTo(ball));
        Assert.That(largest > 0, Is.EqualTo(entry.IsAdversarial));

        void Look()
        {
            float[] shown = new float[clean.Length];
            backend.Download(buffers.Input, shown);
            Assert.That(shown.All(pixel => pixel is >= 0 and <= 1));
            largest = Math.Max(largest, shown.Zip(clean, (a, b) => Math.Abs((double)a - b)).Max());
        }
    }

    [Test]
    public void What_it_says_of_itself_fits_together([ValueSource(nameof(Methods))] TrainingMethod method)
    {
        ITrainingMethod entry = TrainingMethodCatalog.Find(method);
        TrainingSettings settings = Settings(method);
        Assert.Multiple(() =>
        {
            Assert.That(entry.Description, Is.Not.Empty);
            Assert.That(entry.Replays(settings.MethodOptions), Is.Positive);
            Assert.That(entry.AttackSteps(settings, Attack) > 0, Is.EqualTo(entry.IsAdversarial));
            Assert.That(entry.Plans(Batch, Attack), Is.Not.Empty.And.Unique);
        });
    }

    private static TrainingSettings Settings(TrainingMethod method) => new()
    {
        Method = method,
        MethodOptions = new MethodSettings { Replays = 2, OuterSteps = 2, InnerSteps = 2 },
        Epochs = Epochs,
        BatchSize = Batch,
        LearningRate = 0.02,
        LearningRateDrops = [],
    };

    private static Network Create(IBackend backend)
    {
        var network = new Network(
            ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Initialization.Draw(network.Graph.Table, Seed).CopyTo(network.Parameters, backend);
        return network;
    }

    private static (string Weights, TrainingState State) Train(TrainingMethod method, string path, int stopAfter = int.MaxValue)
    {
        using IBackend backend = CpuBackend.Create(1);
        using Network network = Create(backend);
        using var images = new DeviceImages(Data.Train, backend);
        int[] samples = [.. Enumerable.Range(0, Samples)];
        using var progress = new CountingProgress();
        using var source = new CancellationTokenSource();
        using var trainer = new Trainer(
            new TrainingContext(
                network, images, samples.AsMemory(0, Samples - Batch), samples.AsMemory(Samples - Batch), Augmentation.None,
                Seed),
            Settings(method), Attack, new EvaluationSettings { ProbeSteps = 0, BatchSize = Batch },
            new FileStorage(path, ModelFileMetadata.Of(network.Graph, null) with { ConfigurationHash = "contract" }), progress);
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

    /// <summary>Ends a training after so many steps.</summary>
    private sealed class Stop(int steps, CancellationTokenSource source) : IStepObserver
    {
        private int _left = steps;

        public void Enter(StepPhase phase)
        {
            if (phase == StepPhase.Update && --_left == 0)
                source.Cancel();
        }
    }

    private sealed class FileStorage(string path, ModelFileMetadata metadata) : ITrainingStorage
    {
        public TrainingState? Restore(Network network) =>
            File.Exists(path) ? TrainingCheckpoint.Load(path, network, metadata.ConfigurationHash!) : null;

        public void Save(Network network, TrainingState state) => TrainingCheckpoint.Save(path, network, state, metadata);

        public void SaveBest(Network network)
        {
        }
    }
}
