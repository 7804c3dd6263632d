using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Networks;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The CPU that rounds as the CUDA backend does stands for it where whole trainings are compared. Two ways of rounding
/// differ in single bits, so that the results themselves are not equal: how far they are from float32's is.</summary>
internal sealed class BFloat16CpuTests
{
    private const int Batch = 16;

    // Of the median ratio of both distances. A ReLU that rounding flips changes a single gradient by more.
    private const double Factor = 1.5;

    private static readonly PlanOptions[] Options =
    [
        new(Batch, PlanMode.Train, GradientRequest.Parameters),
        new(Batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Running),
    ];

    [Test]
    public void It_rounds_as_much_as_the_CUDA_backend()
    {
        using CudaBackend cuda = SoftwareMachine.Open(new CudaOptions(Precision: Precision.BFloat16, Deterministic: true));
        using var cpu = new BFloat16Cpu(1);
        using IBackend exact = CpuBackend.Create(1);
        var ratios = new List<double>();
        foreach (string name in (string[])["plain", "lenet", "post-activation", "pre-activation"])
        {
            foreach (PlanOptions options in Options)
            {
                IReadOnlyList<NetworkResult> truth = Run(exact, name, options);
                ratios.AddRange(NetworkChecks.Compare(Run(cpu, name, options), truth).Zip(
                    NetworkChecks.Compare(Run(cuda, name, options), truth), (ours, theirs) => ours.Error / theirs.Error));
            }
        }
        double[] sorted = [.. ratios.Where(double.IsFinite).Where(ratio => ratio > 0).Order()];
        double median = sorted[sorted.Length / 2];
        TestContext.Out.WriteLine($"median {median:g3} of {sorted.Length}, quartiles {sorted[sorted.Length / 4]:g3} and "
            + $"{sorted[3 * sorted.Length / 4]:g3}");
        Assert.That(sorted, Has.Length.GreaterThan(50));
        Assert.That(median, Is.InRange(1 / Factor, Factor));
    }

    private static IReadOnlyList<NetworkResult> Run(IBackend backend, string name, PlanOptions options)
    {
        using Network network = NetworkChecks.Create(
            SampleGraphs.All.Single(graph => graph.Name == name).Build(), backend, name);
        NetworkChecks.FillBatch(network, options.Batch, name);
        return NetworkChecks.Results(network, options, LossKind.CrossEntropy);
    }
}
