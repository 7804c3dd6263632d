using BenchmarkDotNet.Attributes;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Testing.Operations;
using BoostingTicket.TorchSharpSupport;

namespace BoostingTicket.Benchmarks;

/// <summary>A model at a sparsity in both engines, which agree before they are timed.</summary>
public abstract class NetworkBenchmark
{
    private IBackend? _backend;
    private OurTraining? _ours;
    private TorchTraining? _theirs;

    [ParamsSource(nameof(Models))]
    public string Model { get; set; } = "";

    [Params(0, 0.8, 0.9, 0.95)]
    public double Sparsity { get; set; }

    public static IEnumerable<string> Models => BenchmarkModel.All.Select(model => model.Name);

    private protected OurTraining Ours => _ours!;

    private protected TorchTraining Theirs => _theirs!;

    [GlobalSetup]
    public void Prepare()
    {
        int threads = BenchmarkThreads.Count;
        TorchLibrary.Load(threads);
        _backend = CpuBackend.Create(threads);
        var work = new Workload(BenchmarkModel.Find(Model), Sparsity);
        _ours = new OurTraining(work, _backend);
        _theirs = new TorchTraining(work, TorchVariant.Shipped);
        Agreement.Require(_ours, _theirs);
        _theirs.Evaluate();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _ours?.Dispose();
        _theirs?.Dispose();
        _backend?.Dispose();
    }
}

/// <summary>One attack step: forward pass in evaluation form, gradient of the images alone, sign, projection, clamp.</summary>
public class AttackStepBenchmark : NetworkBenchmark
{
    [Benchmark(Baseline = true)]
    public void TorchSharp() => Theirs.AttackStep();

    [Benchmark]
    public void BoostingTicket() => Ours.AttackStep();
}

/// <summary>One step of natural training: filters, forward and backward pass, SGD, mask.</summary>
public class TrainingStepBenchmark : NetworkBenchmark
{
    [Benchmark(Baseline = true)]
    public void TorchSharp() => Theirs.TrainingStep();

    [Benchmark]
    public void BoostingTicket() => Ours.TrainingStep();
}

/// <summary>One step of PGD-10 training.</summary>
public class PgdTrainingStepBenchmark : NetworkBenchmark
{
    [Benchmark(Baseline = true)]
    public void TorchSharp() => Theirs.PgdTrainingStep();

    [Benchmark]
    public void BoostingTicket() => Ours.PgdTrainingStep();
}

/// <summary>Convolutions and linear layers of the models.</summary>
[GroupBenchmarksBy(BenchmarkDotNet.Configs.BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class ConvolutionBenchmark
{
    private IBackend? _backend;
    private ConvolutionPair? _pair;

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => LayerShapes.All.Keys;

    [GlobalSetup]
    public void Prepare()
    {
        int threads = BenchmarkThreads.Count;
        TorchLibrary.Load(threads);
        _backend = CpuBackend.Create(threads);
        _pair = new ConvolutionPair(Shape, _backend);
        _pair.RequireAgreement();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _pair?.Dispose();
        _backend?.Dispose();
    }

    [Benchmark(Baseline = true), BenchmarkCategory("forward")]
    public void TorchSharpForward() => _pair!.TheirForward();

    [Benchmark, BenchmarkCategory("forward")]
    public void BoostingTicketForward() => _pair!.OurForward();

    [Benchmark(Baseline = true), BenchmarkCategory("input gradient")]
    public void TorchSharpInputGradient() => _pair!.TheirInputGradient();

    [Benchmark, BenchmarkCategory("input gradient")]
    public void BoostingTicketInputGradient() => _pair!.OurInputGradient();

    [Benchmark(Baseline = true), BenchmarkCategory("filter gradient")]
    public void TorchSharpFilterGradient() => _pair!.TheirFilterGradient();

    [Benchmark, BenchmarkCategory("filter gradient")]
    public void BoostingTicketFilterGradient() => _pair!.OurFilterGradient();
}

/// <summary>Threads of both engines.</summary>
internal static class BenchmarkThreads
{
    /// <summary>Variable that sets them; one a processor otherwise.</summary>
    public const string Variable = "BOOSTING_TICKET_BENCHMARK_THREADS";

    public static int Count => int.TryParse(Environment.GetEnvironmentVariable(Variable), out int threads) && threads > 0
        ? threads
        : Environment.ProcessorCount;
}
