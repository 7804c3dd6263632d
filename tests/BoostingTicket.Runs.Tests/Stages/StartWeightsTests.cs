using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Trainings that begin from given weights, and tickets that are reset to other weights than the first.</summary>
internal sealed class StartWeightsTests
{
    private const ulong Seed = 5;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 240, 60, seed: 3);

    private TemporaryFolder _root = null!;

    private static TrainingSettings Natural(int epochs) => new()
    {
        Method = TrainingMethod.Natural,
        Epochs = epochs,
        BatchSize = 32,
        LearningRate = 0.02,
        LearningRateDrops = [],
    };

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cpu",
        Seed = Seed,
        Arms = [Arm.Dense, Arm.Ticket, Arm.Reinit],
        Data = new DataSettings { ValidationSamples = 40 },
        Donor = Natural(3),
        Retrain = Natural(0),
        Dense = Natural(0),
        Evaluation = new EvaluationSettings { Attack = new AttackSettings { Steps = 1 }, ProbeSteps = 0, BatchSize = 32 },
    };

    [SetUp]
    public void CreateFolder() => _root = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _root.Dispose();

    [Test]
    public void Fine_tuning_begins_at_the_accuracy_of_the_given_network()
    {
        RunFolder first = Train("first", Small with { Dense = Natural(4) }, null, out ArmResult trained);
        string weights = first.LastWeights(Seed, DenseTraining.Stage);
        RunFolder again = Train("again", Small, StartWeights.Read(weights), out ArmResult tuned);
        Assert.Multiple(() =>
        {
            Assert.That(trained.Last.Clean, Is.GreaterThan(0.2), "the network learned something");
            Assert.That((tuned.Last.Clean, tuned.Last.Robust), Is.EqualTo((trained.Last.Clean, trained.Last.Robust)));
            Assert.That(State(again.LastWeights(Seed, DenseTraining.Stage)).ContentEquals(State(weights)));
        });

        Train("on", Small with { Dense = Natural(1) }, StartWeights.Read(weights), out ArmResult further);
        Assert.That(further.History[0].TrainLoss, Is.LessThan(trained.History[0].TrainLoss), "training goes on where it was");
    }

    [Test]
    public void A_file_of_a_PyTorch_program_brings_its_normalisation()
    {
        NetworkGraph graph = TicketRun.BuildModel(Small, Data);
        ModelState state = Initialization.Draw(graph.Table, 9);
        var writer = new SafetensorsWriter { Checksum = false }.Add("module.mu", new[] { 0.25f }, 1)
            .Add("module.sigma", new[] { 0.5f }, 1);
        foreach (Parameter parameter in graph.Table.All)
            writer.Add(
                "module." + parameter.Name, state.MemoryOf(parameter), [.. parameter.Spec.Dimensions.Select(d => (long)d)]);
        writer.Save(_root["foreign.safetensors"]);

        StartWeights start = StartWeights.Read(_root["foreign.safetensors"]);
        RunFolder folder = Train("tuned", Small, start, out _);
        ModelFileMetadata kept = WeightFile.ReadMetadata(folder.LastWeights(Seed, DenseTraining.Stage))!;
        Assert.Multiple(() =>
        {
            Assert.That(start.Notes, Has.Some.Contains("prefix 'module.'"));
            Assert.That((start.Origin!.Model, start.Origin.Normalize), Is.EqualTo(("lenet-4-8-32", (bool?)true)));
            Assert.That(kept.Normalization!.ContentEquals(new InputNormalizationConstants([0.25f], [0.5f])));
            Assert.That(State(folder.LastWeights(Seed, DenseTraining.Stage)).ContentEquals(state));
            Refused("model lenet-4-8-32, not of lenet-2-3-8", Small with { Model = "lenet-2-3-8" });
            Refused("normalize is false", Small with { Data = Small.Data with { Normalize = false } });
        });

        void Refused(string why, RunConfiguration configuration) => Assert.That(
            () => Train("refused", configuration, start, out _),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains(why));
    }

    [Test]
    public void A_folder_is_resumed_with_its_own_weights_only_and_ends_with_the_same_bits()
    {
        RunConfiguration configuration = Small with { Dense = Natural(3) };
        StartWeights own = Drawn("own", 1), other = Drawn("other", 2);
        RunFolder whole = Train("whole", configuration, own, out _);
        using (var interrupted = new CountingProgress(cancelAfter: 2))
            Assert.Throws<OperationCanceledException>(() => Train("out", configuration, own, out _, interrupted));
        ConfigurationException refused = Assert.Throws<ConfigurationException>(
            () => Train("out", configuration, other, out _, resume: true))!;
        RunFolder resumed = Train("out", configuration, null, out _, resume: true);
        Assert.Multiple(() =>
        {
            Assert.That(refused.Message, Does.Contain("other weights").And.Contain("resume with those weights"));
            Assert.That(
                File.ReadAllBytes(resumed.LastWeights(Seed, DenseTraining.Stage)),
                Is.EqualTo(File.ReadAllBytes(whole.LastWeights(Seed, DenseTraining.Stage))));
        });
        ConfigurationException plain = Assert.Throws<ConfigurationException>(
            () => Train("whole", configuration, other, out _, resume: true))!;
        Assert.That(plain.Message, Does.Contain("other weights"));
    }

    [TestCase("initial")]
    [TestCase("2")]
    [TestCase("none")]
    public void A_ticket_is_reset_to_the_weights_that_are_asked_for(string reset)
    {
        RunConfiguration configuration = Small with { Pruning = new PruningSettings { Ratio = 0.6, Reset = reset } };
        RunFolder folder = Run("run", configuration, out _);
        ModelState expected = reset switch
        {
            "initial" => State(folder.Initial(Seed)),
            "none" => State(folder.LastWeights(Seed, "donor")),
            _ => State(Train("two", Small with { Dense = Natural(2) }, null, out _).LastWeights(Seed, DenseTraining.Stage)),
        };
        Ticket ticket = TicketFile.Load(folder.Ticket(Seed, "donor"), TicketRun.BuildModel(Small, Data));
        ModelState pruned = expected.Clone();
        ticket.Mask.Apply(pruned.Weights.AsSpan(0, pruned.Table.PrunableLength));
        Assert.Multiple(() =>
        {
            Assert.That(ticket.Initial.ContentEquals(expected), "the ticket's weights");
            Assert.That(State(folder.LastWeights(Seed, "ticket")).ContentEquals(pruned), "an arm of no epochs");
            Assert.That(File.Exists(folder.EpochWeights(Seed, "donor", 2)), Is.EqualTo(reset == "2"));
            Assert.That(State(folder.LastWeights(Seed, "dense")).ContentEquals(State(folder.Initial(Seed))));
        });
    }

    [Test]
    public void Later_rounds_begin_where_the_first_rewinds_to_and_a_resumed_run_has_the_same_bits()
    {
        RunConfiguration configuration = Small with
        {
            Arms = [Arm.Ticket],
            Donor = Natural(2),
            Retrain = Natural(1),
            Pruning = new PruningSettings { Ratio = 0.6, Reset = "1", Rounds = 2 },
        };
        RunFolder whole = Run("whole", configuration, out _);
        for (int stop = 2; ; stop += 4)
        {
            using var interrupted = new CountingProgress(cancelAfter: stop);
            try
            {
                Run("out", configuration, out _, interrupted, resume: stop > 2);
                break;
            }
            catch (OperationCanceledException)
            {
                // Goes on in the next turn.
            }
        }
        RunFolder resumed = Run("out", configuration, out _, resume: true);
        foreach (string file in new[] { "donor.epoch-1", "donor-2.last", "ticket.last" }.Select(name => name + ".safetensors"))
        {
            Assert.That(
                File.ReadAllBytes(Path.Combine(resumed.Seed(Seed), file)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(whole.Seed(Seed), file))), file);
        }
    }

    [Test]
    public void An_epoch_that_the_donor_does_not_reach_is_refused_before_the_work()
    {
        RunConfiguration configuration = Small with { Pruning = new PruningSettings { Reset = "4" } };
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Run("run", configuration, out _),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains("reset is 4, but the donor trains for 3 epochs"));
            Assert.That(Directory.Exists(_root["run"]), Is.False);
            Assert.That(
                () => (Small with { Pruning = new PruningSettings { Reset = "soon" } }).Validate(),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains("'soon'; give initial, none, or an epoch"));
        });
    }

    [Test]
    public void A_run_from_given_weights_resets_its_tickets_to_them()
    {
        StartWeights start = Drawn("given", 8);
        using var progress = new CountingProgress();
        using IBackend backend = CpuBackend.Create(1);
        var folder = new RunFolder(_root["run"]);
        RunResult result = new TicketRun(Small, folder.Root, backend, Data, progress).Execute(
            resume: false, progress.Token, start);
        ModelState given = State(_root["given"]);
        Assert.Multiple(() =>
        {
            Assert.That(State(folder.LastWeights(Seed, "dense")).ContentEquals(given));
            Assert.That(
                TicketFile.Load(folder.Ticket(Seed, "donor"), TicketRun.BuildModel(Small, Data)).Initial.ContentEquals(given));
            Assert.That(result.ConfigurationHash, Is.Not.EqualTo(RunJson.Hash(Small)), "the hash knows of the weights");
        });
    }

    private StartWeights Drawn(string name, ulong seed)
    {
        NetworkGraph graph = TicketRun.BuildModel(Small, Data);
        WeightFile.Save(
            _root[name], Initialization.Draw(graph.Table, seed), ModelFileMetadata.Of(graph, DataNormalization.For(Data.Train)));
        return StartWeights.Read(_root[name]);
    }

    private static ModelState State(string file) => WeightFile.Load(file, TicketRun.BuildModel(Small, Data)).State;

    private RunFolder Train(
        string name, RunConfiguration configuration, StartWeights? start, out ArmResult result, CountingProgress? progress = null,
        bool resume = false)
    {
        using var quiet = new CountingProgress();
        using IBackend backend = CpuBackend.Create(1);
        result = new DenseTraining(configuration, backend, Data, progress ?? quiet).Execute(
            _root[name], resume, (progress ?? quiet).Token, start);
        return new RunFolder(_root[name]);
    }

    private RunFolder Run(
        string name, RunConfiguration configuration, out RunResult result, CountingProgress? progress = null, bool resume = false)
    {
        using var quiet = new CountingProgress();
        using IBackend backend = CpuBackend.Create(1);
        result = new TicketRun(configuration, _root[name], backend, Data, progress ?? quiet).Execute(
            resume, (progress ?? quiet).Token);
        return new RunFolder(_root[name]);
    }
}
