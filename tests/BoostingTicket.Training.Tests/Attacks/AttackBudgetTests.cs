using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>An attack that cannot move leaves everything robust, and is refused.</summary>
internal sealed class AttackBudgetTests
{
    private static readonly AttackBudget Usual = new(0.1f, 0.025f, 5, AttackStart.Random, 1, LossKind.CrossEntropy);

    private static IEnumerable<TestCaseData> Still()
    {
        yield return Case(new AttackBudget { Epsilon = 0.1f, StepSize = 0.025f, Steps = 20 }, "Restarts is 0");
        yield return Case(default, "Epsilon is 0");
        yield return Case(Usual with { Epsilon = 0 }, "Epsilon is 0");
        yield return Case(Usual with { Epsilon = float.NaN }, "Epsilon is NaN");
        yield return Case(Usual with { Epsilon = -0.1f }, "Epsilon is -0.1");
        yield return Case(Usual with { StepSize = 0 }, "StepSize is 0");
        yield return Case(Usual with { StepSize = float.NaN }, "StepSize is NaN");
        yield return Case(Usual with { StepSize = -0.01f }, "StepSize is -0.01");
        yield return Case(Usual with { Steps = 0 }, "Steps is 0");
        yield return Case(Usual with { Restarts = 0 }, "Restarts is 0");
        yield return Case(Usual with { StartRadius = float.PositiveInfinity }, "StartRadius is Infinity");
        yield return Case(AttackBudget.Pgd(new AttackSettings { StepSize = 0 }), "StepSize is 0");
        yield return Case(AttackBudget.Pgd(new AttackSettings { Steps = 0 }), "Steps is 0");
        // Not 0 in the settings, but 0 in float32.
        yield return Case(AttackBudget.Pgd(new AttackSettings { Epsilon = 1e-60 }), "Epsilon is 0");

        static TestCaseData Case(AttackBudget budget, string message) =>
            new TestCaseData(budget, message).SetArgDisplayNames(message);
    }

    [TestCaseSource(nameof(Still))]
    public void What_cannot_move_is_refused_by_all_that_attack(AttackBudget budget, string message)
    {
        using var trained = new TrainedNetwork(epochs: 0);
        int[] samples = [0, 1, 2];
        var target = new NetworkTarget(trained.Network, 3, AttackStatistics.Running);
        using var evaluator = new Evaluator(trained.Network, trained.Test, samples, 3);
        foreach (Action attack in new Action[]
        {
            () => new ProjectedGradientDescent(target, budget).Dispose(),
            () => new EvaluationPgd(target, budget).Dispose(),
            () => new PgdAttack(new NetworkModel(trained.Network, 3), budget, stream: 1).Dispose(),
            () => evaluator.Robust(budget, stream: 1, limit: 3),
            () => evaluator.Examples(budget, stream: 1, count: 3),
        })
        {
            Assert.That(attack, Throws.TypeOf<ConfigurationException>().With.Message.Contains(message).And.Message.EndsWith("."));
        }
    }

    [Test]
    public void A_radius_of_zero_that_is_meant_is_said()
    {
        using var trained = new TrainedNetwork(epochs: 0);
        using var evaluator = new Evaluator(trained.Network, trained.Test, [0, 1, 2], 3);
        foreach (AttackBudget budget in (AttackBudget[])
        [
            AttackBudget.Pgd(new AttackSettings { Epsilon = 0 }), AttackBudget.Fgsm(0),
            Usual with { Epsilon = 0, AllowsNoRadius = true },
        ])
        {
            TestResult result = evaluator.Robust(budget, stream: 1, limit: 3);
            Assert.That(result.Robust, Is.EqualTo(result.Clean));
            Assert.That(result.Warnings, Has.Some.Contains("ε is 0, so that nothing was attacked"));
        }
    }

    [TestCase(0.1f, 0.02f, 5, false)]
    [TestCase(0.1f, 0.02f, 4, true)]
    [TestCase(8f / 255, 2f / 255, 4, false)]
    [TestCase(8f / 255, 0.0001f, 20, true)]
    public void Steps_that_cannot_cross_the_ball_are_said(float epsilon, float step, int steps, bool weak) =>
        Assert.That((Usual with { Epsilon = epsilon, StepSize = step, Steps = steps }).Weakness is not null, Is.EqualTo(weak));

    [Test]
    public void Other_attacks_refuse_to_do_nothing_as_well()
    {
        var model = new TinyNetwork(2, new FeatureShape(6), classes: 5, hidden: 0, seed: 3);
        foreach (Action attack in new Action[]
        {
            () => new AutoPgd(model, 0.1f, 1, iterations: 0).Dispose(),
            () => new AutoPgd(model, 0.1f, 1, restarts: 0).Dispose(),
            () => new AutoPgd(model, 0.1f, 1, targets: -1).Dispose(),
            () => new AutoPgd(model, float.NaN, 1).Dispose(),
            () => new FastAdaptiveBoundary(model, 0.1f, targets: 0).Dispose(),
            () => new FastAdaptiveBoundary(model, -0.1f).Dispose(),
            () => new SquareAttack(model, 0.1f, 1, queries: -1).Dispose(),
            () => new SquareAttack(model, float.PositiveInfinity, 1).Dispose(),
        })
        {
            Assert.That(attack, Throws.InstanceOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void Settings_with_which_an_attack_cannot_move_are_refused()
    {
        foreach ((Action check, string option) in new (Action, string)[]
        {
            (() => new AttackSettings { StepSize = 0 }.Validate("evaluation.attack."), "evaluation.attack.stepSize is 0"),
            (() => new AttackSettings { Steps = 0 }.Validate(""), "steps is 0"),
            (() => new AttackSettings { Restarts = 0 }.Validate(""), "restarts is 0"),
            (() => new MethodSettings { FgsmRsStep = 0 }.Validate(""), "fgsmRsStep is 0"),
            (() => new MethodSettings { NoiseStep = 0 }.Validate(""), "noiseStep is 0"),
        })
        {
            Assert.That(check, Throws.TypeOf<ConfigurationException>().With.Message.Contains(option));
        }
        Assert.That(() => new AttackSettings { Epsilon = 0 }.Validate(""), Throws.Nothing, "it has been asked for");
    }
}
