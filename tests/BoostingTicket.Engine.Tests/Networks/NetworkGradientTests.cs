using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Networks;

/// <summary>Gradients of whole networks, as plans compute them, against finite differences in double precision.</summary>
internal sealed class NetworkGradientTests
{
    private const double Allowed = 1e-6;
    private const int Batch = 4;

    private static IReadOnlyList<SampleGraph> Samples => SampleGraphs.All;

    [Test]
    public void Training(
        [ValueSource(nameof(Samples))] SampleGraph sample,
        [Values(GradientRequest.Parameters, GradientRequest.Parameters | GradientRequest.Input)] GradientRequest gradients) =>
        Check(sample, new PlanOptions(Batch, PlanMode.Train, gradients), LossKind.CrossEntropy);

    [Test]
    public void Attack(
        [ValueSource(nameof(Samples))] SampleGraph sample, [Values] AttackStatistics statistics, [Values] LossKind loss) =>
        Check(sample, new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input, statistics), loss);

    [Test]
    public void Input_gradient_in_training_and_evaluation_mode(
        [ValueSource(nameof(Samples))] SampleGraph sample, [Values(PlanMode.Train, PlanMode.Evaluate)] PlanMode mode) =>
        Check(sample, new PlanOptions(Batch, mode, GradientRequest.Input), LossKind.CrossEntropy);

    [Test]
    public void Training_of_a_pruned_network([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        var options = new PlanOptions(Batch, PlanMode.Train, GradientRequest.Parameters);
        Check(sample, options, LossKind.CrossEntropy, network => NetworkChecks.Prune(network, 0.2f, sample.Name));
    }

    private static void Check(SampleGraph sample, PlanOptions options, LossKind loss, Action<Network>? prune = null)
    {
        using var backend = new ReferenceBackend();
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        prune?.Invoke(network);
        IReadOnlyList<Deviation> deviations = NetworkChecks.CompareWithFiniteDifferences(network, options, loss);
        Assert.That(deviations, Is.Not.Empty);
        Assert.Multiple(() =>
        {
            foreach (Deviation deviation in deviations)
                Assert.That(deviation.Error, Is.LessThan(Allowed), deviation.Name);
        });
    }
}
