using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Tests.Configuration;

/// <summary>What decides a training, and what does not.</summary>
internal sealed class TrainingJobTests
{
    private static readonly RunConfiguration Base = Presets.Find("quick").Configuration;

    private static TrainingJob Job(RunConfiguration configuration) => TrainingJob.Of(configuration, configuration.Dense, 7);

    private static IEnumerable<TestCaseData> WithoutInfluence()
    {
        yield return Case("test samples", Base with { Data = Base.Data with { TestSamples = 9 } });
        yield return Case("attack of tests", Base with
        {
            Evaluation = Base.Evaluation with { Attack = new AttackSettings { Steps = 77 } },
        });
        yield return Case("other trainings", Base with { Donor = new TrainingSettings { Epochs = 99 }, Arms = [Arm.Winning] });
        yield return Case("ratio of pruning", Base with { Pruning = Base.Pruning with { Ratio = 0.5, Scope = "layerwise" } });
        yield return Case("device", Base with { Device = "cpu", Precision = "float32" });
        yield return Case("preset and seeds", Base with { Preset = "other", Seed = 3, Seeds = 4 });
    }

    private static IEnumerable<TestCaseData> WithInfluence()
    {
        yield return Case("model", Base with { Model = "lenet-2-3-8" });
        yield return Case("initialisation", Base with { Initialization = "glorot" });
        yield return Case("data", Base with { Data = Base.Data with { TrainSamples = 123 } });
        yield return Case("normalisation", Base with { Data = Base.Data with { Normalize = !Base.Data.Normalize } });
        yield return Case("attack", Base with { Attack = Base.Attack with { Epsilon = 0.017 } });
        yield return Case("training", Base with { Dense = Base.Dense with { LearningRate = 0.123 } });
        yield return Case("probe", Base with { Evaluation = Base.Evaluation with { ProbeSteps = 33 } });
        yield return Case("order of parameters", Base with { Pruning = Base.Pruning with { HiddenLinear = false } });
        yield return Case("deterministic algorithms", Base with { Deterministic = !Base.Deterministic });
    }

    private static TestCaseData Case(string what, RunConfiguration changed) => new TestCaseData(changed).SetArgDisplayNames(what);

    [TestCaseSource(nameof(WithoutInfluence))]
    public void What_cannot_matter_to_a_training_leaves_its_job_and_its_record_alone(RunConfiguration changed)
    {
        Assert.That(Job(changed), Is.EqualTo(Job(Base)));
        Assert.That(RunJson.Hash(Job(changed).Record("experiment")), Is.EqualTo(RunJson.Hash(Job(Base).Record("experiment"))));
    }

    [TestCaseSource(nameof(WithInfluence))]
    public void What_matters_to_a_training_changes_its_job_and_its_record(RunConfiguration changed)
    {
        Assert.That(Job(changed), Is.Not.EqualTo(Job(Base)));
        Assert.That(
            RunJson.Hash(Job(changed).Record("experiment")), Is.Not.EqualTo(RunJson.Hash(Job(Base).Record("experiment"))));
    }

    [Test]
    public void Given_weights_are_not_drawn() => Assert.That(
        () => (Job(Base) with { Start = TrainingStart.Given }).DrawStart(null!), Throws.InvalidOperationException);
}
