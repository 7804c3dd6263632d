using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Networks;

/// <summary>What training, evaluation and attack mode do with running statistics.</summary>
internal sealed class NetworkModeTests
{
    private const int Batch = 5;

    private static IReadOnlyList<SampleGraph> Samples => SampleGraphs.All;

    private static IEnumerable<SampleGraph> Normalised =>
        Samples.Where(sample => sample.Build().Table.StatisticsLength > 0);

    private ReferenceBackend _backend = null!;

    [SetUp]
    public void SetUp() => _backend = new ReferenceBackend();

    [TearDown]
    public void TearDown() => _backend.Dispose();

    [Test]
    public void Attack_and_evaluation_leave_running_statistics_alone(
        [ValueSource(nameof(Normalised))] SampleGraph sample, [Values] AttackStatistics statistics,
        [Values(PlanMode.Attack, PlanMode.Evaluate)] PlanMode mode)
    {
        using Network network = Create(sample);
        double[] before = _backend.Values(network.Parameters.Statistics.All);
        Plan plan = network.Plan(new PlanOptions(Batch, mode, GradientRequest.Input, statistics));
        for (int step = 0; step < 3; step++)
            NetworkChecks.Run(plan, LossKind.CrossEntropy);
        Assert.That(_backend.Values(network.Parameters.Statistics.All), Is.EqualTo(before));
    }

    /// <summary>Evaluation under the statistics of exactly this batch gives the logits of training: the updates that training
    /// wrote are undone to find them. Checks folding, fusion and the update's formula at once.</summary>
    [Test]
    public void Training_and_evaluation_agree_under_equal_statistics([ValueSource(nameof(Normalised))] SampleGraph sample)
    {
        using Network network = Create(sample);
        ParameterStore store = network.Parameters;
        double[] before = _backend.Values(store.Statistics.All);
        Plan train = network.Plan(new PlanOptions(Batch, PlanMode.Train));
        train.Forward();
        double[] trained = _backend.Values(train.Logits);
        double[] after = _backend.Values(store.Statistics.All);

        const double Momentum = BatchNormalization.Momentum;
        foreach (Node node in network.Graph.Nodes.Where(node => node.Layer is BatchNormalization))
        {
            double count = Batch * node.Shape.Pixels;
            foreach (string name in (string[])["running_mean", "running_var"])
            {
                Parameter parameter = network.Graph.Table[$"{node.Name}.{name}"];
                double unbiased = name == "running_var" ? (count - 1) / count : 1;
                double[] ofBatch = new double[parameter.Length];
                for (int i = 0; i < parameter.Length; i++)
                {
                    int at = parameter.Offset + i;
                    ofBatch[i] = (after[at] - (1 - Momentum) * before[at]) / Momentum * unbiased;
                }
                _backend.SetValues(store.Slice(parameter), ofBatch);
            }
        }
        store.StatisticsChanged();
        Plan evaluate = network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        evaluate.Forward();
        Assert.That(
            FiniteDifferences.RelativeError(_backend.Values(evaluate.Logits), trained), Is.LessThan(1e-9));
    }

    [Test]
    public void Training_updates_reach_the_next_evaluation([ValueSource(nameof(Normalised))] SampleGraph sample)
    {
        using Network network = Create(sample);
        Plan evaluate = network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        Plan train = network.Plan(new PlanOptions(Batch, PlanMode.Train));
        evaluate.Forward();
        double[] before = _backend.Values(evaluate.Logits);
        train.Forward();
        evaluate.Forward();
        Assert.That(FiniteDifferences.RelativeError(_backend.Values(evaluate.Logits), before), Is.GreaterThan(1e-3));
    }

    [Test]
    public void A_sample_is_evaluated_alike_in_any_batch([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        using Network network = Create(sample);
        Plan whole = network.Plan(new PlanOptions(Batch, PlanMode.Evaluate));
        double[] images = _backend.Values(network.Buffers(Batch).Input);
        whole.Forward();
        double[] expected = _backend.Values(whole.Logits);
        Plan single = network.Plan(new PlanOptions(1, PlanMode.Evaluate));
        int length = images.Length / Batch, classes = expected.Length / Batch;
        for (int i = 0; i < Batch; i++)
        {
            _backend.SetValues(network.Buffers(1).Input, images.AsSpan(i * length, length));
            single.Forward();
            Assert.That(
                FiniteDifferences.RelativeError(_backend.Values(single.Logits), expected.AsSpan(i * classes, classes)),
                Is.LessThan(1e-12));
        }
    }

    /// <summary>With the same statistics, an attack sees the network that is evaluated, and training's batch statistics
    /// are those of an attack by batch statistics.</summary>
    [Test]
    public void An_attack_sees_the_network_it_says([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        using Network network = Create(sample);
        double[] running = Logits(PlanMode.Attack, AttackStatistics.Running);
        double[] batch = Logits(PlanMode.Attack, AttackStatistics.Batch);
        Assert.That(running, Is.EqualTo(Logits(PlanMode.Evaluate, default)));
        Assert.That(batch, Is.EqualTo(Logits(PlanMode.Train, default)));

        double[] Logits(PlanMode mode, AttackStatistics statistics)
        {
            Plan plan = network.Plan(new PlanOptions(Batch, mode, GradientRequest.None, statistics));
            plan.Forward();
            return _backend.Values(plan.Logits);
        }
    }

    private Network Create(SampleGraph sample)
    {
        Network network = NetworkChecks.Create(sample.Build(), _backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        return network;
    }
}
