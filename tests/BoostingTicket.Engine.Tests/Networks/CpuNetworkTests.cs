using System.Collections.Concurrent;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Networks;

/// <summary>Whole networks on the CPU against the same networks on the reference backend.</summary>
[TestFixture(InstructionSet.Portable)]
[TestFixture(InstructionSet.Avx2)]
[TestFixture(InstructionSet.Avx512)]
public sealed class CpuNetworkTests(InstructionSet instructionSet)
{
    /// <summary>Float32 against double through a whole network, ReLUs near their kink included.</summary>
    private const double Allowed = 1e-8;

    private static readonly ConcurrentDictionary<(SampleGraph, PlanOptions, bool), IReadOnlyList<NetworkResult>[]> Expected =
        new();

    private static IReadOnlyList<SampleGraph> Samples => SampleGraphs.All;

    private static IEnumerable<PlanOptions> Options()
    {
        foreach (int batch in (int[])[5, 17])
        {
            yield return new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters);
            yield return new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input);
            yield return new PlanOptions(batch, PlanMode.Evaluate);
            yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Running);
            yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Batch);
        }
    }

    [Test]
    public void Agrees_with_the_reference(
        [ValueSource(nameof(Samples))] SampleGraph sample, [ValueSource(nameof(Options))] PlanOptions options,
        [Values] bool pruned)
    {
        using IBackend backend = Open(2);
        IReadOnlyList<NetworkResult>[] expected = Expected.GetOrAdd((sample, options, pruned), _ =>
        {
            using var reference = new ReferenceBackend();
            return RunTwice(reference, sample, options, pruned);
        });
        foreach ((IReadOnlyList<NetworkResult> first, IReadOnlyList<NetworkResult> second) in
            RunTwice(backend, sample, options, pruned).Zip(expected))
            AssertAlike(NetworkChecks.Compare(first, second));
    }

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

    [Test]
    public void A_sample_is_evaluated_alike_in_any_batch([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        using IBackend backend = Open(2);
        using Network network = Create(sample, backend, 33, pruned: false);
        float[] expected = NetworkChecks.Results(network, new PlanOptions(33, PlanMode.Evaluate), default)[0].Values;
        float[] images = NetworkChecks.Download(backend, network.Buffers(33).Input);
        int length = images.Length / 33, classes = expected.Length / 33;
        foreach (int batch in (int[])[1, 5, 16])
        {
            backend.Upload(images.AsSpan((33 - batch) * length, batch * length), network.Buffers(batch).Input);
            float[] logits = NetworkChecks.Results(network, new PlanOptions(batch, PlanMode.Evaluate), default)[0].Values;
            for (int i = 0; i < logits.Length; i++)
                Assert.That(logits[i], Is.EqualTo(expected[(33 - batch) * classes + i]).Within(1e-5));
        }
    }

    [Test]
    public void Attacks_leave_running_statistics_alone(
        [ValueSource(nameof(Samples))] SampleGraph sample, [Values] AttackStatistics statistics)
    {
        using IBackend backend = Open(2);
        using Network network = Create(sample, backend, 5, pruned: false);
        float[] before = NetworkChecks.Download(backend, network.Parameters.Statistics.All);
        Plan plan = network.Plan(new PlanOptions(5, PlanMode.Attack, GradientRequest.Input, statistics));
        NetworkChecks.Run(plan, LossKind.CrossEntropy);
        Assert.That(NetworkChecks.Download(backend, network.Parameters.Statistics.All), Is.EqualTo(before));
    }

    /// <summary>The second run starts on memory that holds the first one's leavings.</summary>
    private static IReadOnlyList<NetworkResult>[] RunTwice(
        IBackend backend, SampleGraph sample, PlanOptions options, bool pruned)
    {
        using Network network = Create(sample, backend, options.Batch, pruned);
        LossKind loss = options.Mode == PlanMode.Attack ? LossKind.CarliniWagner : LossKind.CrossEntropy;
        return [NetworkChecks.Results(network, options, loss), NetworkChecks.Results(network, options, loss)];
    }

    private static Network Create(SampleGraph sample, IBackend backend, int batch, bool pruned)
    {
        Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, batch, sample.Name);
        if (pruned)
            NetworkChecks.Prune(network, 0.2f, sample.Name);
        return network;
    }

    private static void AssertAlike(IReadOnlyList<Deviation> deviations)
    {
        Assert.Multiple(() =>
        {
            foreach (Deviation deviation in deviations)
                Assert.That(deviation.Error, Is.LessThan(Allowed), deviation.Name);
        });
    }

    private IBackend Open(int threads)
    {
        if (!InstructionSets.Available.Contains(instructionSet))
            Assert.Ignore($"This machine has no {instructionSet}.");
        return CpuBackend.Create(threads, instructionSet);
    }
}
