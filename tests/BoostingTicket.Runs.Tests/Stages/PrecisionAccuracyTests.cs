using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Accuracies of trainings in bfloat16, as the CUDA backend computes in it, beside those in float32. The CPU rounds as
/// the CUDA backend does (<see cref="BFloat16Cpu"/>). A training that does not learn would show nothing, so accuracies must be
/// far above chance.</summary>
internal sealed class PrecisionAccuracyTests
{
    private const string SmallImages = "synthetic-28";
    private const string EvidenceVariable = "BOOSTING_TICKET_EVIDENCE";

    // What two means of several seeds may differ by: twice the error of their difference, and half a point.
    private const double Errors = 2, Slack = 0.005;

    /// <summary>Natural trainings agree.</summary>
    [Test]
    public void Small_natural_training_reaches_the_same_accuracy()
    {
        (double[] Clean, double[] Robust)[] results = Train(SmallImages, "lenet-8-16-32", "natural", 1300, 400, 5, [1, 2, 3]);
        double[] whole = results[0].Clean, rounded = results[1].Clean;
        Assert.That(whole.Average(), Is.GreaterThan(0.6), "it learned");
        Assert.That(Math.Abs(whole.Average() - rounded.Average()), Is.LessThanOrEqualTo(Allowed(whole, rounded)));
    }

    /// <summary>Trains for the figures in docs/architecture.md, for minutes, and prints them: with several seeds in both formats.
    /// Both must learn.</summary>
    [TestCase(SmallImages, "lenet-16-32-128", "pgd", 4100, 1000, 6, 3, 0.9, 0.7)]
    [TestCase("synthetic-32", "resnet18-w8", "fgsm", 3100, 500, 4, 3, 0.5, 0.2)]
    [TestCase("synthetic-32", "wrn-10-1", "pgd", 3100, 500, 4, 3, 0.5, 0.2)]
    [TestCase("cifar10", "resnet18-w8", "natural", 5100, 1000, 5, 3, 0.35, 0.0)]
    public void Training_learns_in_both_formats(
        string data, string model, string method, int train, int test, int epochs, int seeds, double clean, double robust)
    {
        if (Environment.GetEnvironmentVariable(EvidenceVariable) != "1")
            Assert.Ignore($"Takes minutes: {EvidenceVariable}=1 runs it.");
        ulong[] numbers = [.. Enumerable.Range(1, seeds).Select(seed => (ulong)seed)];
        foreach ((double[] cleans, double[] robusts) in Train(data, model, method, train, test, epochs, numbers))
        {
            Assert.That(cleans.Average(), Is.GreaterThanOrEqualTo(clean));
            Assert.That(robusts.Average(), Is.GreaterThanOrEqualTo(robust));
        }
    }

    private static double Allowed(double[] first, double[] second) =>
        (Errors * Math.Sqrt((Variance(first) / first.Length) + (Variance(second) / second.Length))) + Slack;

    private static double Variance(double[] values) =>
        values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1);

    // float32, then bfloat16.
    private static (double[] Clean, double[] Robust)[] Train(
        string data, string model, string method, int train, int test, int epochs, ulong[] seeds)
    {
        RunConfiguration preset = Presets.Find(data == SmallImages ? "quick" : "cifar10-resnet18").Configuration;
        RunConfiguration configuration = preset with
        {
            Model = model,
            Arms = [Arm.Dense],
            Data = preset.Data with { Name = data, TrainSamples = train, TestSamples = test, ValidationSamples = 100 },
            Dense = preset.Dense with
            {
                Method = method switch
                {
                    "natural" => TrainingMethod.Natural,
                    "fgsm" => TrainingMethod.Fgsm,
                    _ => TrainingMethod.Pgd,
                },
                Epochs = epochs,
                BatchSize = 32,
                LearningRate = 0.02,
            },
            Attack = preset.Attack with { Steps = Math.Min(preset.Attack.Steps, 5) },
            Evaluation = preset.Evaluation with { ProbeSamples = 100, BatchSize = 100 },
        };
        DataSplit split = DataSetCatalog.Find(data).Load(new DataSetOptions(TrainSamples: train, TestSamples: test, Seed: 7));
        var results = new List<(double[], double[])>();
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            RunResult[] runs = [.. seeds.Select(seed => Execute(configuration with { Seed = seed }, precision, split))];
            ArmResult[] arms = [.. runs.Select(run => run.Seeds.Single().Arms.Single())];
            results.Add(([.. arms.Select(arm => (double)arm.Last.Clean)], [.. arms.Select(arm => (double)arm.Last.Robust)]));
            TestContext.Out.WriteLine(
                $"{data} {model} {method} {precision}: clean {Words(results[^1].Item1)}, robust {Words(results[^1].Item2)}");
        }
        return [.. results];
    }

    private static RunResult Execute(RunConfiguration configuration, Precision precision, DataSplit data)
    {
        string folder = Directory.CreateTempSubdirectory("precision-").FullName;
        try
        {
            int threads = Environment.ProcessorCount;
            using IBackend backend = precision == Precision.BFloat16 ? new BFloat16Cpu(threads) : CpuBackend.Create(threads);
            using var progress = new CountingProgress();
            return new TicketRun(configuration, Path.Combine(folder, "run"), backend, data, progress).Execute(false, default);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Words(double[] values) => string.Create(
        CultureInfo.InvariantCulture,
        $"{100 * values.Average():F2} ± {100 * Math.Sqrt(Variance(values)):F2} ({string.Join(
            ", ", values.Select(value => (100 * value).ToString("F1", CultureInfo.InvariantCulture)))})");
}
