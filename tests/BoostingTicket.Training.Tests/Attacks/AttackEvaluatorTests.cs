using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Attacks on networks of the engine, from images to accuracies.</summary>
internal sealed class AttackEvaluatorTests
{
    private const double Epsilon = 0.05;
    private const ulong Stream = 21;

    private static readonly AttackSettings Settings = new() { Epsilon = Epsilon, StepSize = Epsilon / 4 };
    private static readonly int[] Samples = [.. Enumerable.Range(0, TrainedNetwork.TestSamples)];

    [Test]
    public void Stronger_attacks_leave_less()
    {
        using var trained = new TrainedNetwork(epochs: 5);
        using var progress = new CountingProgress();
        var evaluator = new AttackEvaluator(trained.Network, trained.Test, Samples, batchSize: 32, progress);
        evaluator.KeepImages();

        RobustnessResult result = evaluator.Run(["pgd-20", "pgd-100", "cw", "apgd-ce", "autoattack"], Settings, Stream);

        Dictionary<string, AttackResult> by = result.Attacks.ToDictionary(attack => attack.Attack);
        foreach (AttackResult attack in result.Attacks)
            TestContext.Out.WriteLine(
                $"{attack.Attack,-22} {attack.Attacked,3} {attack.Robust:P1} {attack.LargestPerturbation:F5} {attack.Seconds:F1} "
                + $"s");
        Assert.Multiple(() =>
        {
            Assert.That(result.Clean, Is.GreaterThan(0.7));
            Assert.That(by["pgd-20"].Robust, Is.LessThan(result.Clean - 0.1), "the attack is worth its name");
            Assert.That(by["pgd-100"].Robust, Is.LessThanOrEqualTo(by["pgd-20"].Robust));
            Assert.That(by["apgd-ce"].Robust, Is.LessThanOrEqualTo(by["pgd-100"].Robust));
            Assert.That(by["autoattack: square"].Robust, Is.LessThanOrEqualTo(by["apgd-ce"].Robust).And.GreaterThan(0.05));
            Assert.That(
                result.Attacks.Skip(3).Select(attack => attack.Attack),
                Is.EqualTo(
                    new[] { "apgd-ce", "autoattack: apgd-ce", "autoattack: apgd-t", "autoattack: fab-t", "autoattack: square" }));
            Assert.That(by["autoattack: apgd-t"].Attacked, Is.EqualTo(
                Math.Round(by["autoattack: apgd-ce"].Robust * Samples.Length)), "only what is robust still is passed on");
            Assert.That(result.Attacks.Select(attack => attack.LargestPerturbation), Is.All.LessThanOrEqualTo(Epsilon));
            Assert.That(by["pgd-20"].LargestPerturbation, Is.EqualTo(Epsilon).Within(1e-5));
            Assert.That(result.WorstCase, Is.LessThanOrEqualTo(result.Attacks.Min(attack => attack.Robust)));
            Assert.That(result.Warnings, Is.Empty);
            Assert.That(progress.Stages, Does.Contain("autoattack: fab-t"));
        });
        Assert.That(Accuracy(trained, evaluator.Adversarial), Is.EqualTo(result.WorstCase).Within(
            1e-12), "the images kept are those that fooled it");
    }

    [Test]
    public void Results_do_not_depend_on_the_batch_size()
    {
        using var trained = new TrainedNetwork(epochs: 5);
        using var progress = new CountingProgress();
        (RobustnessResult Result, float[] Images) Run(int batch)
        {
            var evaluator = new AttackEvaluator(trained.Network, trained.Test, Samples.AsSpan(0, 24), batch, progress);
            evaluator.KeepImages();
            RobustnessResult result = evaluator.Run(["apgd-ce", "apgd-t"], Settings, Stream);
            return (result, evaluator.Adversarial.ToArray());
        }

        (RobustnessResult whole, float[] images) = Run(24);
        (RobustnessResult parts, float[] same) = Run(7);

        Assert.Multiple(() =>
        {
            Assert.That(parts.Attacks.Select(attack => attack.Robust), Is.EqualTo(whole.Attacks.Select(attack => attack.Robust)));
            Assert.That(same, Is.EqualTo(images));
            Assert.That(whole.WorstCase, Is.LessThan(whole.Clean), "something was found");
        });
    }

    [Test]
    public void PGD_by_name_is_the_PGD_of_the_evaluation()
    {
        using var trained = new TrainedNetwork(epochs: 5);
        using var progress = new CountingProgress();
        AttackSettings settings = Settings with { Restarts = 2 };
        using var usual = new Evaluator(trained.Network, trained.Test, Samples, 25);
        double expected = usual.Robust(AttackBudget.Pgd(settings), Stream, Samples.Length).Robust;

        RobustnessResult result = new AttackEvaluator(trained.Network, trained.Test, Samples, 25, progress).Run(
            ["pgd"], settings, Stream);

        Assert.That(result.Attacks.Single().Robust, Is.EqualTo(expected));
    }

    [Test]
    public void Vanishing_gradients_are_reported()
    {
        using var trained = new TrainedNetwork(epochs: 0);
        trained.Network.Backend.Fill(trained.Network.Parameters.Weights.All, 0);
        trained.Network.Parameters.WeightsChanged();
        using var progress = new CountingProgress();
        int[] zeros = [.. Samples.Where(sample => trained.Test.Set.Labels[sample] == 0)];
        var evaluator = new AttackEvaluator(trained.Network, trained.Test, zeros, 4, progress);

        RobustnessResult result = evaluator.Run(["apgd-ce", "fab-t"], Settings, Stream);

        Assert.Multiple(() =>
        {
            Assert.That(result.WorstCase, Is.EqualTo(1), "all logits are equal, and 0 is the first");
            Assert.That(result.Attacks[0].ZeroGradients, Is.EqualTo(zeros.Length));
            Assert.That(result.Warnings, Has.Some.Contains("apgd-ce met a gradient of zero"));
            Assert.That(result.Warnings, Has.Some.Contains("fab-t met a gradient of zero"));
            Assert.That(progress.Warnings, Is.EqualTo(result.Warnings));
        });
    }

    [Test]
    public void An_empty_set_of_robust_samples_needs_no_attack()
    {
        using var trained = new TrainedNetwork(epochs: 0);
        trained.Network.Backend.Fill(trained.Network.Parameters.Weights.All, 0);
        trained.Network.Parameters.WeightsChanged();
        using var progress = new CountingProgress();
        int[] others = [.. Samples.Where(sample => trained.Test.Set.Labels[sample] != 0).Take(10)];
        var evaluator = new AttackEvaluator(trained.Network, trained.Test, others, 4, progress);
        evaluator.KeepImages();

        RobustnessResult result = evaluator.Run(["pgd", "autoattack"], Settings, Stream);

        Assert.Multiple(() =>
        {
            Assert.That(result.Clean, Is.Zero);
            Assert.That(result.Attacks, Has.Count.EqualTo(5));
            Assert.That(result.Attacks.Select(attack => attack.Attacked), Is.All.Zero);
            Assert.That(result.Attacks.Select(attack => attack.Robust), Is.All.Zero);
            Assert.That(result.Warnings, Has.One.Contains("nothing to attack"));
            Assert.That(evaluator.Adversarial.ToArray().Max(), Is.Positive, "the clean images");
        });
    }

    [Test]
    public void It_can_be_stopped_in_the_middle_of_an_attack()
    {
        using var trained = new TrainedNetwork(epochs: 0);
        using var progress = new CountingProgress(cancelAfter: 5);
        var evaluator = new AttackEvaluator(trained.Network, trained.Test, Samples, 60, progress);
        Assert.That(
            () => evaluator.Run(["square"], Settings with { Epsilon = 1e-6 }, Stream, cancellation: progress.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(progress.Reports, Is.LessThan(8));
    }

    [Test]
    public void An_unknown_name_is_refused_before_anything_runs()
    {
        using var trained = new TrainedNetwork(epochs: 0);
        using var progress = new CountingProgress();
        var evaluator = new AttackEvaluator(trained.Network, trained.Test, Samples, 60, progress);
        Assert.That(
            () => evaluator.Run(["square", "apgd"], Settings, Stream),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("'apgd'").And.Message.Contains("did you mean"));
        Assert.That(progress.Stages, Is.Empty);
    }

    private static double Accuracy(TrainedNetwork trained, ReadOnlySpan<float> images)
    {
        var model = new NetworkModel(trained.Network, Samples.Length);
        float[] logits = new float[Samples.Length * model.Classes];
        model.Logits(images, logits);
        return Samples.Count(s => AttackBatch.IsCorrect(
            logits.AsSpan(s * model.Classes, model.Classes), trained.Test.Set.Labels[s])) / (double)Samples.Length;
    }
}
