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

namespace BoostingTicket.Training.Tests.Optimization;

internal sealed class TrainerTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 60, 1, seed: 4);

    // At a rate of zero, no epoch is better than the first that was measured.
    private static readonly TrainingSettings Still = new()
    {
        Method = TrainingMethod.Fgsm,
        Epochs = 30,
        BatchSize = 16,
        LearningRate = 0,
    };

    [Test]
    public void Patience_counts_only_epochs_in_which_robustness_was_measured()
    {
        TrainingState state = Train(
            Still with { EarlyStopping = new EarlyStopping { Patience = 2 } },
            new EvaluationSettings { ProbeSteps = 1, ProbeEvery = 3, BatchSize = 16 });

        Assert.Multiple(() =>
        {
            Assert.That(state.BestEpoch, Is.EqualTo(3), "the first probe");
            Assert.That(state.Epoch, Is.EqualTo(9), "two probes later");
        });
    }

    [TestCase(null, 2)]
    [TestCase(true, 2)]
    [TestCase(false, 1)]
    public void Early_stopping_watches_what_the_method_trains_unless_told_otherwise(bool? robust, int best)
    {
        TrainingState state = Train(
            Still with { EarlyStopping = new EarlyStopping { Patience = 1, Robust = robust } },
            new EvaluationSettings { ProbeSteps = 1, ProbeEvery = 2, BatchSize = 16 });

        Assert.That(state.BestEpoch, Is.EqualTo(best), "probes come every second epoch, clean accuracy every epoch");
    }

    [Test]
    public void Weights_that_are_no_numbers_are_never_saved()
    {
        var storage = new MemoryStorage { Poison = true };
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        DivergedException error = Assert.Throws<DivergedException>(
            () => Train(Still, new EvaluationSettings { ProbeSteps = 0, BatchSize = 16 }, storage, cancellation: stop.Token))!;

        Assert.That(error.Message, Does.Contain("lower the learning rate (learningRate)").And.Contain("warmupFrom"));
        Assert.That(storage.Saves, Is.Zero);
    }

    [TestCase(1, 40)]
    [TestCase(16, 3)]
    [TestCase(39, 1)]
    public void Only_a_leftover_of_one_sample_is_left_out(int batchSize, int batches)
    {
        TrainingState state = Train(
            Still with { Method = TrainingMethod.Natural, BatchSize = batchSize, Epochs = 1 },
            new EvaluationSettings { ProbeSteps = 0, BatchSize = 16 }, batches: batches);

        Assert.That(state.History, Has.Count.EqualTo(1));
    }

    private static TrainingState Train(
        TrainingSettings settings, EvaluationSettings evaluation, MemoryStorage? storage = null, int? batches = null,
        CancellationToken cancellation = default)
    {
        using IBackend backend = CpuBackend.Create(1);
        using var network = new Network(
            ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        using var images = new DeviceImages(Data.Train, backend);
        int[] samples = [.. Enumerable.Range(0, 60)];
        using var progress = new CountingProgress();
        using var trainer = new Trainer(
            new TrainingContext(network, images, samples.AsMemory(0, 40), samples.AsMemory(40), Augmentation.None, Seed: 1),
            settings,
            new AttackSettings { Epsilon = 0.01, StepSize = 0.01 }, evaluation, storage ?? new MemoryStorage(), progress);
        if (batches is { } expected)
            Assert.That(trainer.BatchCount, Is.EqualTo(expected));
        TrainingState state = trainer.Restore();
        trainer.Run(state, cancellation);
        return state;
    }

    private sealed class MemoryStorage : ITrainingStorage
    {
        public bool Poison { get; init; }

        public int Saves { get; private set; }

        public TrainingState? Restore(Network network)
        {
            if (Poison)
                network.Backend.Fill(network.Parameters.Weights.All, float.NaN);
            return null;
        }

        public void Save(Network network, TrainingState state) => Saves++;

        public void SaveBest(Network network)
        {
        }
    }
}
