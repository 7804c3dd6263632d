using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Optimization.Replicas;

/// <summary>Replicas in one process.</summary>
internal sealed class ReplicaTests
{
    private static IEnumerable<TrainingMethod> Methods => TrainingMethodCatalog.All.Select(method => method.Method);

    /// <summary>Without batch normalisation, cutting a batch changes nothing but the order of sums.</summary>
    [Test]
    public void Without_normalisation_replicas_take_the_same_steps([ValueSource(nameof(Methods))] TrainingMethod method)
    {
        using IBackend backend = CpuBackend.Create(1);
        float[] whole = Steps(backend, method, 1, "lenet-4-8-32"), sharded = Steps(backend, method, 3, "lenet-4-8-32");
        double difference = Math.Sqrt(whole.Zip(sharded, (a, b) => Math.Pow(a - b, 2)).Sum());
        double moved = Math.Sqrt(whole.Sum(value => (double)value * value));
        Assert.That(difference / moved, Is.GreaterThan(0).And.LessThan(1e-4), "momenta");
    }

    [Test]
    public void Normalisation_sees_one_shard_at_a_time()
    {
        using IBackend backend = CpuBackend.Create(1);
        float[] whole = Steps(backend, TrainingMethod.Pgd, 1, "resnet18-w4");
        float[] two = Steps(backend, TrainingMethod.Pgd, 2, "resnet18-w4");
        Assert.That(whole.Zip(two, (a, b) => Math.Abs(a - b)).Max(), Is.GreaterThan(1e-3));
    }

    [Test]
    public void A_training_that_is_stopped_within_an_epoch_ends_with_the_same_bits(
        [ValueSource(nameof(Methods))] TrainingMethod method)
    {
        using var folder = new TemporaryFolder();
        using IBackend backend = CpuBackend.Create(1);
        TrainingSettings settings = ReplicaTraining.Settings(method, 3) with { Ema = 0.5, Epochs = 4 };
        (string weights, TrainingState state) = ReplicaTraining.Run(settings, backend, checkpoint: folder["whole"]);
        Assert.That(state.IsFinished);

        (string half, TrainingState stopped) = ReplicaTraining.Run(
            settings, backend, checkpoint: folder["stopped"], stopAfter: 4);
        Assert.That(stopped.Batch, Is.GreaterThan(0), "within an epoch");
        Assert.That(half, Is.Not.EqualTo(weights));
        Assert.That(ReplicaTraining.Run(settings, backend, checkpoint: folder["stopped"]).Weights, Is.EqualTo(weights));
    }

    [Test]
    public void Threads_and_instructions_of_a_process_do_not_change_bits()
    {
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Pgd, 3);
        using IBackend one = CpuBackend.Create(1), two = CpuBackend.Create(2);
        Assert.That(
            ReplicaTraining.Run(settings, two, "resnet18-w4").Weights,
            Is.EqualTo(ReplicaTraining.Run(settings, one, "resnet18-w4").Weights));
    }

    [Test]
    public void Statistics_are_the_mean_of_all_replicas_or_the_first_ones()
    {
        using IBackend backend = CpuBackend.Create(1);
        TrainingSettings settings = ReplicaTraining.Settings(TrainingMethod.Natural, 2);
        string mean = ReplicaTraining.Run(settings, backend, "resnet18-w4").Weights;
        string first = ReplicaTraining.Run(
            settings with { ReplicaStatistics = ReplicaStatistics.First }, backend, "resnet18-w4").Weights;
        Assert.That(first, Is.Not.EqualTo(mean));
    }

    [Test]
    public void A_step_allocates_nothing([ValueSource(nameof(Methods))] TrainingMethod method)
    {
        using IBackend backend = CpuBackend.Create(1);
        using var bench = new Bench(backend, method, replicas: 3, "resnet18-w4");
        Assert.That(Allocations.LeastBytesOfThread(() => bench.Run(0)), Is.Zero);
    }

    [Test]
    public void More_replicas_than_pairs_of_samples_are_refused()
    {
        var settings = new TrainingSettings { BatchSize = 8, Replicas = 5 };
        Assert.That(
            () => settings.Validate("dense."), Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(
                "5 replicas share a batch of 8, but each needs at least 2 samples for its batch statistics; give a larger "
                + "dense.batchSize or at most 4 dense.replicas."));
        Assert.That(() => (settings with { Replicas = 4 }).Validate("dense."), Throws.Nothing);
    }

    // Momenta after three steps: what the gradients have moved.
    private static float[] Steps(IBackend backend, TrainingMethod method, int replicas, string model)
    {
        using var bench = new Bench(backend, method, replicas, model);
        for (int i = 0; i < 3; i++)
            bench.Run(i);
        return bench.Momenta();
    }

    private sealed class Bench : IDisposable
    {
        private const int Batch = 8;

        private readonly Network _network;
        private readonly DeviceImages _images;
        private readonly TrainingStep _step;
        private readonly ImageRequest[] _requests = new ImageRequest[Batch];
        private readonly EpochOrder _order;
        private readonly TrainingState _state = new();

        public Bench(IBackend backend, TrainingMethod method, int replicas, string model)
        {
            bool grey = model.StartsWith("lenet", StringComparison.Ordinal);
            DataSplit data = grey
                ? SyntheticImages.Generate("synthetic-28", 1, 28, 40, 1, seed: 4)
                : SyntheticImages.Generate("synthetic-32", 3, 32, 40, 1, seed: 4);
            FeatureShape shape = DeviceImages.Shape(data.Train);
            _network = new Network(ModelCatalog.Build(model, new ModelOptions(shape)), backend);
            Initialization.Draw(_network.Graph.Table, seed: 1).CopyTo(_network.Parameters, backend);
            _images = new DeviceImages(data.Train, backend);
            TrainingSettings settings = ReplicaTraining.Settings(method, replicas) with { BatchSize = Batch };
            var attack = new AttackSettings { Epsilon = 0.05, StepSize = 0.02, Steps = 2 };
            _step = new TrainingStep(
                _network, _images, new SgdOptimizer(_network, settings), settings, attack, seed: 1, Batch);
            _order = new EpochOrder(Enumerable.Range(0, 40).ToArray(), Batch, Augmentation.None, seed: 1);
        }

        public void Run(int batch)
        {
            _order.Fill(batch, _requests);
            _step.Run(_requests, 1e-3, _state);
        }

        public float[] Momenta()
        {
            float[] momenta = new float[_network.Graph.Table.TrainedLength];
            _network.Backend.Download(_network.Parameters.Momenta.All, momenta);
            return momenta;
        }

        public void Dispose()
        {
            _step.Dispose();
            _images.Dispose();
            _network.Dispose();
        }
    }
}
