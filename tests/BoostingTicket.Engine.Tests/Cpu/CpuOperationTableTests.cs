using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>The operation table on the CPU, with every set of instructions that the machine has and several numbers of
/// threads.</summary>
[TestFixtureSource(nameof(Devices))]
internal sealed class CpuOperationTableTests(InstructionSet instructionSet, int threads) : OperationTableTests
{
    private static IEnumerable<TestFixtureData> Devices() =>
        from instructionSet in Enum.GetValues<InstructionSet>()
        from threads in (int[])[1, 2]
        select new TestFixtureData(instructionSet, threads);

    protected override IBackend OpenBackend()
    {
        if (!InstructionSets.Available.Contains(instructionSet))
            Assert.Ignore($"This machine has no {instructionSet}.");
        return CpuBackend.Create(threads, instructionSet);
    }
}
