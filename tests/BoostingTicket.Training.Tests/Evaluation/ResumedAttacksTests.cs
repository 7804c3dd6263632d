using BoostingTicket.Engine.Testing;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Testing;
using BoostingTicket.Training.Tests.Attacks;

namespace BoostingTicket.Training.Tests.Evaluation;

/// <summary>Evaluations by attacks that end early and go on.</summary>
internal sealed class ResumedAttacksTests
{
    private const ulong Stream = 21;
    private const string Binding = "network, data and settings";

    private static readonly AttackSettings Settings = new() { Epsilon = 0.05, StepSize = 0.0125 };
    private static readonly int[] Samples = [.. Enumerable.Range(0, 14)];
    private static readonly string[] Attacks = ["pgd-20", "autoattack", "apgd-ce"];

    private TrainedNetwork _trained = null!;
    private TemporaryFolder _folder = null!;
    private RobustnessResult _whole = null!;
    private float[] _images = null!;

    [OneTimeSetUp]
    public void RunInOneGo()
    {
        _trained = new TrainedNetwork(epochs: 4);
        using var progress = new CountingProgress();
        var storage = new Storage(null, int.MaxValue);
        AttackEvaluator evaluator = Evaluator(progress);
        _whole = evaluator.Run(Attacks, Settings, Stream, storage);
        _images = evaluator.Adversarial.ToArray();
        Assert.That(_whole.WorstCase, Is.LessThan(_whole.Clean - 0.1), "there is something to keep");
        Assert.That(storage.Saves, Is.GreaterThan(20), "kills fall in many places");
    }

    [OneTimeTearDown]
    public void Free() => _trained.Dispose();

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase(1)]
    [LongTestCase(3)]
    [TestCase(7)]
    public void Killed_in_the_middle_of_any_stage_it_comes_to_the_same_result(int between)
    {
        using var progress = new CountingProgress();
        var file = new AttackStateFile(_folder["state"], Binding, Samples.Length, _images.Length);
        for (int kills = 0; ; kills++)
        {
            AttackEvaluator evaluator = Evaluator(progress);
            try
            {
                RobustnessResult result = evaluator.Run(Attacks, Settings, Stream, new Storage(file, between));
                Assert.That(kills, Is.Positive);
                AssertSame(result, evaluator.Adversarial);
                Assert.That(progress.Done, Has.Some.Positive, "some stage went on from its middle");
                return;
            }
            catch (KilledException)
            {
                Assert.That(kills, Is.LessThan(200));
            }
        }
    }

    [Test]
    public void Asked_to_stop_it_keeps_what_it_has()
    {
        var file = new AttackStateFile(_folder["state"], Binding, Samples.Length, _images.Length);
        using var stopped = new CountingProgress(cancelAfter: 150);
        // Nothing is kept within stages but for the request to stop.
        Assert.That(
            () => Evaluator(stopped, seconds: 1e9).Run(Attacks, Settings, Stream, file, stopped.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(file.Restore()!.Stage, Is.Not.Null);
        using var progress = new CountingProgress();
        AttackEvaluator evaluator = Evaluator(progress);
        AssertSame(evaluator.Run(Attacks, Settings, Stream, file), evaluator.Adversarial);
        Assert.That(progress.Stages, Has.Count.LessThan(6));
    }

    [Test]
    public void A_state_comes_back_as_it_was_and_belongs_to_one_evaluation()
    {
        var state = new AttackState(3)
        {
            Results = [.. _whole.Attacks],
            Warnings = ["a \"warning\""],
            Stage = new AttackStage(3, 2, 1, 5, 4, 0.125f, 1.5),
        };
        state.Robust[1] = state.Unfooled[0] = state.Unfooled[1] = true;
        new AttackStateFile(_folder["state"], Binding, 3, 0).Save(state);
        AttackState read = new AttackStateFile(_folder["state"], Binding, 3, 0).Restore()!;
        Assert.Multiple(() =>
        {
            Assert.That(read.Results, Is.EqualTo(state.Results));
            Assert.That(read.Warnings, Is.EqualTo(state.Warnings));
            Assert.That(read.Stage, Is.EqualTo(state.Stage));
            Assert.That(read.Robust, Is.EqualTo(state.Robust));
            Assert.That(read.Unfooled, Is.EqualTo(state.Unfooled));
            Assert.That(new AttackStateFile(_folder["none"], Binding, 3, 0).Restore(), Is.Null);
            Assert.That(
                () => new AttackStateFile(_folder["state"], "another", 3, 0).Restore(),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains("other weights, data, attacks or settings"));
        });
        byte[] bytes = File.ReadAllBytes(_folder["state"]);
        bytes[^2] ^= 1;
        File.WriteAllBytes(_folder["state"], bytes);
        Assert.That(() => new AttackStateFile(
            _folder["state"], Binding, 3, 0).Restore(), Throws.TypeOf<DamagedFileException>().With.Message.Contains("checksum"));
    }

    private AttackEvaluator Evaluator(CountingProgress progress, double seconds = 0)
    {
        var evaluator = new AttackEvaluator(_trained.Network, _trained.Test, Samples, 7, progress)
        {
            SecondsBetweenStates = seconds,
        };
        evaluator.KeepImages();
        return evaluator;
    }

    private void AssertSame(RobustnessResult result, ReadOnlySpan<float> images)
    {
        float[] found = images.ToArray();
        AttackResult Timeless(AttackResult attack) => attack with { Seconds = 0, SamplesPerSecond = 0 };
        Assert.Multiple(() =>
        {
            Assert.That(result.Attacks.Select(Timeless), Is.EqualTo(_whole.Attacks.Select(Timeless)));
            Assert.That((result.Clean, result.WorstCase), Is.EqualTo((_whole.Clean, _whole.WorstCase)));
            Assert.That(result.Warnings, Is.EqualTo(_whole.Warnings));
            Assert.That(found, Is.EqualTo(_images));
        });
    }

    private sealed class KilledException : Exception;

    /// <summary>Ends the evaluation, as a process that is killed does, after so many states and one in the middle of a stage.
    /// How many states a stage has depends on which images withstand, and so on the processor's rounding: a kill after a fixed
    /// number of them may fall between stages every time.</summary>
    private sealed class Storage(IAttackStorage? inner, int leastSaves) : IAttackStorage
    {
        private bool _middle;

        public int Saves { get; private set; }

        public AttackState? Restore() => inner?.Restore();

        public void Save(AttackState state)
        {
            if (_middle && Saves >= leastSaves)
                throw new KilledException();
            inner?.Save(state);
            Saves++;
            _middle = state.Stage is { } stage && (stage.Round > 0 || stage.Next > 0);
        }
    }
}
