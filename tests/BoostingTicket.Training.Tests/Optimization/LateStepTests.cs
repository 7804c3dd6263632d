using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Optimization;

/// <summary>A device that works beside the host is read a step late: with the same sums, weights, records and errors as one that
/// is waited for.</summary>
internal sealed class LateStepTests
{
    private const int Batch = 4;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 24, 1, seed: 4);

    private static readonly TrainingSettings Settings = new()
    {
        Method = TrainingMethod.Fgsm,
        BatchSize = Batch,
        Epochs = 2,
        LearningRate = 0.05,
    };

    [Test]
    public void Sums_come_a_step_late_and_are_the_same()
    {
        (TrainingState waited, string weights) = Train(new NoPhases(), (_, _, _) => { });
        var seen = new List<double>();
        (TrainingState late, string same) = Train(null, (_, _, state) => seen.Add(state.LossSum));
        Assert.Multiple(() =>
        {
            Assert.That(late.LossSum, Is.EqualTo(waited.LossSum));
            Assert.That((late.CorrectCount, late.SampleCount), Is.EqualTo((waited.CorrectCount, waited.SampleCount)));
            Assert.That(same, Is.EqualTo(weights));
            Assert.That(seen[0], Is.Zero, "the first step is read after the second");
            Assert.That(seen[1], Is.Positive.And.LessThan(seen[2]));
            Assert.That(late.LossSum, Is.GreaterThan(seen[2]), "the last step is read at the end");
            Assert.That(late.Times.Data, Is.Positive);
            Assert.That(late.Times.Attack, Is.Positive);
            Assert.That(late.Times.Train, Is.Positive);
        });
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Loss_that_is_no_number_is_told_of_the_step_that_had_it(bool atTheEnd)
    {
        DivergedException error = Assert.Throws<DivergedException>(() => Train(null, (network, step, state) =>
        {
            if (step == (atTheEnd ? 1 : 0))
                network.Backend.Fill(network.Parameters.Weights.All, float.NaN);
        }))!;
        Assert.That(error.Message, Does.StartWith($"Training diverged: the loss of epoch 3, step {(atTheEnd ? 3 : 2)} is NaN"));
    }

    [Test]
    public void Records_and_checkpoints_are_those_of_a_device_that_is_waited_for()
    {
        var sums = new Dictionary<(int Epoch, int Batch), (long Samples, double Loss)>();
        using var never = new CancellationTokenSource();
        var state = new TrainingState();
        IReadOnlyList<EpochRecord> waited = TrainAll(
            state, new NoPhases(phase =>
            {
                if (phase == StepPhase.Data)
                    sums[(state.Epoch, state.Batch)] = (state.SampleCount, state.LossSum);
            }), new SavedSums(), never);

        var interrupted = new TrainingState();
        var storage = new SavedSums();
        using var stop = new CancellationTokenSource();
        Task stopping = Task.Run(() =>
        {
            SpinWait.SpinUntil(() => interrupted.Batch > 0);
            stop.Cancel();
        });
        IReadOnlyList<EpochRecord> late = TrainAll(interrupted, null, storage, stop);
        stopping.Wait();

        Assert.That(
            late.Select(record => record with { Times = default, Work = null }),
            Is.EqualTo(waited.Select(record => record with { Times = default, Work = null })));
        (int Epoch, int Batch, long Samples, double Loss) save = storage.Saves[0];
        Assert.That(save.Batch, Is.Positive, "a checkpoint within an epoch");
        Assert.That((save.Samples, save.Loss), Is.EqualTo(sums[(save.Epoch, save.Batch)]));
    }

    // Three steps of epoch 3. The action runs after each.
    private static (TrainingState State, string Weights) Train(IStepObserver? observer, Action<Network, int, TrainingState> after)
    {
        using IBackend backend = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32, Deterministic: true));
        using Network network = Create(backend);
        using var images = new DeviceImages(Data.Train, backend);
        using var step = new TrainingStep(
            network, images, new SgdOptimizer(network, Settings), Settings, new AttackSettings { Epsilon = 0.1 }, seed: 1, Batch);
        step.Observer = observer;
        var order = new EpochOrder([.. Enumerable.Range(0, 3 * Batch)], Batch, Augmentation.None, seed: 1);
        var requests = new ImageRequest[Batch];
        var state = new TrainingState { Epoch = 2 };
        for (int i = 0; i < 3; i++)
        {
            state.Batch = i;
            order.Fill(i, requests);
            step.Run(requests, 0.05, state);
            after(network, i, state);
        }
        step.Finish(state);
        return (state, ModelState.Capture(network.Parameters, backend).ContentHash());
    }

    // Ten samples: two whole batches and a smaller one. Where the training is stopped, it goes on at once.
    private static IReadOnlyList<EpochRecord> TrainAll(
        TrainingState state, IStepObserver? observer, SavedSums storage, CancellationTokenSource stop)
    {
        using IBackend backend = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32, Deterministic: true));
        using Network network = Create(backend);
        using var images = new DeviceImages(Data.Train, backend);
        int[] samples = [.. Enumerable.Range(0, 14)];
        using var progress = new CountingProgress();
        using var trainer = new Trainer(
            new TrainingContext(network, images, samples.AsMemory(0, 10), samples.AsMemory(10), Augmentation.None, Seed: 1),
            Settings, new AttackSettings { Epsilon = 0.1 }, new EvaluationSettings { ProbeSteps = 0, BatchSize = 4 }, storage,
            progress);
        trainer.Observer = observer;
        try
        {
            trainer.Run(state, stop.Token);
        }
        catch (OperationCanceledException)
        {
            trainer.Run(state, default);
        }
        return [.. state.History];
    }

    private static Network Create(IBackend backend)
    {
        var network = new Network(ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        return network;
    }

    private sealed class NoPhases(Action<StepPhase>? entered = null) : IStepObserver
    {
        public void Enter(StepPhase phase) => entered?.Invoke(phase);
    }

    private sealed class SavedSums : ITrainingStorage
    {
        public List<(int Epoch, int Batch, long Samples, double Loss)> Saves { get; } = [];

        public TrainingState? Restore(Network network) => null;

        public void Save(Network network, TrainingState state) =>
            Saves.Add((state.Epoch, state.Batch, state.SampleCount, state.LossSum));

        public void SaveBest(Network network)
        {
        }
    }
}
