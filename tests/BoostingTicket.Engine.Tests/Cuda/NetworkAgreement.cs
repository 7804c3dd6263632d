using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>Whole networks on a CUDA backend against the reference backend.</summary>
internal static class NetworkAgreement
{
    private const int Batch = 5;
    private const int Runs = 3;
    private const double Bound = 1e-8;

    private static readonly PlanOptions[] Options =
    [
        new(Batch, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input),
        new(Batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Running),
    ];

    /// <summary>Requires the reference's results of a training and an attack in float32, each of which runs three times: called,
    /// recorded, replayed.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="name">One of <see cref="SampleGraphs.All"/>.</param>
    public static void Require(IBackend backend, string name)
    {
        SampleGraph sample = SampleGraphs.All.Single(graph => graph.Name == name);
        using var reference = new ReferenceBackend();
        foreach (PlanOptions options in Options)
        {
            IReadOnlyList<NetworkResult>[] actual = Run(backend, sample, options), expected = Run(reference, sample, options);
            for (int run = 0; run < Runs; run++)
            {
                foreach (Deviation deviation in NetworkChecks.Compare(actual[run], expected[run]))
                    Assert.That(deviation.Error, Is.LessThan(Bound), $"{options}, run {run + 1}: {deviation.Name}");
            }
        }
    }

    private static IReadOnlyList<NetworkResult>[] Run(IBackend backend, SampleGraph sample, PlanOptions options)
    {
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, options.Batch, sample.Name);
        return [.. Enumerable.Range(0, Runs).Select(_ => NetworkChecks.Results(network, options, LossKind.CrossEntropy))];
    }
}
