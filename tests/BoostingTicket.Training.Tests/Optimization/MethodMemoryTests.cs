using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Counting;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;

namespace BoostingTicket.Training.Tests.Optimization;

/// <summary>What a method says of its plans and memory, against what its step compiles and allocates on a GPU that computes
/// nothing.</summary>
internal sealed class MethodMemoryTests
{
    private const int Batch = 20;

    // So many that logits are not lost among the lists.
    private const int Classes = 1000;

    // Lists with a value for each sample or channel are not counted. Images and logits that a method keeps are larger.
    private const long Lists = 32 << 10;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-32", 3, 32, 40, 10, seed: 3);

    [Test]
    public void A_step_compiles_the_plans_that_its_method_names(
        [Values] TrainingMethod method, [Values] AttackStatistics statistics)
    {
        using var bench = new Bench(method, statistics);
        using TrainingStep step = bench.Create();
        // A plan may also be compiled by the first use, and a replayed step is another path than the first.
        for (int i = 0; i < 3; i++)
            bench.Run(step);
        Assert.That(
            bench.Network.Plans.Select(plan => plan.Options),
            Is.EquivalentTo(bench.Method.Plans(Batch, bench.Attack).Distinct()));
    }

    [Test]
    public void A_step_allocates_what_its_plans_need_and_its_method_keeps([Values] TrainingMethod method)
    {
        using var bench = new Bench(method, AttackStatistics.Running);
        MemoryNeed need = bench.Network.Need([.. bench.Method.Plans(Batch, bench.Attack)]);
        long kept = bench.Method.KeptBytes(bench.Network, Batch), before = bench.Network.Backend.FreeMemory!.Value;
        using TrainingStep step = bench.Create();
        long allocated = before - bench.Network.Backend.FreeMemory!.Value;
        Assert.That(allocated - need.FeatureMaps - need.Images - kept, Is.InRange(0, Lists));
    }

    [Test]
    public void Gradients_are_summed_by_the_methods_that_say_so([Values] TrainingMethod method)
    {
        using var bench = new Bench(method, AttackStatistics.Running);
        using TrainingStep step = bench.Create();
        bench.Run(step);
        long before = bench.Network.Backend.FreeMemory!.Value;
        _ = bench.Network.Parameters.GradientSums;
        bool summed = before == bench.Network.Backend.FreeMemory!.Value;
        Assert.That(summed, Is.EqualTo(bench.Method.SumsGradients));
    }

    private sealed class Bench : IDisposable
    {
        private readonly IBackend _backend;
        private readonly DeviceImages _images;
        private readonly TrainingSettings _settings;
        private readonly TrainingState _state = new();

        public Bench(TrainingMethod method, AttackStatistics statistics)
        {
            _settings = new TrainingSettings { Method = method, BatchSize = Batch };
            Attack = new AttackSettings { Epsilon = 8.0 / 255, StepSize = 2.0 / 255, Steps = 2, Statistics = statistics };
            _backend = new CountingDevice(GpuModel.All[0]).Open(new CudaOptions(Precision: Precision.Float32));
            _images = new DeviceImages(Data.Train, _backend);
            var shape = new FeatureShape(3, 32, 32);
            Network = new Network(ModelCatalog.Build("resnet18-w8", new ModelOptions(shape, Classes, null)), _backend);
            // The backend keeps what an upload passes through.
            Tensor images = _backend.DescribeImages(Batch, shape);
            using Arena arena = _backend.CreateArena(images.Bytes);
            _backend.Place(images, arena, 0);
            _backend.Upload(new float[images.Length], images);
        }

        public Network Network { get; }

        public AttackSettings Attack { get; }

        public ITrainingMethod Method => TrainingMethodCatalog.Find(_settings.Method);

        public TrainingStep Create() =>
            new(Network, _images, new SgdOptimizer(Network, _settings), _settings, Attack, seed: 1, Batch);

        public void Run(TrainingStep step) =>
            step.Run([.. Enumerable.Range(0, Batch).Select(i => new ImageRequest(i, 0, 0, false))], 0.01, _state);

        public void Dispose()
        {
            Network.Dispose();
            _images.Dispose();
            _backend.Dispose();
        }
    }
}
