using BoostingTicket.Engine.Cuda.Counting;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Profiling;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Tests.Profiling;

/// <summary>What a step of training with PGD-10 on 128 images asks of a GPU, pinned: the real plans and the real step run on a
/// device that counts and computes nothing. A change that moves a number is meant to, or is found here.</summary>
internal sealed class LaunchBudgetTests
{
    private const int Batch = 128;

    /// <summary>Own kernels, library calls, megabytes that own kernels move, waits of the host, launches of graphs.</summary>
    [TestCase("wrn-34-10", Precision.BFloat16, 826, 804, 43712, 1, 5)]
    [TestCase("wrn-34-10", Precision.Float32, 826, 804, 85631, 1, 5)]
    [TestCase("resnet18", Precision.BFloat16, 421, 482, 6697, 1, 5)]
    [TestCase("resnet18", Precision.Float32, 421, 482, 12794, 1, 5)]
    [TestCase("vgg16", Precision.BFloat16, 397, 344, 4214, 1, 5)]
    [TestCase("vgg16", Precision.Float32, 397, 344, 7737, 1, 5)]
    [TestCase("lenet", Precision.BFloat16, 159, 91, 481, 1, 4)]
    [TestCase("lenet", Precision.Float32, 148, 91, 589, 1, 4)]
    public void A_step_costs(string model, Precision precision, int launches, int calls, int megabytes, int waits, int graphs)
    {
        RunConfiguration configuration = Configuration(model);
        (WorkCount step, long memory) = StepBudget.CountStep(
            configuration, DataSetCatalog.Find(configuration.Data.Name), GpuModel.All[0], precision, Batch);
        TestContext.Out.WriteLine($"{step}, {memory / 1e6:F0} MB held");
        Assert.That(
            (step.Launches, step.LibraryCalls, (int)Math.Round(step.KernelBytes / 1e6), step.HostWaits, step.GraphLaunches),
            Is.EqualTo(((long)launches, (long)calls, megabytes, (long)waits, (long)graphs)));
    }

    /// <summary>Which restart found the worst image is decided on the device.</summary>
    [Test]
    public void Restarts_of_an_attack_wait_for_nobody()
    {
        RunConfiguration configuration = Configuration("lenet");
        configuration = configuration with { Attack = configuration.Attack with { Restarts = 3 } };
        (WorkCount step, _) = StepBudget.CountStep(
            configuration, DataSetCatalog.Find(configuration.Data.Name), GpuModel.All[0], Precision.Float32, Batch);
        Assert.That(step.HostWaits, Is.EqualTo(1));
    }

    [Test]
    public void A_budget_names_what_gpus_need_at_their_peaks()
    {
        var budget = StepBudget.Count(Configuration("lenet") with { Precision = "bf16" });
        using var text = new StringWriter { NewLine = "\n" };
        budget.Write(text);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(budget.Gpus.Select(gpu => gpu.Key), Is.EqualTo(["h200", "a100", "rtx4090"]), "V100 has no bfloat16");
            Assert.That(budget.EpochImages, Is.EqualTo(55_000));
            // Every byte is moved at least at the peak.
            double traffic = (budget.KernelBytes + budget.LibraryBytes) / GpuModel.All[0].BytesPerSecond;
            Assert.That(budget.Gpus[0].SecondsPerStep, Is.GreaterThanOrEqualTo(traffic * (1 - 1e-9)));
            Assert.That(
                budget.Gpus[0].SecondsPerEpoch, Is.EqualTo(budget.Gpus[0].SecondsPerStep * 55_000 / Batch).Within(1e-9).Percent);
            Assert.That(text.ToString(), Does.Contain("calculated, not measured").And.Contain("RTX 4090"));
        }
    }

    private static RunConfiguration Configuration(string model)
    {
        RunConfiguration preset = Presets.Find(model == "lenet" ? "mnist-lenet" : "cifar10-resnet18").Configuration;
        return preset with
        {
            Model = model,
            Dense = preset.Dense with { Method = TrainingMethod.Pgd, BatchSize = Batch },
            Attack = preset.Attack with { Steps = 10 },
        };
    }
}
