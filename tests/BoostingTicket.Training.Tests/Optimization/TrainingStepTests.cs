using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Optimization;

internal sealed class TrainingStepTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-32", 3, 32, 40, 1, seed: 4);

    [TestCase(TrainingMethod.Natural, 1)]
    [TestCase(TrainingMethod.Fgsm, 1)]
    [TestCase(TrainingMethod.Pgd, 1)]
    [TestCase(TrainingMethod.Pgd, 2)]
    [TestCase(TrainingMethod.FgsmRs, 1)]
    [TestCase(TrainingMethod.NFgsm, 1)]
    [TestCase(TrainingMethod.Free, 1)]
    [TestCase(TrainingMethod.Yopo, 1)]
    [TestCase(TrainingMethod.Trades, 2)]
    public void A_whole_step_allocates_nothing(TrainingMethod method, int threads)
    {
        using IBackend backend = CpuBackend.Create(threads);
        using var network = new Network(
            ModelCatalog.Build("resnet18-w4", new ModelOptions(new FeatureShape(3, 32, 32))), backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        using var images = new DeviceImages(Data.Train, backend);
        var settings = new TrainingSettings { Method = method };
        var attack = new AttackSettings { Steps = 2, Restarts = 2 };
        using var step = new TrainingStep(
            network, images, new SgdOptimizer(network, settings), settings, attack, seed: 1, batch: 8);
        var order = new EpochOrder(Enumerable.Range(0, 40).ToArray(), 8, Augmentation.Crop4Flip, seed: 1);
        var requests = new ImageRequest[8];
        var state = new TrainingState();

        void Run()
        {
            order.Fill(0, requests);
            step.Run(requests, 1e-4, state);
        }

        Assert.That(threads == 1 ? Allocations.LeastBytesOfThread(Run) : Allocations.LeastBytes(Run), Is.Zero);
    }

    [Test]
    public void Pruned_weights_and_their_momenta_are_exactly_zero_after_every_step()
    {
        using IBackend backend = CpuBackend.Create(2);
        using var network = new Network(
            ModelCatalog.Build("resnet18-w4", new ModelOptions(new FeatureShape(3, 32, 32))), backend);
        ModelState initial = Initialization.Draw(network.Graph.Table, seed: 1);
        Mask mask = PrunerCatalog.Find("global").Prune(initial, new PruningOptions(0.9)).Mask;
        TicketReset.Apply(network.Parameters, backend, initial, mask);
        using var images = new DeviceImages(Data.Train, backend);
        var settings = new TrainingSettings { Method = TrainingMethod.Fgsm };
        using var step = new TrainingStep(
            network, images, new SgdOptimizer(network, settings), settings, new AttackSettings(), seed: 1, batch: 8);
        var order = new EpochOrder(Enumerable.Range(0, 40).ToArray(), 8, Augmentation.None, seed: 1);
        var requests = new ImageRequest[8];
        float[] weights = new float[mask.Length], momenta = new float[mask.Length];
        int[] pruned = [.. Enumerable.Range(0, mask.Length).Where(i => mask.Values[i] == 0)];

        for (int batch = 0; batch < 5; batch++)
        {
            order.Fill(batch, requests);
            step.Run(requests, 0.1, new TrainingState());
            backend.Download(new BufferSlice(network.Parameters.Weights, 0, mask.Length), weights);
            backend.Download(new BufferSlice(network.Parameters.Momenta, 0, mask.Length), momenta);

            Assert.That(pruned.Where(i => BitConverter.SingleToInt32Bits(weights[i]) != 0), Is.Empty, "weights");
            Assert.That(pruned.Where(i => BitConverter.SingleToInt32Bits(momenta[i]) != 0), Is.Empty, "momenta");
        }
        Assert.That(weights.Count(weight => weight != 0), Is.GreaterThan(mask.Kept * 0.99), "kept weights are trained");
    }

    [Test]
    public void Observer_is_told_of_every_phase_and_changes_nothing()
    {
        var phases = new PhaseList();
        Assert.That(Train(phases), Is.EqualTo(Train(null)));
        StepPhase[] attackStep = [StepPhase.AttackForward, StepPhase.AttackGradient, StepPhase.AttackStep];
        Assert.That(phases.Entered, Is.EqualTo((StepPhase[])
        [
            StepPhase.Data, StepPhase.AttackStart, StepPhase.Filters, .. attackStep, .. attackStep,
            StepPhase.Filters, StepPhase.TrainingForward, StepPhase.TrainingBackward, StepPhase.Update,
        ]));
    }

    private static string Train(IStepObserver? observer)
    {
        using IBackend backend = CpuBackend.Create(2);
        using var network = new Network(
            ModelCatalog.Build("resnet18-w4", new ModelOptions(new FeatureShape(3, 32, 32))), backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        using var images = new DeviceImages(Data.Train, backend);
        var settings = new TrainingSettings { Method = TrainingMethod.Pgd };
        using var step = new TrainingStep(
            network, images, new SgdOptimizer(network, settings), settings, new AttackSettings { Steps = 2 }, seed: 1, batch: 8);
        step.Observer = observer;
        var requests = new ImageRequest[8];
        new EpochOrder(Enumerable.Range(0, 40).ToArray(), 8, Augmentation.Crop4Flip, seed: 1).Fill(0, requests);
        step.Run(requests, 0.1, new TrainingState());
        return ModelState.Capture(network.Parameters, backend).ContentHash();
    }

    private sealed class PhaseList : IStepObserver
    {
        public List<StepPhase> Entered { get; } = [];

        public void Enter(StepPhase phase) => Entered.Add(phase);
    }
}
