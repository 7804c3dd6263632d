using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Tests.Attacks;

namespace BoostingTicket.Training.Tests.Contracts;

/// <summary>What holds for every attack of the catalogue: a new line there is tested without a new test.</summary>
internal sealed class AttackContractTests
{
    private const int Samples = 6, Alone = 4;
    private const ulong Stream = 9;

    private static readonly AttackSettings Settings = new() { Epsilon = 0.1, StepSize = 0.03, Steps = 6, Restarts = 2 };

    private TrainedNetwork _trained = null!;

    private static IEnumerable<string> Names => AttackCatalog.All.Select(attack => attack.Name);

    [OneTimeSetUp]
    public void Train() => _trained = new TrainedNetwork(epochs: 1);

    [OneTimeTearDown]
    public void Free() => _trained.Dispose();

    [Test]
    public void Candidates_are_in_ball_and_range_the_same_again_and_the_same_for_a_sample_alone(
        [ValueSource(nameof(Names))] string name)
    {
        AttackEntry entry = AttackCatalog.Stages(name).Single();
        AttackBatch first = Run(entry, [.. Enumerable.Range(0, Samples)]);
        Assert.Multiple(() =>
        {
            Ball.Holds(first, first.Adversarial, Settings.Epsilon);
            Assert.That(first.Adversarial, Is.Not.EqualTo(first.Clean), "something moved");
            Assert.That(
                Run(entry, [.. Enumerable.Range(0, Samples)]).Adversarial, Is.EqualTo(first.Adversarial), "the same again");
            int length = first.Shape.Length;
            Assert.That(
                Run(entry, [Alone]).Adversarial, Is.EqualTo(first.Adversarial.AsSpan(Alone * length, length).ToArray()),
                "alone");
        });
    }

    [Test]
    public void What_the_catalogue_says_of_an_attack_is_true([ValueSource(nameof(Names))] string name)
    {
        AttackEntry entry = AttackCatalog.Stages(name).Single();
        using IAttack attack = entry.Create(Context(Samples));
        Assert.Multiple(() =>
        {
            Assert.That(entry.Description, Is.Not.Empty);
            Assert.That(attack.Rounds, Is.Positive);
            Assert.That(entry.Gradients(Settings), Is.EqualTo(attack.UsesGradients ? attack.Rounds * attack.Iterations : 0));
            if (entry.Steps is { } steps)
                Assert.That(attack.Iterations, Is.EqualTo(steps(Settings) * Settings.Restarts));
            Assert.That(entry.TakesSteps, Is.EqualTo(entry.Steps?.Invoke(Settings) == Settings.Steps));
        });
    }

    [Test]
    public void Names_are_unique() => Assert.That(AttackCatalog.Names.Select(pair => pair.Name), Is.Unique);

    private AttackContext Context(int samples) => new(new NetworkModel(_trained.Network, samples), Settings, Stream);

    private AttackBatch Run(AttackEntry entry, int[] samples)
    {
        AttackContext context = Context(samples.Length);
        var batches = new SampleBatches(context.Model, _trained.Test, samples);
        batches.Load([.. Enumerable.Range(0, samples.Length)], 0);
        using IAttack attack = entry.Create(context);
        attack.Run(batches.Batch, round: 0);
        return batches.Batch;
    }
}
