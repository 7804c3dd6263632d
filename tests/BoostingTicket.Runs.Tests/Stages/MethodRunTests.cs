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
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Every training method as donor, retraining and baseline of a whole run, with an averaged baseline, on a few hundred
/// generated images.</summary>
internal sealed class MethodRunTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 200, 40, seed: 3);

    private string _root = "";

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cpu",
        Seed = 5,
        Arms = [Arm.Dense, Arm.Ticket],
        Data = new DataSettings { ValidationSamples = 40 },
        Attack = new AttackSettings { Epsilon = 0.05, StepSize = 0.02, Steps = 2 },
        Evaluation = new EvaluationSettings
        {
            Attack = new AttackSettings { Epsilon = 0.05, StepSize = 0.02, Steps = 2 },
            ProbeSteps = 1,
            ProbeSamples = 40,
            BatchSize = 32,
        },
    };

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("method-run-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void A_run_by_any_method_keeps_its_masks_and_ends_with_the_same_bits_when_stopped([Values] TrainingMethod method)
    {
        var training = new TrainingSettings
        {
            Method = method,
            Epochs = 3,
            BatchSize = 32,
            LearningRate = 0.02,
            MethodOptions = new MethodSettings { Replays = 2, OuterSteps = 2, InnerSteps = 2 },
        };
        RunConfiguration configuration = Small with { Donor = training, Retrain = training, Dense = training with { Ema = 0.9 } };

        RunResult result = Execute(configuration, "whole");
        int stops = 0;
        for (int patience = 2; ; patience += 3)
        {
            using var progress = new CountingProgress(patience);
            try
            {
                Execute(configuration, "stopped", progress, resume: stops > 0);
                break;
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }

        Assert.That(stops, Is.GreaterThan(3), "the run was hardly interrupted");
        Assert.That(Hashes("stopped"), Is.EqualTo(Hashes("whole")));
        Assert.That(result.Seeds[0].Arms.Select(arm => arm.EpochsRun), Is.All.EqualTo(method == TrainingMethod.Free ? 2 : 3));
        Assert.That(
            result.Seeds[0].Arms.SelectMany(arm => arm.History).Select(epoch => epoch.TrainLoss),
            Is.All.GreaterThan(0).And.All.LessThan(30));
        var folder = new RunFolder(Path.Combine(_root, "whole"));
        var graph = TicketRun.BuildModel(configuration, Data);
        Ticket ticket = TicketFile.Load(folder.Ticket(5, "donor"), graph);
        ModelState trained = WeightFile.Load(folder.LastWeights(5, "ticket"), graph).State;
        Assert.That(
            Enumerable.Range(0, ticket.Mask.Length).Where(i => ticket.Mask.Values[i] == 0 && trained.Weights[i] != 0), Is.Empty);
        Assert.That(
            Enumerable.Range(0, ticket.Mask.Length).Count(i => trained.Weights[i] != ticket.Initial.Weights[i]),
            Is.GreaterThan(ticket.Mask.Kept / 2), "kept weights are trained");
    }

    /// <summary>At a rate of zero every epoch draws the same mask, so that five epochs are enough.</summary>
    [Test]
    public void Early_bird_ends_the_donor_when_masks_have_settled_also_after_a_stop()
    {
        var training = new TrainingSettings { Method = TrainingMethod.Fgsm, Epochs = 1, BatchSize = 32, LearningRate = 0.02 };
        RunConfiguration configuration = Small with
        {
            Arms = [Arm.Ticket],
            Donor = training with { Epochs = 9, LearningRate = 0 },
            Retrain = training,
            Pruning = new PruningSettings { EarlyBird = 0.1 },
        };

        SeedResult whole = Execute(configuration, "whole").Seeds[0];
        using (var stop = new CountingProgress(cancelAfter: 6))
            Assert.Throws<OperationCanceledException>(() => Execute(configuration, "stopped", stop));
        SeedResult stopped = Execute(configuration, "stopped", resume: true).Seeds[0];
        SeedResult never = Execute(
            configuration with { Pruning = new PruningSettings { EarlyBird = 0 } }, "never").Seeds[0];

        Assert.That((whole.EarlyBirdEpoch, whole.Donor.Count), Is.EqualTo(((int?)5, 5)));
        Assert.That((stopped.EarlyBirdEpoch, stopped.Donor.Count), Is.EqualTo(((int?)5, 5)));
        Assert.That((never.EarlyBirdEpoch, never.Donor.Count), Is.EqualTo(((int?)null, 9)), "no distance is below zero");
        Assert.That(whole.Arms[0].PruningSeconds, Is.GreaterThan(whole.Donor.Sum(epoch => epoch.Times.Training)));
    }

    /// <summary>LeNet has 431,080 parameters: 1.6 MiB for an average, and as much for sums of gradients.</summary>
    [TestCase(TrainingMethod.Natural, null, 0)]
    [TestCase(TrainingMethod.Natural, 0.9, 2)]
    [TestCase(TrainingMethod.Yopo, null, 2)]
    [TestCase(TrainingMethod.Trades, 0.9, 3)]
    public void Memory_that_a_method_keeps_is_said_before_the_run(TrainingMethod method, double? ema, int mebibytes)
    {
        using var progress = new CountingProgress();
        Execute(
            Small with
            {
                Model = "lenet",
                Arms = [Arm.Dense],
                Dense = new TrainingSettings { Method = method, Ema = ema, Epochs = 0 },
            },
            "run", progress);

        Assert.That(progress.Notes, Has.Some.StartsWith("Memory: ").And.Some.EndsWith($", method {mebibytes})"));
    }

    [Test]
    public void Settings_of_methods_out_of_range_name_their_option()
    {
        Assert.Multiple(() =>
        {
            Refuse(Small with { Donor = new TrainingSettings { MethodOptions = new MethodSettings { Replays = 0 } } },
                "donor.methodOptions.replays");
            Refuse(Small with { Retrain = new TrainingSettings { MethodOptions = new MethodSettings { Beta = -1 } } },
                "retrain.methodOptions.beta");
            Refuse(Small with { Dense = new TrainingSettings { Ema = 1 } }, "dense.ema");
            Refuse(Small with { Pruning = new PruningSettings { EarlyBird = 2 } }, "pruning.earlyBird");
        });

        static void Refuse(RunConfiguration configuration, string option) =>
            Assert.That(Assert.Throws<ConfigurationException>(configuration.Validate)!.Message, Does.Contain(option + " "));
    }

    [TestCase("fgsm-rs", TrainingMethod.FgsmRs)]
    [TestCase("n-fgsm", TrainingMethod.NFgsm)]
    [TestCase("free", TrainingMethod.Free)]
    [TestCase("yopo", TrainingMethod.Yopo)]
    [TestCase("trades", TrainingMethod.Trades)]
    public void Methods_and_their_settings_have_options(string word, TrainingMethod method)
    {
        RunConfiguration configuration = new ConfigurationSources(null, null,
        [
            (ConfigurationOptions.Find("method"), word), (ConfigurationOptions.Find("replays"), "4"),
            (ConfigurationOptions.Find("ema"), "0.999"), (ConfigurationOptions.Find("donor-ema"), "none"),
            (ConfigurationOptions.Find("donor-early-bird"), "0.1"), (ConfigurationOptions.Find("dense-beta"), "3"),
        ]).Compose();

        Assert.Multiple(() =>
        {
            Assert.That((configuration.Retrain.Method, configuration.Dense.Method), Is.EqualTo((method, method)));
            Assert.That(configuration.Donor.Method, Is.EqualTo(TrainingMethod.Fgsm));
            Assert.That((configuration.Donor.Ema, configuration.Retrain.Ema), Is.EqualTo(((double?)null, (double?)0.999)));
            Assert.That((configuration.Retrain.MethodOptions.Beta, configuration.Dense.MethodOptions.Beta), Is.EqualTo((6d, 3d)));
            Assert.That(configuration.Donor.MethodOptions.Replays, Is.EqualTo(4));
            Assert.That(configuration.Pruning.EarlyBird, Is.EqualTo(0.1));
        });
    }

    private RunResult Execute(RunConfiguration configuration, string name, CountingProgress? progress = null, bool resume = false)
    {
        using CountingProgress? own = progress is null ? new CountingProgress() : null;
        progress ??= own!;
        using IBackend backend = CpuBackend.Create(1);
        return new TicketRun(configuration, Path.Combine(_root, name), backend, Data, progress).Execute(resume, progress.Token);
    }

    private string[] Hashes(string name) =>
    [
        .. Directory.GetFiles(Path.Combine(_root, name), "*.safetensors", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(file)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}"),
    ];
}
