using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Networks;

/// <summary>Where a backend can, the gradient behind a convolution goes through activation and folded normalisation in one
/// operation. That the gradients are right is tested with every sample graph.</summary>
internal sealed class ScaledGradientTests
{
    [Test]
    public void Plans_need_fewer_operations_where_a_backend_scales_gradients()
    {
        using var reference = new ReferenceBackend();
        using IBackend cpu = CpuBackend.Create(1);
        Assert.That((reference.ScalesInputGradients, cpu.ScalesInputGradients), Is.EqualTo((true, false)));
        int separate = Normalizations(cpu), fused = Normalizations(reference);
        TestContext.Out.WriteLine($"{separate} and {fused}");
        Assert.That(fused, Is.LessThan(separate));
    }

    private static int Normalizations(IBackend backend)
    {
        SampleGraph sample = SampleGraphs.All.Single(graph => graph.Name == "pre-activation");
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        Plan plan = network.Plan(new PlanOptions(5, PlanMode.Attack, GradientRequest.Input));
        return plan.Operations.Count(operation => operation is { Pass: PlanPass.Backward, Kind: OperationKind.Normalization });
    }
}
