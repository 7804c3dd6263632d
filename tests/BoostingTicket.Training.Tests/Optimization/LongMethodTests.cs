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
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Optimization;

/// <summary>Whole trainings by methods that outlive a step: replays, averages, rules, and what becomes of them when they are
/// stopped.</summary>
internal sealed class LongMethodTests
{
    private const string ConfigurationHash = "of these tests";

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 100, 1, seed: 4);

    // 70 samples in batches of 16: four full ones and a leftover of six.
    private static readonly TrainingSettings Short = new()
    {
        Method = TrainingMethod.Free,
        Epochs = 7,
        BatchSize = 16,
        LearningRate = 0.02,
        WarmupFrom = 0.001,
        MethodOptions = new MethodSettings { Replays = 3, OuterSteps = 2, InnerSteps = 2 },
    };

    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("methods-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Free_training_takes_as_many_steps_as_others_in_a_share_of_the_epochs()
    {
        using var training = new Training(Short, new FileStorage(_folder));

        TrainingState state = training.Run(default);

        Assert.Multiple(() =>
        {
            Assert.That(training.Trainer.StepsPerEpoch, Is.EqualTo(5 * 3));
            Assert.That(training.Trainer.TotalSteps, Is.EqualTo(7 * 5), "7 passes, 3 to an epoch, 1 in the last");
            Assert.That(state.History, Has.Count.EqualTo(3));
            Assert.That(training.Trainer.StepsDone(state), Is.EqualTo(35));
        });
    }

    [TestCase(TrainingMethod.Free, 0.9)]
    [TestCase(TrainingMethod.Free, null)]
    [TestCase(TrainingMethod.Trades, 0.9995)]
    [TestCase(TrainingMethod.Yopo, null)]
    [TestCase(TrainingMethod.NFgsm, 0.5)]
    public void A_training_that_is_stopped_within_its_epochs_ends_with_the_same_bits(TrainingMethod method, double? ema)
    {
        TrainingSettings settings = Short with { Method = method, Ema = ema, Epochs = 8 };
        string whole, stopped = "";
        using (var training = new Training(settings, new FileStorage(Path.Combine(_folder, "whole"))))
        {
            training.Run(default);
            whole = training.Hash;
        }
        var storage = new FileStorage(Path.Combine(_folder, "stopped"));
        int withinEpochs = 0, withinReplays = 0;
        for (int stop = 2; stopped.Length == 0; stop += 1 + stop % 3)
        {
            using var training = new Training(settings, storage);
            using var source = new CancellationTokenSource();
            training.StopAfter(stop, source);
            try
            {
                training.Run(source.Token);
                stopped = training.Hash;
            }
            catch (OperationCanceledException)
            {
                withinEpochs += storage.LastSaved!.Batch > 0 ? 1 : 0;
                withinReplays += storage.LastSaved!.Batch % 3 > 0 ? 1 : 0;
            }
        }

        Assert.That(stopped, Is.EqualTo(whole));
        Assert.That(withinEpochs, Is.AtLeast(4));
        if (method == TrainingMethod.Free)
            Assert.That(withinReplays, Is.AtLeast(4));
    }

    [Test]
    public void The_average_is_that_of_the_weights_after_every_step_and_stays_pruned()
    {
        TrainingSettings settings = Short with
        {
            Method = TrainingMethod.Natural,
            Epochs = 2,
            LearningRate = 0.2,
            Ema = 0.6,
            WarmupFrom = null,
        };
        var states = new List<ModelState>();
        for (int steps = 0; steps <= 10; steps++)
        {
            // The weights themselves after so many steps: the training without an average, stopped there.
            var storage = new FileStorage(Path.Combine(_folder, $"{steps}"));
            using var training = new Training(settings with { Ema = null }, storage);
            using var source = new CancellationTokenSource();
            training.StopAfter(steps, source);
            if (steps < 10)
                Assert.Throws<OperationCanceledException>(() => training.Run(source.Token));
            else
                training.Run(default);
            states.Add(training.State);
        }
        double[] expected = Array.ConvertAll(states[0].Weights, value => (double)value);
        for (int step = 1; step <= 10; step++)
        {
            double factor = Math.Min(0.6, (1.0 + step) / (10.0 + step));
            for (int i = 0; i < expected.Length; i++)
                expected[i] = factor * expected[i] + (1 - factor) * states[step].Weights[i];
        }

        using var averaged = new Training(settings, new FileStorage(Path.Combine(_folder, "averaged")));
        averaged.Run(default);
        ModelState actual = averaged.State;

        Assert.That(actual.Weights.Zip(expected, (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(1e-6));
        Assert.That(actual.Weights.Zip(states[10].Weights, (a, b) => Math.Abs(a - b)).Max(), Is.GreaterThan(
            1e-4), "it is no copy of the last");
        int[] pruned = [.. Enumerable.Range(0, averaged.Mask.Length).Where(i => averaged.Mask.Values[i] == 0)];
        Assert.That(pruned.Where(i => BitConverter.SingleToInt32Bits(actual.Weights[i]) != 0), Is.Empty);
    }

    [TestCase(1, 2.0 / 11)]
    [TestCase(90, 0.91)]
    [TestCase(1_000_000, 0.9995)]
    public void The_average_runs_in(long step, double factor) =>
        Assert.That(WeightAverage.FactorAt(0.9995, step), Is.EqualTo(factor).Within(1e-12));

    /// <summary>A training resumed after an epoch in which everything was robust, at a rate of zero.</summary>
    [Test]
    public void Overfitting_is_warned_of_once_and_kept_with_the_state()
    {
        TrainingSettings settings = Short with { Method = TrainingMethod.Fgsm, LearningRate = 0, WarmupFrom = null, Epochs = 4 };
        var storage = new FileStorage(_folder);
        using (var first = new Training(settings, storage))
        {
            var state = new TrainingState { Epoch = 1 };
            state.History.Add(new EpochRecord(1, 0, 1, TrainAccuracy: 0, 1, ValidationRobust: 1, default));
            storage.Save(first.Network, state);
        }
        using var training = new Training(settings, storage);

        TrainingState end = training.Run(default);

        Assert.That(training.Progress.Warnings, Is.EqualTo(end.Warnings));
        Assert.That(end.Warnings, Has.Count.EqualTo(2));
        Assert.That(end.Warnings[0], Does.Contain("overfitting in epoch 2"));
        Assert.That(end.Warnings[1], Does.StartWith("after its last epoch").And.Contain("learned nothing"), "at a rate of zero");
        Assert.That(storage.LastSaved!.Warnings, Is.EqualTo(end.Warnings));
    }

    /// <summary>A network, its images and a trainer.</summary>
    private sealed class Training : IDisposable
    {
        private readonly IBackend _backend;
        private readonly DeviceImages _images;

        public Training(TrainingSettings settings, ITrainingStorage storage)
        {
            _backend = CpuBackend.Create(1);
            Network = new Network(ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), _backend);
            ModelState initial = Initialization.Draw(Network.Graph.Table, seed: 1);
            Mask = PrunerCatalog.Find("global").Prune(initial, new PruningOptions(0.5)).Mask;
            TicketReset.Apply(Network.Parameters, _backend, initial, Mask);
            _images = new DeviceImages(Data.Train, _backend);
            int[] samples = [.. Enumerable.Range(0, 100)];
            Trainer = new Trainer(
                new TrainingContext(
                    Network, _images, samples.AsMemory(0, 70), samples.AsMemory(70), Augmentation.Crop4Flip, Seed: 1),
                settings, new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 2 },
                new EvaluationSettings { ProbeSteps = 2, BatchSize = 16 }, storage, Progress);
        }

        public Network Network { get; }

        public Mask Mask { get; }

        public Trainer Trainer { get; }

        public CountingProgress Progress { get; } = new();

        public ModelState State => ModelState.Capture(Network.Parameters, _backend);

        public string Hash => State.ContentHash();

        /// <summary>Cancels when so many more steps of the weights were done.</summary>
        public void StopAfter(int steps, CancellationTokenSource source)
        {
            if (steps == 0)
                source.Cancel();
            Trainer.Observer = new Stop(steps, source);
        }

        public TrainingState Run(CancellationToken cancellation)
        {
            TrainingState state = Trainer.Restore();
            Trainer.Run(state, cancellation);
            return state;
        }

        public void Dispose()
        {
            Trainer.Dispose();
            Progress.Dispose();
            _images.Dispose();
            Network.Dispose();
            _backend.Dispose();
        }
    }

    /// <summary>Counts updates.</summary>
    private sealed class Stop(int steps, CancellationTokenSource source) : IStepObserver
    {
        private int _updates;

        public void Enter(StepPhase phase)
        {
            if (phase == StepPhase.Update && ++_updates == steps)
                source.Cancel();
        }
    }

    /// <summary>Real checkpoint files.</summary>
    private sealed class FileStorage(string folder) : ITrainingStorage
    {
        private string Checkpoint => Path.Combine(Directory.CreateDirectory(folder).FullName, "checkpoint.safetensors");

        public TrainingState? LastSaved { get; private set; }

        public TrainingState? Restore(Network network) =>
            File.Exists(Checkpoint) ? TrainingCheckpoint.Load(Checkpoint, network, ConfigurationHash) : null;

        public void Save(Network network, TrainingState state)
        {
            ModelFileMetadata metadata = ModelFileMetadata.Of(network.Graph, null) with { ConfigurationHash = ConfigurationHash };
            TrainingCheckpoint.Save(Checkpoint, network, state, metadata);
            LastSaved = TrainingCheckpoint.Load(Checkpoint, network, ConfigurationHash);
        }

        public void SaveBest(Network network)
        {
        }
    }
}
