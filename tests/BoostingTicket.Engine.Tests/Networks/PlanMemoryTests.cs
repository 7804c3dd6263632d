using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Networks;

namespace BoostingTicket.Engine.Tests.Networks;

/// <summary>Plans use memory as they declare: what an operation reads and writes is what the placement knows of, and nothing
/// is read after its memory was given up. The reference backend refuses every read of overwritten memory by itself.</summary>
internal sealed class PlanMemoryTests
{
    private const int Batch = 3;

    private static IReadOnlyList<SampleGraph> Samples => SampleGraphs.All;

    private static IEnumerable<PlanOptions> Options()
    {
        foreach (GradientRequest gradients in (GradientRequest[])[0, GradientRequest.Input, GradientRequest.Parameters,
            GradientRequest.Input | GradientRequest.Parameters])
            yield return new PlanOptions(Batch, PlanMode.Train, gradients);
        foreach (GradientRequest gradients in (GradientRequest[])[0, GradientRequest.Input])
        {
            yield return new PlanOptions(Batch, PlanMode.Evaluate, gradients);
            yield return new PlanOptions(Batch, PlanMode.Attack, gradients, AttackStatistics.Running);
            yield return new PlanOptions(Batch, PlanMode.Attack, gradients, AttackStatistics.Batch);
        }
    }

    [Test]
    public void Operations_touch_exactly_what_they_declare(
        [ValueSource(nameof(Samples))] SampleGraph sample, [ValueSource(nameof(Options))] PlanOptions options)
    {
        using var backend = new ReferenceBackend();
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        Plan plan = network.Plan(options);
        var observer = new DeclarationObserver(backend, plan);
        plan.Observer = observer;
        backend.Accesses.Recording = true;

        NetworkChecks.Run(plan, LossKind.CrossEntropy);
        NetworkChecks.Run(plan, LossKind.CarliniWagner);

        int passes = options.Gradients == GradientRequest.None ? 1 : 2;
        Assert.That(observer.Operations, Is.AtLeast(passes * 2 * network.Graph.Table.Trained.Count() / 4));
    }

    /// <summary>With room for every value, no plan could fail; the tests above show something only where values share
    /// memory.</summary>
    [Test]
    public void Plans_share_memory_between_values([ValueSource(nameof(Samples))] SampleGraph sample)
    {
        using var backend = new ReferenceBackend();
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        Plan plan = network.Plan(new PlanOptions(Batch, PlanMode.Train, GradientRequest.Parameters));
        IEnumerable<PlanValue> values = plan.Operations.SelectMany(operation => operation.Reads.Concat(operation.Writes))
            .Distinct().Where(value => !value.IsExternal);
        Assert.That(plan.MemoryBytes, Is.LessThan(values.Sum(value => value.Tensor.Bytes)));
    }

    [Test]
    public void A_backward_pass_after_another_plan_ran_is_refused()
    {
        using var backend = new ReferenceBackend();
        SampleGraph sample = SampleGraphs.All[2];
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        Plan train = network.Plan(new PlanOptions(Batch, PlanMode.Train, GradientRequest.Parameters));
        Plan attack = network.Plan(new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Batch));
        train.Forward();
        train.Loss(LossKind.CrossEntropy, 1);
        NetworkChecks.Run(attack, LossKind.CrossEntropy);
        Assert.That(train.Backward, Throws.TypeOf<ContractException>().With.Message.Contains("into the same memory since"));
    }

    [Test]
    public void A_plan_still_runs_after_a_larger_one_moved_it()
    {
        using var backend = new ReferenceBackend();
        SampleGraph sample = SampleGraphs.All[2];
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        var evaluation = new PlanOptions(Batch, PlanMode.Evaluate);
        float[] before = NetworkChecks.Results(network, evaluation, LossKind.CrossEntropy)[0].Values;
        Plan train = network.Plan(new PlanOptions(4 * Batch, PlanMode.Train, GradientRequest.Parameters));
        Assert.That(train.MemoryBytes, Is.GreaterThan(network.Plan(evaluation).MemoryBytes));
        Assert.That(NetworkChecks.Results(network, evaluation, LossKind.CrossEntropy)[0].Values, Is.EqualTo(before));
    }

    /// <summary>With and without folded normalisation a filter is the same memory, prepared anew for whoever wants the other
    /// form, also when neither weights nor statistics changed.</summary>
    [Test]
    public void Plans_of_all_modes_share_filters_and_prepare_the_form_they_need()
    {
        using var backend = new ReferenceBackend();
        SampleGraph sample = SampleGraphs.All[2];
        var folded = new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input);
        var plain = new PlanOptions(Batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Batch);
        using Network alone = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(alone, Batch, sample.Name);
        float[] expected = NetworkChecks.Results(alone, folded, LossKind.CrossEntropy)[0].Values;
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        float[] other = NetworkChecks.Results(network, plain, LossKind.CrossEntropy)[0].Values;
        Assert.Multiple(() =>
        {
            Assert.That(NetworkChecks.Results(network, folded, LossKind.CrossEntropy)[0].Values, Is.EqualTo(expected));
            Assert.That(NetworkChecks.Results(network, plain, LossKind.CrossEntropy)[0].Values, Is.EqualTo(other));
            Assert.That(other, Is.Not.EqualTo(expected));
            Assert.That(network.Need([folded, plain]).Filters, Is.EqualTo(alone.Need([folded]).Filters).And.GreaterThan(0));
        });
    }

    /// <summary>Weights that were changed without saying so: the filters are out of date, and the reference notices.</summary>
    [Test]
    public void Changed_weights_must_be_announced()
    {
        using var backend = new ReferenceBackend();
        SampleGraph sample = SampleGraphs.All[0];
        using Network network = NetworkChecks.Create(sample.Build(), backend, sample.Name);
        NetworkChecks.FillBatch(network, Batch, sample.Name);
        Plan plan = network.Plan(new PlanOptions(Batch, PlanMode.Train));
        plan.Forward();
        backend.Fill(network.Parameters.Weights.All, 0.25f);
        Assert.That(plan.Forward, Throws.TypeOf<ContractException>().With.Message.Contains("weights changed since"));
        network.Parameters.WeightsChanged();
        plan.Forward();
    }

    /// <summary>Compares what each operation touched with what it declared, and makes everything that is declared dead
    /// unreadable at once, whether or not its memory is used again.</summary>
    private sealed class DeclarationObserver : IPlanObserver
    {
        private readonly ReferenceBackend _backend;
        private readonly Dictionary<PlanOperation, List<Tensor>> _dying = [];

        public DeclarationObserver(ReferenceBackend backend, Plan plan)
        {
            _backend = backend;
            var lastUse = new Dictionary<PlanValue, PlanOperation>();
            foreach (PlanOperation operation in plan.Operations)
            {
                _dying[operation] = [];
                foreach (PlanValue value in operation.Reads.Concat(operation.Writes))
                    lastUse[value] = operation;
            }
            foreach ((PlanValue value, PlanOperation operation) in lastUse)
            {
                if (!value.IsExternal)
                    _dying[operation].Add(value.Tensor);
            }
        }

        public int Operations { get; private set; }

        public void Starting(PlanOperation operation) => _backend.Accesses.Clear();

        public void Finished(PlanOperation operation)
        {
            Operations++;
            Tensor[] reads = [.. operation.Reads.Select(value => value.Tensor)];
            Tensor[] writes = [.. operation.Writes.Select(value => value.Tensor)];
            Assert.That(_backend.Accesses.Written, Is.EquivalentTo(writes), $"{operation} writes");
            Assert.That(_backend.Accesses.Read, Is.EquivalentTo(reads.Distinct()), $"{operation} reads");
            foreach (Tensor tensor in _dying[operation])
                _backend.Forget(tensor);
        }
    }
}
