using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Cpu.BFloat16;

/// <summary>Whole networks whose attacks are in bfloat16, against float32.</summary>
[TestFixture(Products.Emulated)]
[TestFixture(Products.Vectors)]
[TestFixture(Products.Tiles)]
internal sealed class BFloat16NetworkTests(Products products)
{
    private static readonly PlanOptions Attack = new(33, PlanMode.Attack, GradientRequest.Input);

    private static IReadOnlyList<SampleGraph> Samples => SampleGraphs.All;

    /// <summary>Squared error of an attack's results, of the squares of float32's: some layers of roundings, ReLUs near their
    /// kink included. The largest seen is 2.3e-2, of images' gradients through random weights.</summary>
    private const double Allowed = 5e-2;

    [Test]
    public void Attacks_are_rounded_and_close([ValueSource(nameof(Samples))] SampleGraph sample, [Values] bool pruned)
    {
        IReadOnlyList<NetworkResult> actual = Results(sample, pruned, Attack, 2, shorter: true);
        IReadOnlyList<NetworkResult> expected = Results(sample, pruned, Attack, 2, shorter: false);
        Assert.That(actual[0].Values, Is.Not.EqualTo(expected[0].Values), "nothing was rounded");
        foreach ((NetworkResult result, NetworkResult plain) in actual.Zip(expected))
        {
            double error = result.Values.Zip(plain.Values, (a, b) => (double)(a - b) * (a - b)).Sum();
            double norm = plain.Values.Sum(value => (double)value * value);
            Assert.That(error, Is.LessThanOrEqualTo(Allowed * norm), $"{result.Name}: {error / norm:E1}");
        }
    }

    [Test]
    public void Training_and_evaluation_have_the_bits_of_float32([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        foreach (PlanOptions options in (PlanOptions[])[
            new(17, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input), new(17, PlanMode.Evaluate)])
        {
            Same(
                Results(sample, true, options, 2, shorter: true, before: Attack with { Batch = 17 }),
                Results(sample, true, options, 2, shorter: false), $"{options.Mode}");
        }
    }

    [Test]
    public void Results_do_not_depend_on_the_number_of_threads([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        IReadOnlyList<NetworkResult> single = Results(sample, true, Attack, 1, shorter: true);
        foreach (int threads in (int[])[2, 3])
            Same(Results(sample, true, Attack, threads, shorter: true), single, $"{threads} threads");
    }

    [Test]
    public void An_attack_allocates_nothing()
    {
        SampleGraph sample = Samples[0];
        using IBackend backend = TestedKernels.Open(products, 2);
        using Network network = Create(sample, backend, 17, pruned: false);
        Plan plan = network.Plan(Attack with { Batch = 17 });
        Assert.That(Allocations.LeastBytes(() => NetworkChecks.Run(plan, LossKind.CrossEntropy)), Is.Zero);
    }

    private static void Same(IReadOnlyList<NetworkResult> actual, IReadOnlyList<NetworkResult> expected, string what)
    {
        foreach ((NetworkResult result, NetworkResult plain) in actual.Zip(expected))
            Assert.That(result.Values.AsSpan().SequenceEqual(plain.Values), $"{what}: {result.Name}");
    }

    private IReadOnlyList<NetworkResult> Results(
        SampleGraph sample, bool pruned, PlanOptions options, int threads, bool shorter, PlanOptions? before = null)
    {
        using IBackend backend = shorter ? TestedKernels.Open(products, threads) : CpuBackend.Create(threads);
        using Network network = Create(sample, backend, options.Batch, pruned);
        if (before is { } first)
            NetworkChecks.Results(network, first, LossKind.CrossEntropy);
        return NetworkChecks.Results(network, options, LossKind.CrossEntropy);
    }

    private static Network Create(SampleGraph sample, IBackend backend, int batch, bool pruned)
    {
        Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, batch, sample.Name);
        if (pruned)
            NetworkChecks.Prune(network, 0.2f, sample.Name);
        return network;
    }
}
