using System.Collections.Concurrent;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Engine.Testing.Networks;

/// <summary>Whole networks on a backend against the same networks on the reference backend. A thin subclass for each device opens
/// the backend; all run the same checks.</summary>
internal abstract class NetworkTests
{
    private static readonly ConcurrentDictionary<(SampleGraph, PlanOptions, bool), IReadOnlyList<NetworkResult>[]> Expected =
        new();

    /// <summary>The networks.</summary>
    protected static IReadOnlyList<SampleGraph> Samples => SampleGraphs.All;

    private static IEnumerable<PlanOptions> Options()
    {
        foreach (int batch in (int[])[5, 17])
        {
            yield return new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters);
            yield return new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input);
            yield return new PlanOptions(
                batch, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input | GradientRequest.FirstLayerApart);
            yield return new PlanOptions(batch, PlanMode.Evaluate);
            yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Running);
            yield return new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Batch);
        }
    }

    /// <summary>Opens the backend under test; skips the test, with the reason, where the device is not at hand.</summary>
    protected abstract IBackend Open();

    /// <summary>Normalised squared error that float32 may have against double through a whole network, ReLUs near their kink
    /// included.</summary>
    protected virtual double Allowed => 1e-8;

    /// <summary>Results of a plan that runs three times: anew, on memory that holds the first run's leavings, and as a backend
    /// that records repeated work replays it.</summary>
    [Test]
    public void Agrees_with_the_reference(
        [ValueSource(nameof(Samples))] SampleGraph sample, [Values] bool pruned)
    {
        using IBackend backend = Open();
        Assert.Multiple(() =>
        {
            foreach (PlanOptions options in Options())
            {
                IReadOnlyList<NetworkResult>[] expected = Expected.GetOrAdd((sample, options, pruned), _ =>
                {
                    using var reference = new ReferenceBackend();
                    return RunRepeatedly(reference, sample, options, pruned);
                });
                IReadOnlyList<NetworkResult>[] actual = RunRepeatedly(backend, sample, options, pruned);
                for (int run = 0; run < actual.Length; run++)
                {
                    foreach (Deviation deviation in NetworkChecks.Compare(actual[run], expected[run]))
                        Assert.That(deviation.Error, Is.LessThan(Allowed), $"{options}, run {run + 1}: {deviation.Name}");
                }
            }
        });
    }

    /// <summary>Evaluation treats every sample alone.</summary>
    [Test]
    public void A_sample_is_evaluated_alike_in_any_batch([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        using IBackend backend = Open();
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

    /// <summary>At the images of the backward pass, the first layer's gradients apart are those of an ordinary backward
    /// pass.</summary>
    [Test]
    public void First_layer_apart_is_the_ordinary_first_layer_where_images_stay(
        [ValueSource(nameof(Samples))] SampleGraph sample, [Values] bool pruned)
    {
        using IBackend backend = Open();
        using Network network = Create(sample, backend, 17, pruned);
        NetworkChecks.Run(network.Plan(new PlanOptions(17, PlanMode.Train, GradientRequest.Parameters)), LossKind.CrossEntropy);
        float[] ordinary = NetworkChecks.Download(backend, network.Parameters.Gradients.All);
        backend.Fill(network.Parameters.Gradients.All, float.NaN);
        Plan plan = network.Plan(new PlanOptions(
            17, PlanMode.Train, GradientRequest.Parameters | GradientRequest.FirstLayerApart));
        NetworkChecks.Run(plan, LossKind.CrossEntropy);
        Assert.That(
            NetworkChecks.Download(backend, network.Parameters.Gradients.All), Has.Some.NaN, "the first layer is left out");
        plan.BackwardFirstLayer();

        Assert.That(NetworkChecks.Download(backend, network.Parameters.Gradients.All), Is.EqualTo(ordinary));
    }

    /// <summary>Attack mode writes no statistics.</summary>
    [Test]
    public void Attacks_leave_running_statistics_alone(
        [ValueSource(nameof(Samples))] SampleGraph sample, [Values] AttackStatistics statistics)
    {
        using IBackend backend = Open();
        using Network network = Create(sample, backend, 5, pruned: false);
        float[] before = NetworkChecks.Download(backend, network.Parameters.Statistics.All);
        Plan plan = network.Plan(new PlanOptions(5, PlanMode.Attack, GradientRequest.Input, statistics));
        NetworkChecks.Run(plan, LossKind.CrossEntropy);
        Assert.That(NetworkChecks.Download(backend, network.Parameters.Statistics.All), Is.EqualTo(before));
    }

    /// <summary>A network of a sample with its batch.</summary>
    protected static Network Create(SampleGraph sample, IBackend backend, int batch, bool pruned)
    {
        ArgumentNullException.ThrowIfNull(sample);
        Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, batch, sample.Name);
        if (pruned)
            NetworkChecks.Prune(network, 0.2f, sample.Name);
        return network;
    }

    private static IReadOnlyList<NetworkResult>[] RunRepeatedly(
        IBackend backend, SampleGraph sample, PlanOptions options, bool pruned)
    {
        using Network network = Create(sample, backend, options.Batch, pruned);
        LossKind loss = options.Mode == PlanMode.Attack ? LossKind.CarliniWagner : LossKind.CrossEntropy;
        return [.. Enumerable.Range(0, 3).Select(_ => NetworkChecks.Results(network, options, loss))];
    }
}
