using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Optimization;

/// <summary>Steps and operations of a training, counted against the formula; what processors did.</summary>
internal sealed class TrainingWorkTests
{
    private const int Samples = 40, Steps = 3;
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, Samples + 20, 1, seed: 4);

    private static NetworkGraph Graph => ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28)));

    [TestCase(0)]
    [TestCase(0.75)]
    public void Operations_are_those_of_the_kept_weights_in_all_passes(double sparsity)
    {
        NetworkGraph graph = Graph;
        // Every weight of a layer is used equally often, so that a share of them does a share of the operations. The last layer
        // is not pruned.
        double[] layers = [.. graph.Nodes.Select(node => node.Layer?.MultiplyAdds(node.Inputs[0].Shape) ?? 0)
            .Where(count => count > 0).Select(count => 2.0 * count)];
        double first = layers[0] * (1 - sparsity), all = layers.SkipLast(1).Sum() * (1 - sparsity) + layers[^1];
        // Natural: forward pass, gradients of the weights, gradients of all layers' inputs but the first's.
        Assert.That(
            Train(TrainingMethod.Natural, sparsity).Operations, Is.EqualTo(Samples * (3 * all - first)).Within(1e-6).Percent);
        // PGD: each step of the attack is a forward pass and all gradients of inputs.
        Assert.That(
            Train(TrainingMethod.Pgd, sparsity).Operations,
            Is.EqualTo(Samples * (3 * all - first + Steps * 2 * all)).Within(1e-6).Percent);
    }

    [Test]
    public void Steps_are_counted_once_however_often_a_training_stops()
    {
        TrainingWork whole = Train(TrainingMethod.Pgd, 0), stopped = Train(TrainingMethod.Pgd, 0, stops: true);
        Assert.That(whole.Steps, Is.EqualTo(3));
        Assert.That((stopped.Steps, stopped.Operations), Is.EqualTo((whole.Steps, whole.Operations)));
    }

    [Test]
    public void Busy_processors_are_told_from_idle_ones()
    {
        var start = new MachineLoad(10, 100, 2, 0);
        // Two processors for ten seconds: this process used 10, others 10, or none, or 6 with room left.
        Assert.That(After(120, 2), Is.EqualTo(new TrainingWork(5, 7, 10, 10, 10)));
        Assert.That(After(110, 2).DisturbedSeconds, Is.Zero);
        Assert.That(After(116, 2).DisturbedSeconds, Is.Zero);
        Assert.That(After(116, 1).DisturbedSeconds, Is.EqualTo(10));
        Assert.That(After(null, 1).DisturbedSeconds, Is.Null);

        TrainingWork After(double? all, int processors) =>
            new MachineLoad(20, all, processors, 10 * Stopwatch.Frequency).Since(start, 5, 7);
    }

    [Test]
    public void A_processor_that_only_this_process_may_use_is_not_busy_while_others_of_the_machine_are()
    {
        // The first line sums up the four of the machine, whatever share of them this process may use.
        (double? seconds, int processors) = MachineLoad.Read(new StringReader(
            """
            cpu  100 200 300 9000 50 10 20 30 7 8
            cpu0 25 50 75 2250 12 3 5 8 2 2
            cpu1 25 50 75 2250 12 2 5 7 2 2
            cpu2 25 50 75 2250 13 3 5 8 2 2
            cpu10 25 50 75 2250 13 2 5 7 1 2
            intr 1 2 3
            ctxt 9
            """));
        Assert.That((seconds, processors), Is.EqualTo((6.6, 4)));
        // Ten seconds in which this process used its one processor, and others one of the three others.
        var start = new MachineLoad(10, 100, processors, 0);
        Assert.That(
            new MachineLoad(20, 120, processors, 10 * Stopwatch.Frequency).Since(start, 0, 0).DisturbedSeconds, Is.Zero);
    }

    [TestCase("")]
    [TestCase("cpu 1 2 3")]
    [TestCase("cpu  100 200 300 9000 50 10 20 30")]
    [TestCase("cpu  100 200 x 9000 50 10 20 30\ncpu0 100 200 300 9000 50 10 20 30")]
    [TestCase("intr 1 2 3")]
    public void A_system_that_does_not_say_how_busy_it_is_is_believed_nothing(string stat) =>
        Assert.That(MachineLoad.Read(new StringReader(stat)), Is.EqualTo(((double?)null, 0)));

    [Test]
    public void Processors_of_this_process_are_counted()
    {
        MachineLoad start = MachineLoad.Now();
        double own = start.Own;
        while (MachineLoad.Now().Own - own < 0.2)
        {
            // Uses a processor.
        }

        TrainingWork work = MachineLoad.Now().Since(start, 0, 0);
        Assert.That(work.ProcessorSeconds, Is.GreaterThanOrEqualTo(0.2));
        if (OperatingSystem.IsLinux())
            Assert.That(MachineLoad.Now().All - start.All, Is.GreaterThan(0.1), "all processors, of which this process is one");
    }

    private static TrainingWork Train(TrainingMethod method, double sparsity, bool stops = false)
    {
        using IBackend backend = CpuBackend.Create(1);
        using var network = new Network(Graph, backend);
        Initialization.Draw(network.Graph.Table, seed: 1).CopyTo(network.Parameters, backend);
        if (sparsity > 0)
        {
            // Of every four weights one is kept.
            network.Parameters.SetMasks([.. Enumerable.Range(0, network.Graph.Table.PrunableLength).Select(index => index % 4 == 0
                ? 1f : 0f)]);
        }

        using var images = new DeviceImages(Data.Train, backend);
        int[] samples = [.. Enumerable.Range(0, Samples + 20)];
        using var progress = new CountingProgress();
        using var trainer = new Trainer(
            new TrainingContext(
                network, images, samples.AsMemory(0, Samples), samples.AsMemory(Samples), Augmentation.None, Seed: 1),
            new TrainingSettings { Method = method, Epochs = 1, BatchSize = 16 },
            new AttackSettings { Epsilon = 0.05, StepSize = 0.02, Steps = Steps },
            new EvaluationSettings { ProbeSteps = 2, BatchSize = 16 }, new Storage(), progress);
        TrainingState state = trainer.Restore();
        for (int stop = 0; stops && stop < 2; stop++)
        {
            using var source = new CancellationTokenSource();
            trainer.Observer = new Stopper(source);
            Assert.Throws<OperationCanceledException>(() => trainer.Run(state, source.Token));
            trainer.Observer = null;
            Assert.That(state.Batch, Is.EqualTo(stop + 1));
        }

        trainer.Run(state, CancellationToken.None);
        return TrainingWork.Sum(state.History)!.Value;
    }

    private sealed class Stopper(CancellationTokenSource source) : IStepObserver
    {
        public void Enter(StepPhase phase)
        {
            if (phase == StepPhase.Update)
                source.Cancel();
        }
    }

    private sealed class Storage : ITrainingStorage
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
