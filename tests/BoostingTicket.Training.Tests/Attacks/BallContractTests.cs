using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Every registered attack leaves images in the ball of the ε that was given, compared in double precision without
/// tolerance.</summary>
internal sealed class BallContractTests
{
    private const int Samples = 12;
    private const ulong Stream = 5;

    /// <summary>The nearest float32 is larger than 0.1 and 0.3, and smaller than 0.05 and 8/255's neighbours.</summary>
    private static readonly double[] Radii = [8 / 255.0, 0.05, 0.1, 0.3];

    private static IEnumerable<string> Names => AttackCatalog.All.Select(attack => attack.Name);

    [Test]
    public void Candidates_are_in_the_ball([ValueSource(nameof(Names))] string name)
    {
        using var trained = new TrainedNetwork(epochs: 1);
        var model = new NetworkModel(trained.Network, Samples);
        var batches = new SampleBatches(model, trained.Test, [.. Enumerable.Range(0, Samples)]);
        foreach (double epsilon in Radii)
        {
            var settings = new AttackSettings { Epsilon = epsilon, StepSize = epsilon / 3, Steps = 10, Restarts = 2 };
            batches.Load([.. Enumerable.Range(0, Samples)], 0);
            using IAttack attack = AttackCatalog.Stages(name).Single().Create(new AttackContext(model, settings, Stream));
            attack.Run(batches.Batch, round: 0);
            Ball.Holds(batches.Batch, batches.Batch.Adversarial, epsilon);
            Assert.That(batches.Batch.Adversarial, Is.Not.EqualTo(batches.Batch.Clean), "something moved");
        }
    }

    [Test]
    public void Images_kept_of_an_evaluation_and_shown_in_a_report_are_in_the_ball()
    {
        using var trained = new TrainedNetwork(epochs: 1);
        using var progress = new CountingProgress();
        int[] samples = [.. Enumerable.Range(0, Samples)];
        foreach (double epsilon in Radii)
        {
            var settings = new AttackSettings { Epsilon = epsilon, StepSize = epsilon / 4 };
            var evaluator = new AttackEvaluator(trained.Network, trained.Test, samples, batchSize: 5, progress);
            evaluator.KeepImages();
            RobustnessResult result = evaluator.Run(["pgd-20", "apgd-ce", "fab-t"], settings, Stream);
            float[] clean = [.. samples.SelectMany(sample =>
                trained.Test.Set.Pixels.AsSpan(sample * trained.Test.Set.SampleLength, trained.Test.Set.SampleLength)
                    .ToArray().Select(value => value / 255f))];
            Ball.Holds(clean, evaluator.Adversarial, epsilon);
            Assert.That(
                result.Attacks.Select(attack => attack.LargestPerturbation),
                Is.All.Positive.And.All.LessThanOrEqualTo(epsilon));

            using var usual = new Evaluator(trained.Network, trained.Test, samples, batchSize: Samples);
            foreach (AdversarialExample example in usual.Examples(AttackBudget.Pgd(settings), Stream, Samples).Images)
                Ball.Holds(example.Clean, example.Adversarial, epsilon);
        }
    }

    /// <summary>Half a unit in the last place beyond the ball is refused: what the rounded sum of pixel and ε did.</summary>
    [Test]
    public void The_check_has_no_tolerance()
    {
        float radius = PixelBall.Radius(8 / 255.0);
        float clean = Enumerable.Range(0, 256).Select(grey => grey / 255f)
            .First(pixel => (double)(pixel + radius) - pixel > 8 / 255.0);
        Assert.That(
            () => AttackBall.Require("fgsm", AttackBall.Measure([clean], [clean + radius]), 8 / 255.0),
            Throws.InvalidOperationException.With.Message.StartsWith("fgsm left its ball: perturbation 0.0313725"));
        float highest = PixelBall.High(clean, radius);
        Assert.That(
            AttackBall.Require("fgsm", AttackBall.Measure([clean], [highest]), 8 / 255.0),
            Is.LessThanOrEqualTo(8 / 255.0));
    }

    /// <summary>A program that uses the library may write numbers with commas.</summary>
    [Test]
    public void The_check_speaks_the_same_in_every_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        var commas = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        commas.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.CurrentCulture = commas;
        try
        {
            Assert.That(
                () => AttackBall.Require("fgsm", AttackBall.Measure([0.5f], [0.75f]), 0.125),
                Throws.InvalidOperationException.With.Message.EqualTo(
                    "fgsm left its ball: perturbation 0.25 of 0.125 allowed, pixels from 0.75 to 0.75."));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [TestCase(float.NaN)]
    [TestCase(-0.0001f)]
    [TestCase(1.0001f)]
    public void The_check_refuses_what_is_no_pixel(float value) =>
        Assert.That(
            () => AttackBall.Require("fgsm", AttackBall.Measure([0.5f, 0.5f], [value, 0.5f]), 1),
            Throws.InvalidOperationException.With.Message.Contains("left its ball"));
}
