using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Profiling;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Profiling;

internal sealed class ProfilerTests
{
    private const int AttackSteps = 3;
    private const int Batch = 16;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 80, 4, seed: 4);

    [Test]
    public void Phases_add_up_to_the_step()
    {
        ProfileReport report = Profile(TrainingMethod.Pgd, new ProfileOptions(Batches: 1, WarmupBatches: 1));
        Assert.That(report.Phases.Sum(row => row.Share), Is.EqualTo(1).Within(1e-9));
        double phases = report.Phases.Where(row => row.Phase != StepPhase.Evaluation).Sum(row => row.SecondsPerBatch);
        Assert.That(phases, Is.EqualTo(report.ObservedSecondsPerBatchMedian).Within(2).Percent);
        double epoch = report.Phases.Where(row => row.Phase != StepPhase.Evaluation).Sum(row => row.SecondsPerEpoch);
        Assert.That(epoch, Is.EqualTo(phases * report.EpochImages / report.Batch).Within(1e-6).Percent);
        Assert.That(report.Phases.Single(row => row.Phase == StepPhase.Evaluation).SecondsPerEpoch, Is.EqualTo(
            report.EvaluationSecondsPerEpoch).Within(1e-6).Percent);
    }

    [TestCase(TrainingMethod.Natural, 0)]
    [TestCase(TrainingMethod.Fgsm, 1)]
    [TestCase(TrainingMethod.Pgd, AttackSteps)]
    public void Phases_occur_as_often_as_the_method_has_steps(TrainingMethod method, int steps)
    {
        ProfileReport report = Profile(method, new ProfileOptions(Batches: 2, WarmupBatches: 1));
        Assert.That(report.AttackSteps, Is.EqualTo(steps));
        foreach (StepPhase phase in new[] { StepPhase.AttackForward, StepPhase.AttackGradient, StepPhase.AttackStep })
            Assert.That(Calls(phase), Is.EqualTo(steps), $"{phase}");
        foreach (StepPhase phase in new[] { StepPhase.Augmentation, StepPhase.Data, StepPhase.TrainingForward,
            StepPhase.TrainingBackward, StepPhase.Update })
            Assert.That(Calls(phase), Is.EqualTo(1), $"{phase}");

        double Calls(StepPhase phase) => report.Phases.SingleOrDefault(row => row.Phase == phase)?.CallsPerBatch ?? 0;
    }

    [TestCase(TrainingMethod.FgsmRs, 1)]
    [TestCase(TrainingMethod.NFgsm, 1)]
    [TestCase(TrainingMethod.Free, 1)]
    [TestCase(TrainingMethod.Yopo, 5 * 3)]
    [TestCase(TrainingMethod.Trades, AttackSteps)]
    public void Every_method_can_be_profiled(TrainingMethod method, int steps)
    {
        ProfileReport report = Profile(method, new ProfileOptions(Batches: 1, WarmupBatches: 1, Operations: true));
        Assert.That((report.AttackSteps, report.Method), Is.EqualTo((steps, SettingNames.Of(method))));
        Assert.That(report.Phases.Single(row => row.Phase == StepPhase.AttackStep).SecondsPerBatch, Is.Positive);
        Assert.That(report.Operations!.Sum(row => row.Share), Is.EqualTo(1).Within(1e-9));
    }

    [Test]
    public void Operations_and_what_lies_between_add_up_to_the_step()
    {
        ProfileReport report = Profile(TrainingMethod.Fgsm, new ProfileOptions(Batches: 1, WarmupBatches: 1, Operations: true));
        Assert.That(report.Operations!.Sum(row => row.Share), Is.EqualTo(1).Within(1e-9));
        Assert.That(report.Operations!.Sum(row => row.SecondsPerBatch), Is.EqualTo(report.OperationsSecondsPerBatchMedian).Within(
            2).Percent);
        Assert.That(report.Operations!.Select(row => row.SecondsPerBatch), Is.Ordered.Descending);
        double layers = report.Layers!.Sum(row => row.SecondsPerBatch);
        Assert.That(layers, Is.EqualTo(
            report.Operations!.Where(row => row.Kind is not null).Sum(row => row.SecondsPerBatch)).Within(1e-6).Percent);
        Assert.That(
            report.Layers!.Sum(
                row => row.ForwardSeconds + row.InputGradientSeconds + row.FilterGradientSeconds + row.FilterSeconds),
            Is.EqualTo(layers).Within(1e-6).Percent);
        Assert.That(report.Layers!.Select(row => row.Layer), Is.SupersetOf(new[] { "conv1", "conv2", "fc1", "fc2" }));
    }

    [Test]
    public void Work_is_counted_dense_and_by_kept_weights()
    {
        ProfileReport report = Profile(TrainingMethod.Pgd, new ProfileOptions(Batches: 1, WarmupBatches: 0, Sparsity: 0.9));
        long dense = 2 * Batch * ModelCatalog.Build("lenet-3-4-8", new ModelOptions(DeviceImages.Shape(Data.Train))).MultiplyAdds;
        PhaseRow attack = report.Phases.Single(row => row.Phase == StepPhase.AttackForward),
        training = report.Phases.Single(row => row.Phase == StepPhase.TrainingForward);
        Assert.That(training.WorkPerBatch.DenseOperations, Is.EqualTo(dense));
        Assert.That(attack.WorkPerBatch.DenseOperations, Is.EqualTo(AttackSteps * dense));
        Assert.That(training.WorkPerBatch.KeptOperations, Is.Positive.And.LessThan(dense));
        Assert.That(report.Phases.Single(row => row.Phase == StepPhase.AttackStep).WorkPerBatch.Bytes, Is.EqualTo(
            AttackSteps * 4L * Batch * 28 * 28 * sizeof(float)));
        Assert.That(training.Rate.DenseOperationsPerSecond, Is.EqualTo(dense / training.SecondsPerBatch).Within(1e-6).Percent);
        Assert.That((report.Sparsity, report.Variant), Is.EqualTo((0.9, "pruned")).Using<(double, string)>(
            (a, b) => a.Item2 == b.Item2 && Math.Abs(a.Item1 - b.Item1) < 0.01));
    }

    [Test]
    public void Zero_batches_are_an_epoch()
    {
        ProfileReport report = Profile(TrainingMethod.Natural, new ProfileOptions(Batches: 0, WarmupBatches: 0));
        Assert.That(report.EpochImages, Is.EqualTo(70));
        Assert.That(report.Batches, Is.EqualTo(70 / Batch));
        Assert.That(report.SecondsPerBatchMedian, Is.InRange(report.SecondsPerBatchMin, report.SecondsPerBatchMax));
        Assert.That(report.ImagesPerSecond, Is.EqualTo(Batch / report.SecondsPerBatchMedian).Within(1e-6).Percent);
    }

    [Test]
    public void Long_profiles_observe_no_more_than_is_needed()
    {
        ProfileReport report = Profile(
            TrainingMethod.Natural, new ProfileOptions(Batches: Profiler.MostObserved + 5, WarmupBatches: 0));
        Assert.That((report.Batches, report.ObservedBatches), Is.EqualTo((Profiler.MostObserved + 5, Profiler.MostObserved)));
        Assert.That(report.Phases.Single(row => row.Phase == StepPhase.TrainingForward).CallsPerBatch, Is.EqualTo(1));
    }

    [Test]
    public void Trace_nests_operations_in_phases_in_batches()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "trace.json");
        var trace = new ProfileTrace();
        Profile(TrainingMethod.Fgsm, new ProfileOptions(Batches: 2, WarmupBatches: 0, Operations: true), trace);
        trace.Save(path);

        using var document = JsonDocument.Parse(File.ReadAllText(path));
        Assert.That(document.RootElement.GetProperty("droppedEvents").GetInt64(), Is.Zero);
        var open = new Stack<(string Category, decimal End)>();
        var seen = new Dictionary<string, int>();
        decimal last = 0;
        foreach (JsonElement item in document.RootElement.GetProperty("traceEvents").EnumerateArray().Where(
            item => item.GetProperty("ph").GetString() == "X"))
        {
            string category = item.GetProperty("cat").GetString()!;
            decimal start = item.GetProperty("ts").GetDecimal(), end = start + item.GetProperty("dur").GetDecimal();
            Assert.That(start, Is.GreaterThanOrEqualTo(last));
            last = start;
            while (open.Count > 0 && open.Peek().End <= start)
                open.Pop();
            if (open.TryPeek(out (string Category, decimal End) outer))
                Assert.That(end, Is.LessThanOrEqualTo(outer.End));
            Assert.That(outer.Category, Is.EqualTo(category switch { "operation" => "phase", "phase" => "batch", _ => null }));
            open.Push((category, end));
            seen[category] = seen.GetValueOrDefault(category) + 1;
        }
        Assert.That(seen["batch"], Is.EqualTo(6));
        Assert.That(seen["operation"], Is.GreaterThan(seen["phase"]));
    }

    [Test]
    public void Limit_is_what_peaks_allow()
    {
        ProfileReport report = Profile(TrainingMethod.Fgsm, new ProfileOptions(Batches: 1, WarmupBatches: 0));
        PhaseRow row = report.Phases.Single(row => row.Phase == StepPhase.AttackGradient);
        double least = Math.Max(row.WorkPerBatch.DenseOperations / 1e11, row.WorkPerBatch.Bytes / 1e10);
        Assert.That(row.Rate.ShareOfLimit, Is.EqualTo(least / row.SecondsPerBatch).Within(1e-6).Percent);
    }

    [TestCase(-1, 0, 0)]
    [TestCase(1, -1, 0)]
    [TestCase(1, 1, 1)]
    [TestCase(1, 1, double.NaN)]
    public void Options_out_of_range_are_refused(int batches, int warmup, double sparsity) =>
        Assert.That(() => new ProfileOptions(batches, warmup, sparsity).Validate(),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("choose a value"));

    [Test]
    public void Batch_beyond_the_training_samples_is_refused() =>
        Assert.That(
            () => Profile(TrainingMethod.Natural, new ProfileOptions(Batches: 1), batch: 71),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("dense.batchSize is 71"));

    [Test]
    public void Peaks_of_a_processor_are_those_of_a_machine()
    {
        using IBackend backend = CpuBackend.Create(1);
        MachinePeaks peaks = MachinePeaks.Measure(backend, threads: 1);
        // Between a scalar unit of a slow clock and eight times the widest there is.
        Assert.That(peaks.ArithmeticPerSecond, Is.InRange(1e8, 2e12));
        Assert.That(peaks.BytesPerSecond, Is.InRange(1e8, 2e12));
        Assert.That(peaks.LeastSeconds((long)peaks.ArithmeticPerSecond, 0), Is.EqualTo(1).Within(1e-6));
        Assert.That(peaks.LeastSeconds(1, 2 * (long)peaks.BytesPerSecond), Is.EqualTo(2).Within(1e-6));
    }

    [Test]
    public void Peaks_of_a_device_are_measured_by_its_operations()
    {
        using IBackend backend = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32));
        MachinePeaks peaks = MachinePeaks.MeasureDevice(backend, features: 16, copies: 1);
        Assert.That(peaks.ArithmeticPerSecond, Is.Positive.And.LessThan(1e12));
        Assert.That(peaks.BytesPerSecond, Is.Positive.And.LessThan(1e12));
    }

    [Test]
    public void Profile_on_the_software_device_trains_like_one_on_the_cpu()
    {
        using IBackend device = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32, Deterministic: true));
        // Twice as ever and twice observed: called, recorded, replayed.
        var options = new ProfileOptions(Batches: 2, WarmupBatches: 1, Operations: true);
        ProfileReport cuda = Profile(device, TrainingMethod.Pgd, options, trace: null, batch: 8);
        using IBackend processor = CpuBackend.Create(1);
        ProfileReport cpu = Profile(processor, TrainingMethod.Pgd, options, trace: null, batch: 8);
        Assert.That(cuda.MeanLoss, Is.EqualTo(cpu.MeanLoss).Within(1e-3));
        Assert.That(cuda.Phases.Select(row => (row.Phase, row.CallsPerBatch)), Is.EqualTo(
            cpu.Phases.Select(row => (row.Phase, row.CallsPerBatch))));
        // The CPU prepares filters one by one, the GPU all of them in one launch.
        Assert.That(Operations(cuda).Where(IsNoPreparation), Is.EquivalentTo(Operations(cpu).Where(IsNoPreparation)));
        Assert.That(Operations(cuda).Count(row => !IsNoPreparation(row)), Is.EqualTo(1));
        Assert.That((cuda.Device, cuda.Precision), Is.EqualTo(("cuda", "float32")));
        Assert.That(cuda.PeakMemoryBytes, Is.Positive);
    }

    private static IEnumerable<(StepPhase Phase, string Layer, OperationKind? Kind)> Operations(ProfileReport report) =>
        report.Operations!.Select(row => (row.Phase, row.Layer, row.Kind));

    private static bool IsNoPreparation((StepPhase Phase, string Layer, OperationKind? Kind) row) =>
        row.Kind != OperationKind.Prepare;

    private static ProfileReport Profile(
        TrainingMethod method, ProfileOptions options, ProfileTrace? trace = null, int batch = Batch)
    {
        using IBackend backend = CpuBackend.Create(1);
        return Profile(backend, method, options, trace, batch);
    }

    private static ProfileReport Profile(
        IBackend backend, TrainingMethod method, ProfileOptions options, ProfileTrace? trace, int batch)
    {
        var configuration = new RunConfiguration
        {
            Model = "lenet-3-4-8",
            Data = new DataSettings { Name = "synthetic-28", ValidationSamples = 10 },
            Attack = new AttackSettings { Steps = AttackSteps },
            Dense = new TrainingSettings { Method = method, BatchSize = batch },
        };
        return new Profiler(configuration, options, backend, Data, new CountingProgress()).Run(
            () => new MachinePeaks(1e11, 1e10, "assumed"), trace, CancellationToken.None);
    }
}
