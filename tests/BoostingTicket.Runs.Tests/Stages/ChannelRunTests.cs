using System.Security.Cryptography;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Profiling;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Whole runs, single steps and profiles of tickets of channels, on a few hundred generated images.</summary>
internal sealed class ChannelRunTests
{
    private const ulong Seed = 5;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-32", 3, 16, 120, 40, seed: 3);
    private static readonly TrainingSettings Short =
        new() { Method = TrainingMethod.Fgsm, Epochs = 2, BatchSize = 32, LearningRate = 0.02 };

    private string _root = "";

    private static RunConfiguration Small => new()
    {
        Model = "resnet18-w4",
        Device = "cpu",
        Seed = Seed,
        Arms = [Arm.Dense, Arm.Ticket, Arm.Reinit, Arm.Shuffle],
        Data = new DataSettings { Name = "synthetic-32", ValidationSamples = 40 },
        Attack = new AttackSettings { Epsilon = 0.05, StepSize = 0.02, Steps = 1 },
        Donor = Short,
        Retrain = Short,
        Dense = Short,
        Pruning = new PruningSettings { Structure = "channel", Ratio = 0.5, ChannelMultiple = 1 },
        Evaluation = new EvaluationSettings { Attack = new() { Steps = 1 }, ProbeSteps = 1, ProbeSamples = 20, BatchSize = 32 },
    };

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("channel-run-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void A_run_that_is_stopped_again_and_again_ends_with_the_same_bits(
        [Values("channel", "channel,weight")] string structure, [Values(1, 2)] int rounds)
    {
        RunConfiguration configuration = Small with
        {
            Pruning = Small.Pruning with { Structure = structure, Rounds = rounds },
            Donor = Short with { Epochs = rounds == 1 ? 2 : 1 },
        };
        Execute(configuration, "whole");
        int stops = 0;
        for (int patience = 2; ; patience += 4)
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
    }

    [Test]
    public void Arms_are_small_networks_of_the_channels_that_they_are_of()
    {
        RunResult result = Execute(Small, "run");
        var folder = new RunFolder(Path.Combine(_root, "run"));
        NetworkGraph full = TicketRun.BuildModel(Small, Data);
        Ticket ticket = TicketFile.Load(folder.Ticket(Seed, "donor"), full);
        ModelState initial = WeightFile.Load(folder.Initial(Seed), full).State;
        ModelState donor = WeightFile.Load(folder.LastWeights(Seed, "donor"), full).State;
        Assert.Multiple(() =>
        {
            Assert.That(ticket.Initial.ContentEquals(ticket.Network.Take(initial)), "reset to initial values");
            Assert.That(
                ticket.Network.Channels!.Kept,
                Is.EqualTo(SubNetworkPruner.Draw(full, donor, Small.Pruning.Options(0.5)).Network.Channels!.Kept));
            foreach (string arm in (string[])["ticket", "reinit", "shuffle"])
            {
                SavedModel model = SavedModel.Load(folder.LastWeights(Seed, arm));
                Assert.That(model.Graph.Channels, Is.EqualTo(ticket.Network.Channels.Widths), arm);
                Assert.That(model.State.Weights.Count(weight => weight == 0), Is.LessThan(10), $"{arm} is dense");
            }

            Assert.That(SavedModel.Load(folder.LastWeights(Seed, "dense")).Graph.Channels, Is.Null);
            Assert.That(result.Seeds[0].Arms[1].Sparsity, Is.EqualTo(ticket.Network.Sparsity).And.GreaterThan(0.2));
            Assert.That(result.Seeds[0].Arms[1].Step!.MultiplyAdds, Is.EqualTo(ticket.Network.MultiplyAdds));
            Assert.That(result.Seeds[0].Arms[0].Step!.MultiplyAdds, Is.EqualTo(full.MultiplyAdds));
            Assert.That(
                result.Seeds[0].Arms[1].Step!.ForecastSeconds,
                Is.GreaterThan(0).And.LessThan(result.Seeds[0].Arms[0].Step!.ForecastSeconds!.Value));
            Assert.That(result.Seeds[0].Sparsity.Sum(layer => layer.Kept), Is.EqualTo(ticket.Mask.Kept));
        });
    }

    [Test]
    public void Weights_of_a_small_network_are_tested_attacked_and_trained_further_as_they_are()
    {
        string donor = Path.Combine(_root, "donor.safetensors"), initial = Path.Combine(_root, "initial.safetensors");
        string ticket = Path.Combine(_root, "ticket.safetensors"), mask = Path.Combine(_root, "mask.safetensors");
        NetworkGraph full = TicketRun.BuildModel(Small, Data);
        ModelFileMetadata metadata = ModelFileMetadata.Of(full, DataNormalization.For(Data.Train));
        WeightFile.Save(donor, Initialization.Draw(full.Table, 2), metadata);
        WeightFile.Save(initial, Initialization.Draw(full.Table, 1), metadata);
        using var progress = new CountingProgress();
        using IBackend backend = CpuBackend.Create(1);
        PruningReport report = new TicketPruning(Small, Data, progress).Execute(donor, initial, ticket);
        MaskFile.Save(mask, TicketFile.Load(ticket, full).Network, metadata);

        ArmResult direct = Retrain(ticket, null, "direct"), combined = Retrain(initial, mask, "combined");
        var folder = new RunFolder(Path.Combine(_root, "direct"));
        string weights = folder.LastWeights(Seed, TicketTraining.Stage);
        TestResult test = new WeightsTest(Small, backend, Data, progress).Execute(weights, default);
        RobustnessResult attacked = new WeightsAttack(Small, backend, Data, progress).Execute(
            weights, ["fgsm"], keepImages: false, null, resume: false, default).Result;
        TransferResult transfer = new WeightsTransfer(Small, backend, Data, progress).Execute([weights, donor], "fgsm", default);
        Assert.Multiple(() =>
        {
            Assert.That(report.KeptMultiplyAdds, Is.LessThanOrEqualTo(report.MultiplyAdds / 2));
            Assert.That(
                File.ReadAllBytes(new RunFolder(Path.Combine(_root, "combined")).LastWeights(Seed, TicketTraining.Stage)),
                Is.EqualTo(File.ReadAllBytes(weights)), "the same channels of the same weights");
            Assert.That(test.Clean, Is.EqualTo(direct.Last.Clean).And.EqualTo(combined.Last.Clean));
            Assert.That(attacked.Clean, Is.EqualTo(test.Clean));
            Assert.That(transfer, Is.Not.Null);
            Assert.That(
                () => new TicketPruning(Small, Data, progress).Execute(weights, initial, ticket),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains("channels were pruned from already"));
        });

        ArmResult Retrain(string file, string? other, string name) => new TicketTraining(Small, backend, Data, progress).Execute(
            file, other, Path.Combine(_root, name), resume: false, default);
    }

    [Test]
    public void Early_bird_watches_the_masks_that_channels_make()
    {
        RunConfiguration configuration = Small with
        {
            Arms = [Arm.Ticket],
            Donor = Short with { Epochs = 7, LearningRate = 0 },
            Pruning = Small.Pruning with { EarlyBird = 0.1 },
        };
        SeedResult seed = Execute(configuration, "run").Seeds[0];
        Assert.That((seed.EarlyBirdEpoch, seed.Donor.Count), Is.EqualTo(((int?)5, 5)), "at a rate of zero masks do not change");
    }

    [Test]
    public void A_small_network_asks_less_of_a_gpu()
    {
        RunConfiguration configuration = Small with
        {
            Model = "resnet18",
            Dense = Short with { Method = TrainingMethod.Pgd, BatchSize = 128 },
            Pruning = new PruningSettings { Structure = "channel" },
        };
        StepBudget dense = StepBudget.Count(configuration);
        StepBudget small = StepBudget.Count(configuration, new ProfileOptions(Sparsity: 0.5));
        TestContext.Out.WriteLine($"{dense}\n{small}");
        Assert.Multiple(() =>
        {
            Assert.That(small.Launches, Is.LessThanOrEqualTo(dense.Launches), "the same layers");
            Assert.That(small.KernelBytes, Is.LessThan(0.85 * dense.KernelBytes));
            Assert.That(small.LibraryBytes, Is.LessThan(0.85 * dense.LibraryBytes));
            Assert.That(small.LibraryOperations, Is.EqualTo(dense.LibraryOperations / 2).Within(2).Percent);
        });
    }

    [Test]
    public void Settings_that_contradict_each_other_are_refused_before_the_work()
    {
        foreach ((PruningSettings pruning, string words) in ((PruningSettings, string)[])
        [
            (new() { Structure = "channels" }, "structure"),
            (new() { Structure = "channel", ChannelRatio = 0.3 }, "pruning.channelRatio is for the structure channel,weight"),
            (new() { Structure = "channel", Ratio = 0.9999 }, "Channels cannot remove 0.9999"),
            (new() { ChannelMultiple = 0 }, "pruning.channelMultiple"),
            (new() { CostExponent = -1 }, "pruning.costExponent"),
        ])
        {
            Assert.That(
                () => Execute(Small with { Pruning = pruning }, "refused"),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains(words));
        }

        Assert.That(Directory.Exists(Path.Combine(_root, "refused")), Is.False);
    }

    private RunResult Execute(
        RunConfiguration configuration, string name, CountingProgress? progress = null, bool resume = false)
    {
        using CountingProgress? own = progress is null ? new CountingProgress() : null;
        progress ??= own!;
        using IBackend backend = CpuBackend.Create(2);
        return new TicketRun(configuration, Path.Combine(_root, name), backend, Data, progress).Execute(resume, progress.Token);
    }

    private string[] Hashes(string name) =>
    [
        .. Directory.GetFiles(Path.Combine(_root, name), "*.safetensors", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(file)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}"),
    ];
}
