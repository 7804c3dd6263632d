using System.Security.Cryptography;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
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

/// <summary>The main job on a few hundred generated images.</summary>
internal sealed class TicketRunTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 300, 70, seed: 3);

    private string _root = "";

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cpu",
        Seed = 5,
        Arms = [Arm.Dense, Arm.Ticket, Arm.Winning, Arm.Reinit, Arm.Shuffle],
        Data = new DataSettings { ValidationSamples = 60 },
        Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 2 },
        Donor = new TrainingSettings { Method = TrainingMethod.Fgsm, Epochs = 2, BatchSize = 48, LearningRate = 0.02 },
        Retrain = new TrainingSettings { Epochs = 2, BatchSize = 48, LearningRate = 0.05, WarmupFrom = 0.02 },
        Dense = new TrainingSettings { Epochs = 3, BatchSize = 48, LearningRate = 0.05 },
        Evaluation = new EvaluationSettings
        {
            Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 3, Restarts = 2 },
            ProbeSteps = 2,
            ProbeSamples = 40,
            BatchSize = 32,
        },
    };

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("ticket-run-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Every_arm_is_trained_and_tested_and_tickets_have_exactly_the_asked_sparsity()
    {
        RunResult result = Execute(Small, "run", threads: 2);

        SeedResult seed = result.Seeds.Single();
        Assert.Multiple(() =>
        {
            Assert.That(seed.Arms.Select(arm => arm.Arm), Is.EqualTo(Small.Arms));
            Assert.That(seed.Donor, Has.Count.EqualTo(2));
            foreach (ArmResult arm in seed.Arms)
            {
                Assert.That(arm.Last.Samples, Is.EqualTo(70));
                Assert.That(arm.Last.Robust, Is.LessThanOrEqualTo(arm.Last.Clean));
                Assert.That(arm.Last.LargestPerturbation, Is.LessThanOrEqualTo(0.1));
                Assert.That(arm.History, Has.Count.EqualTo(arm.Arm == Arm.Dense ? 3 : 2));
                Assert.That(arm.PruningSeconds, arm.Arm == Arm.Dense ? Is.Zero : Is.GreaterThan(0));
                Assert.That(arm.Sparsity, arm.Arm == Arm.Dense ? Is.Zero : Is.EqualTo(0.8).Within(1e-3));
            }
        });
        ModelState ticket = WeightFile.Load(
            new RunFolder(Folder("run")).LastWeights(5, "ticket"), TicketRun.BuildModel(Small, Data)).State;
        int kept = seed.Sparsity.Sum(layer => layer.Kept), total = seed.Sparsity.Sum(layer => layer.Total);
        Assert.Multiple(() =>
        {
            Assert.That(total - kept, Is.EqualTo((int)Math.Round(0.8 * total)));
            Assert.That(
                ticket.PrunableWeights.ToArray().Count(weight => weight != 0), Is.LessThanOrEqualTo(kept),
                "a pruned weight moved");
        });
    }

    [Test]
    public void A_run_that_is_stopped_again_and_again_ends_with_the_same_bits()
    {
        Execute(Small, "whole", threads: 2);
        int stops = 0;
        for (int patience = 3; ; patience += 4)
        {
            using var progress = new CountingProgress(patience);
            try
            {
                Execute(Small, "stopped", threads: 1 + stops % 2, progress, resume: stops > 0);
                break;
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }

        Assert.That(stops, Is.GreaterThan(5), "the run was hardly interrupted");
        Assert.That(Hashes("stopped"), Is.EqualTo(Hashes("whole")));
    }

    [Test]
    public void The_number_of_threads_and_the_folder_do_not_change_the_result()
    {
        RunConfiguration configuration = Small with { Arms = [Arm.Ticket] };
        Execute(configuration, "one", threads: 1);
        Execute(configuration, "three", threads: 3);

        Assert.That(Hashes("three"), Is.EqualTo(Hashes("one")));
    }

    [Test]
    public void Another_seed_gives_other_weights()
    {
        RunConfiguration configuration = Small with { Arms = [Arm.Dense], Seeds = 2 };
        RunResult result = Execute(configuration, "seeds", threads: 2);
        var folder = new RunFolder(Folder("seeds"));

        Assert.That(result.Seeds.Select(seed => seed.Seed), Is.EqualTo(new ulong[] { 5, 6 }));
        Assert.That(Hash(folder.Initial(5)), Is.Not.EqualTo(Hash(folder.Initial(6))));
    }

    [Test]
    public void A_folder_with_another_run_is_refused_and_left_alone()
    {
        RunConfiguration configuration = Small with { Arms = [Arm.Dense] };
        Execute(configuration, "run", threads: 2);
        string[] before = Hashes("run");

        ConfigurationException other = Assert.Throws<ConfigurationException>(
            () => Execute(configuration with { Seed = 6 }, "run", threads: 1, resume: true))!;
        ConfigurationException again = Assert.Throws<ConfigurationException>(
            () => Execute(configuration, "run", threads: 1))!;

        Assert.Multiple(() =>
        {
            Assert.That(other.Message, Does.Contain(Folder("run")).And.Contain("another out"));
            Assert.That(again.Message, Does.Contain("add resume"));
            Assert.That(Hashes("run"), Is.EqualTo(before));
        });
    }

    [Test]
    public void A_diverging_training_says_so_and_keeps_its_last_good_checkpoint()
    {
        RunConfiguration configuration = Small with
        {
            Arms = [Arm.Dense],
            Dense = Small.Dense with
            {
                Epochs = 4,
                Method = TrainingMethod.Natural,
                LearningRate = 100,
                WarmupFrom = 0,
                WarmupLength = StepLength.Parse("50%", "warmup"),
                LearningRateDrops = [],
                // A step multiplies weights by 1 - rate * decay: up to -99.
                WeightDecay = 1,
            },
        };

        DivergedException error = Assert.Throws<DivergedException>(() => Execute(configuration, "run", threads: 2))!;

        Assert.That(error.Message, Does.Contain("(dense.learningRate)"));
        foreach (string file in Directory.GetFiles(Folder("run"), "*.checkpoint.safetensors", SearchOption.AllDirectories))
        {
            using SafetensorsFile checkpoint = SafetensorsFile.Open(file);
            foreach (SafetensorsEntry entry in checkpoint.Tensors.Where(tensor => tensor.Type == SafetensorsType.F32))
            {
                float[] values = new float[entry.Length];
                checkpoint.Read<float>(entry, values);
                Assert.That(values, Has.All.Matches<float>(float.IsFinite), $"{entry.Name} in {file}");
            }
        }
    }

    [Test]
    public void Iterative_pruning_reaches_the_ratio_in_rounds()
    {
        RunConfiguration configuration = Small with
        {
            Arms = [Arm.Ticket],
            Pruning = new PruningSettings { Ratio = 0.75, Rounds = 2 },
        };
        using var progress = new CountingProgress();

        RunResult result = Execute(configuration, "run", threads: 2, progress);

        Assert.That(result.Seeds[0].Arms[0].Sparsity, Is.EqualTo(0.75).Within(1e-3));
        Assert.That(progress.Stages.Count(stage => stage.Contains("donor-", StringComparison.Ordinal)), Is.EqualTo(2));
    }

    [Test]
    public void Early_stopping_ends_a_training_that_no_longer_improves()
    {
        RunConfiguration configuration = Small with
        {
            Arms = [Arm.Dense],
            Dense = Small.Dense with
            {
                Epochs = 50,
                Method = TrainingMethod.Natural,
                LearningRate = 0,
                EarlyStopping = new EarlyStopping { Patience = 3 },
            },
        };

        ArmResult arm = Execute(configuration, "run", threads: 2).Seeds[0].Arms[0];

        Assert.Multiple(() =>
        {
            Assert.That(arm.BestEpoch, Is.EqualTo(1), "a rate of zero never improves");
            Assert.That(arm.EpochsRun, Is.EqualTo(4));
        });
    }

    private RunResult Execute(
        RunConfiguration configuration, string name, int threads, CountingProgress? progress = null, bool resume = false)
    {
        using CountingProgress? own = progress is null ? new CountingProgress() : null;
        progress ??= own!;
        using IBackend backend = CpuBackend.Create(threads);
        return new TicketRun(configuration, Folder(name), backend, Data, progress).Execute(resume, progress.Token);
    }

    private string Folder(string name) => Path.Combine(_root, name);

    // Weights, masks and tickets, not results with their times.
    private string[] Hashes(string name) =>
    [
        .. Directory.GetFiles(Folder(name), "*.safetensors", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(file)} {Hash(file)}"),
    ];

    private static string Hash(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
}
