using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>The layers that benchmarks and the calibration time compute what the reference computes, with the instructions that
/// they are timed with.</summary>
internal sealed class CpuLayerTests
{
    private static IReadOnlyList<OperationGroup> Layers => OperationTable.LayerGroups;

    [TestCaseSource(nameof(Layers))]
    public void A_layer_that_is_timed_agrees_with_the_reference(OperationGroup group)
    {
        using IBackend backend = CpuBackend.Create(2, InstructionSets.Best);
        IReadOnlyList<string> failures = OperationRunner.Failures(group, backend);
        Assert.That(failures, Is.Empty, string.Join('\n', failures));
    }
}
