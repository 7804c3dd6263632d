using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Networks;

/// <summary>Whole networks on the CPU.</summary>
[TestFixture(InstructionSet.Portable)]
[TestFixture(InstructionSet.Avx2)]
[TestFixture(InstructionSet.Avx512)]
internal sealed class CpuNetworkTests(InstructionSet instructionSet) : NetworkTests
{
    [Test]
    public void Results_do_not_depend_on_the_number_of_threads([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        var options = new PlanOptions(33, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input);
        IReadOnlyList<NetworkResult> single = Results(1);
        foreach (int threads in (int[])[2, 3])
        {
            foreach ((NetworkResult result, NetworkResult expected) in Results(threads).Zip(single))
                Assert.That(result.Values.AsSpan().SequenceEqual(expected.Values), $"{result.Name} with {threads} threads");
        }

        IReadOnlyList<NetworkResult> Results(int threads)
        {
            using IBackend backend = Open(threads);
            using Network network = Create(sample, backend, options.Batch, pruned: true);
            return NetworkChecks.Results(network, options, LossKind.CrossEntropy);
        }
    }

    protected override IBackend Open() => Open(2);

    private IBackend Open(int threads)
    {
        if (!InstructionSets.Available.Contains(instructionSet))
            Assert.Ignore($"This machine has no {instructionSet}.");
        return CpuBackend.Create(threads, instructionSet);
    }
}
