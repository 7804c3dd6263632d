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

/// <summary>A training goes on from a step that it has, or says that the checkpoint is damaged.</summary>
internal sealed class RestoredStepTests
{
    // Five steps an epoch, two epochs.
    [TestCase(1, 5, false)]
    [TestCase(2, 0, false)]
    [TestCase(0, 6, true)]
    [TestCase(0, 2_000_000_000, true)]
    [TestCase(3, 0, true)]
    public void A_step_beyond_the_training_is_refused(int epoch, int step, bool refused)
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        using var network =
            new Network(ModelCatalog.Build("lenet-1-2-3", new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        using var images = new DeviceImages(SyntheticImages.Generate("synthetic-28", 1, 28, 60, 10, seed: 4).Train, backend);
        int[] samples = [.. Enumerable.Range(0, 60)];
        using var progress = new CountingProgress();
        using var trainer = new Trainer(
            new TrainingContext(network, images, samples.AsMemory(0, 50), samples.AsMemory(50), Augmentation.None, Seed: 1),
            new TrainingSettings { Method = TrainingMethod.Natural, Epochs = 2, BatchSize = 10, LearningRate = 0.03 },
            new AttackSettings(), new EvaluationSettings { ProbeSteps = 0, BatchSize = 10 },
            new Kept(new TrainingState { Epoch = epoch, Batch = step }), progress);
        if (refused)
            Assert.That(
                () => trainer.Restore(), Throws.TypeOf<DamagedFileException>().With.Message.Contains("2 epochs of 5 steps"));
        else
            Assert.That(trainer.Restore().Batch, Is.EqualTo(step));
    }

    private sealed class Kept(TrainingState state) : ITrainingStorage
    {
        public TrainingState? Restore(Network network) => state;

        public void Save(Network network, TrainingState state)
        {
        }

        public void SaveBest(Network network)
        {
        }
    }
}
