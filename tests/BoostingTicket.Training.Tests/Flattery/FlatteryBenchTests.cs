using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;
using BoostingTicket.Training.Tests.Attacks;

namespace BoostingTicket.Training.Tests.Flattery;

/// <summary>Networks that flatter themselves, and what every attack must say of each: these words, and no others. Outputs that
/// are random cannot be written as a network of this program; <c>AttackChecksTests</c> has them.</summary>
internal sealed class FlatteryBenchTests
{
    private const ulong Stream = 21;

    // What each attack says of each network. "always" is said whatever the attack is. Words are those of Kinds.
    private const string Table = """
        network        | always          | pgd-20 | cw    | apgd-ce | apgd-t | fab-t | square | autoattack
        honest         |                 |        |       |         |        |       |        |
        logits x 1e3   |                 | margin |       | margin  |        |       |        | margin
        logits x 1e6   |                 | margin |       | margin  |        |       |        | margin
        dead           | class           | blind  | blind | blind   | blind  | blind |        | blind
        one class      | class           | margin |       | margin  |        |       |        | margin
        constant       | class           | blind  | blind | blind   | blind  | blind |        | blind
        NaN            | numbers nothing |        |       |         |        |       |        |
        infinite       | numbers nothing |        |       |         |        |       |        |
        not saturated  |                 |        |       |         |        |       |        |
        saturated      |                 | blind  | blind | blind   | blind  | blind |        | blind square
        """;

    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["either; robust accuracy is overestimated where gradients vanish"] = "blind",
        ["starts; robust accuracy is overestimated where gradients vanish"] = "blind",
        ["attacked by the margin loss, since the gradient of cross-entropy vanished."] = "margin",
        ["The network answers class 0 for"] = "class",
        ["is no better than chance"] = "chance",
        ["are NaN or infinite; these images count as wrong"] = "numbers",
        ["there is nothing to attack"] = "nothing",
        ["Square, which needs no gradients, lowered robust accuracy"] = "square",
        ["(gradient masking)"] = "masked",
    };

    private TrainedNetwork _trained = null!;
    private ModelState _state = null!;
    private CountingProgress _progress = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _trained = new TrainedNetwork(epochs: 5);
        _state = ModelState.Capture(_trained.Network.Parameters, _trained.Network.Backend);
    }

    [OneTimeTearDown]
    public void Free() => _trained.Dispose();

    [SetUp]
    public void CreateProgress() => _progress = new CountingProgress();

    [TearDown]
    public void DisposeProgress() => _progress.Dispose();

    [TestCaseSource(nameof(Cells))]
    public void Every_attack_says_what_is_wrong_with_a_network(string network, string attack, string words)
    {
        using FlatteringNetwork flattering = Open(network);

        RobustnessResult result = Attack(flattering, attack);

        Assert.That(KindsOf(result.Warnings), Is.EquivalentTo(Words(words)), string.Join("\n", result.Warnings));
        Assert.That(_progress.Warnings, Is.EqualTo(result.Warnings));
        Assert.Multiple(() =>
        {
            long byMargin = result.Attacks.Sum(stage => stage.ByMargin), blind = result.Attacks.Sum(stage => stage.Blind);
            Assert.That(byMargin > blind, Is.EqualTo(words.Contains("margin")));
            Assert.That(blind > 0, Is.EqualTo(words.Contains("blind")));
            Assert.That(result.NotFinite, Is.EqualTo(words.Contains("numbers") ? flattering.Samples.Length : 0));
            foreach (AttackResult stage in result.Attacks)
                Assert.That(stage.ZeroGradients is null, Is.EqualTo(stage.Attack.EndsWith("square")), stage.Attack);
        });
    }

    /// <summary>The attack of <c>run</c>, <c>train</c>, <c>retrain</c>, <c>evaluate</c> and validation.</summary>
    [TestCaseSource(nameof(Networks))]
    public void So_does_the_attack_of_a_test(string network, string always, string words)
    {
        using FlatteringNetwork flattering = Open(network);
        using var evaluator = new Evaluator(flattering.Network, flattering.Images, flattering.Samples, 25);

        TestResult result = evaluator.Robust(AttackBudget.Pgd(flattering.Settings with { Steps = 20 }), Stream, int.MaxValue);

        Assert.That(
            KindsOf(result.Warnings), Is.EquivalentTo(Words($"{always} {words}").Except(["nothing"])),
            string.Join("\n", result.Warnings));
        RobustnessResult same = Attack(flattering, "pgd-20");
        Assert.Multiple(() =>
        {
            Assert.That(
                (result.Clean, result.Robust, result.NotFinite), Is.EqualTo((same.Clean, same.WorstCase, same.NotFinite)));
            Assert.That(
                (result.ZeroGradients, result.ByMargin, result.Blind),
                Is.EqualTo((same.Attacks[0].ZeroGradients, same.Attacks[0].ByMargin, same.Attacks[0].Blind)));
        });
    }

    /// <summary>Every network is shown to itself and to an honest one of its kind.</summary>
    [TestCaseSource(nameof(Networks))]
    public void So_does_a_transfer_matrix(string network, string always, string words)
    {
        bool quadrants = network.EndsWith("saturated", StringComparison.Ordinal);
        using FlatteringNetwork flattering = Open(network), honest = Open(quadrants ? "not saturated" : "honest");
        var matrix = new TransferMatrix(honest.Network.Backend, honest.Images, honest.Samples, 40, _progress);

        TransferResult result = matrix.Run(
            [
                new TransferNetwork("honest", honest.Graph, honest.State),
                new TransferNetwork("other", flattering.Graph, flattering.State),
            ],
            "pgd-20", flattering.Settings, Stream);

        string masked = network == "saturated" ? " masked" : "";
        Assert.That(
            KindsOf(result.Warnings), Is.EquivalentTo(Words($"{always} {words}{masked}").Except(["nothing"])),
            string.Join("\n", result.Warnings));
    }

    [TestCaseSource(nameof(Networks))]
    public void So_does_the_validation_of_a_training(string network, string always, string words)
    {
        using FlatteringNetwork flattering = Open(network);
        int[] samples = flattering.Samples;
        using var trainer = new Trainer(
            new TrainingContext(flattering.Network, flattering.Images, samples, samples, Augmentation.None, Seed: 1),
            new TrainingSettings
            {
                Method = TrainingMethod.Natural,
                Epochs = 2,
                BatchSize = samples.Length,
                LearningRate = 0,
                WeightDecay = 0,
            },
            flattering.Settings, new EvaluationSettings { ProbeSteps = 20, BatchSize = 25 }, new NoStorage(), _progress);
        TrainingState state = trainer.Restore();
        if (always.Contains("numbers"))
        {
            Assert.That(() => trainer.Run(state, default), Throws.TypeOf<DivergedException>());
            return;
        }

        trainer.Run(state, default);

        Assert.That(KindsOf(state.Warnings), Is.EquivalentTo(Words($"{always} {words}")), string.Join("\n", state.Warnings));
        Assert.That(_progress.Warnings, Is.EqualTo(state.Warnings));
        Assert.That(state.History.Select(epoch => epoch.ZeroGradients > 0), Is.All.EqualTo(words.Length > 0));
    }

    [Test]
    public void Vanished_gradients_of_cross_entropy_hide_nothing_from_pgd()
    {
        using FlatteringNetwork honest = Open("honest"), flattering = Open("logits x 1e3");
        double expected = Attack(honest, "pgd-20").WorstCase, margin = Attack(flattering, "cw").WorstCase;
        foreach (string attack in (string[])["pgd-20", "apgd-ce"])
        {
            RobustnessResult result = Attack(flattering, attack);
            Assert.That(result.WorstCase, Is.EqualTo(expected).Within(0.05).And.LessThanOrEqualTo(margin + 0.02), attack);
            Assert.That(result.WorstCase, Is.LessThan(result.Clean - 0.1), attack);
            Assert.That(result.Attacks[0].ByMargin, Is.EqualTo(result.Attacks[0].ZeroGradients), attack);
            Assert.That(result.Attacks[0].ByMargin, Is.GreaterThan(result.Attacks[0].Attacked / 2), attack);
        }
    }

    private static IEnumerable<TestCaseData> Cells()
    {
        (string[] attacks, IEnumerable<string[]> rows) = Read();
        foreach (string[] row in rows)
        {
            foreach ((int index, string attack) in attacks.Index())
            {
                yield return new TestCaseData(row[0], attack, $"{row[1]} {row[2 + index]}")
                    .SetArgDisplayNames(row[0], attack, row[2 + index]);
            }
        }
    }

    private static IEnumerable<TestCaseData> Networks() => Read().Rows.Select(row => new TestCaseData(row[0], row[1], row[2]));

    private static (string[] Attacks, IEnumerable<string[]> Rows) Read()
    {
        string[][] lines = [.. Table.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries))];
        return (lines[0][2..], lines[1..]);
    }

    private static string[] Words(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> KindsOf(IEnumerable<string> warnings) => warnings.Select(warning =>
        Kinds.FirstOrDefault(kind => warning.Contains(kind.Key, StringComparison.Ordinal)).Value ?? warning).Distinct();

    private FlatteringNetwork Open(string network) =>
        FlatteringNetwork.Of(network, _trained.Network.Graph, _state, _trained.Test.Set);

    private RobustnessResult Attack(FlatteringNetwork network, string attack) =>
        new AttackEvaluator(network.Network, network.Images, network.Samples, 60, _progress)
            .Run([attack], network.Settings, Stream);

    private sealed class NoStorage : ITrainingStorage
    {
        public TrainingState? Restore(Engine.Plans.Network network) => null;

        public void Save(Engine.Plans.Network network, TrainingState state)
        {
        }

        public void SaveBest(Engine.Plans.Network network)
        {
        }
    }
}
