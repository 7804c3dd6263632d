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
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>What a folder may be continued with, and what is refused before anything is written.</summary>
internal sealed class ResumeTests
{
    private const ulong Seed = 5;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 200, 40, seed: 3);

    private string _root = "";

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cpu",
        Seed = Seed,
        Arms = [Arm.Ticket],
        Data = new DataSettings { ValidationSamples = 40 },
        Donor = new TrainingSettings { Method = TrainingMethod.Natural, Epochs = 1, BatchSize = 32, LearningRate = 0.02 },
        Retrain = new TrainingSettings { Method = TrainingMethod.Natural, Epochs = 3, BatchSize = 32, LearningRate = 0.02 },
        Dense = new TrainingSettings { Method = TrainingMethod.Natural, Epochs = 3, BatchSize = 32, LearningRate = 0.02 },
        Evaluation = new EvaluationSettings { Attack = new AttackSettings { Steps = 1 }, ProbeSteps = 0, BatchSize = 32 },
    };

    private RunFolder Folder => new(Path.Combine(_root, "out"));

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("resume-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void A_retraining_is_continued_with_its_own_ticket_only()
    {
        string own = SaveTicket("own", seed: 1, ratio: 0.5), other = SaveTicket("other", seed: 1, ratio: 0.7);
        using var interrupted = new CountingProgress(cancelAfter: 3);
        Assert.Throws<OperationCanceledException>(() => Retrain(own, interrupted));
        Assert.That(File.Exists(Folder.Checkpoint(Seed, TicketTraining.Stage)));
        byte[] initial = File.ReadAllBytes(Folder.Initial(Seed));

        using var progress = new CountingProgress();
        ConfigurationException refused = Assert.Throws<ConfigurationException>(() => Retrain(other, progress, resume: true))!;
        File.Delete(Folder.Command);
        ConfigurationException bound = Assert.Throws<ConfigurationException>(() => Retrain(other, progress, resume: true))!;
        File.Delete(Folder.Command);
        ArmResult result = Retrain(own, progress, resume: true);

        Assert.Multiple(() =>
        {
            Assert.That(
                refused.Message, Does.Contain("another ticket").And.Contain(Folder.Command).And.Contain("choose another out"));
            Assert.That(bound.Message, Does.Contain(Folder.Checkpoint(Seed, TicketTraining.Stage)));
            Assert.That(File.ReadAllBytes(Folder.Initial(Seed)), Is.EqualTo(initial));
            Assert.That(result.Sparsity, Is.EqualTo(0.5).Within(1e-3));
        });
    }

    [Test]
    public void A_folder_is_continued_by_its_own_command_only()
    {
        using var progress = new CountingProgress();
        using IBackend backend = CpuBackend.Create(1);
        new DenseTraining(Small, backend, Data, progress).Execute(Folder.Root, resume: false, progress.Token);

        ConfigurationException error = Assert.Throws<ConfigurationException>(() => Run(Small, resume: true))!;

        Assert.That(error.Message, Does.Contain("command 'train'").And.Contain("choose another out"));
        Assert.That(File.Exists(Folder.Result));
    }

    [Test]
    public void A_folder_in_use_is_called_that_whatever_its_settings()
    {
        Run(Small);
        using RunLock held = RunLock.Acquire(Folder.Root);

        ConfigurationException error = Assert.Throws<ConfigurationException>(() => Run(Small with { Seed = 6 }, resume: true))!;

        Assert.That(error.Message, Does.Contain("in use"));
    }

    [Test]
    public void Other_data_are_refused_and_another_device_is_warned_of()
    {
        Run(Small);
        DataSplit other = SyntheticImages.Generate("synthetic-28", 1, 28, 200, 40, seed: 4);
        ConfigurationException error = Assert.Throws<ConfigurationException>(() => Run(Small, resume: true, data: other))!;
        var environment = RunJson.Read<Dictionary<string, string>>(File.ReadAllText(Folder.Environment), Folder.Environment);
        environment["version"] = "0.0.1";
        environment["device"] = environment["device"].Replace("1 thread,", "7 threads,", StringComparison.Ordinal);
        File.WriteAllText(Folder.Environment, RunJson.Write(environment));
        using var progress = new CountingProgress();
        Run(Small, resume: true, progress: progress);

        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.StartWith("The training images are not those").And.Contain("choose another out"));
            Assert.That(progress.Warnings, Has.Count.EqualTo(1).And.Some.Contains("another version (0.0.1; now "));
        });
    }

    [Test]
    public void Checkpoints_of_stages_that_finished_are_cleared_away()
    {
        Run(Small);
        string[] left = [Folder.Checkpoint(Seed, "donor"), Folder.Checkpoint(Seed, "ticket")];
        foreach (string file in left)
            File.WriteAllText(file, "left by a process that was killed");
        File.Delete(Folder.SeedResult(Seed));

        Run(Small, resume: true);

        Assert.That(left.Where(File.Exists), Is.Empty);
    }

    [Test]
    public void A_resumed_stage_says_from_the_start_how_far_it_is()
    {
        RunConfiguration configuration = Small with { Arms = [Arm.Dense] };
        using var interrupted = new CountingProgress(cancelAfter: 3);
        Assert.Throws<OperationCanceledException>(() => Run(configuration, progress: interrupted));
        using var progress = new CountingProgress();

        Run(configuration, resume: true, progress: progress);

        // 160 samples in batches of 32; stopped after the first epoch at the earliest.
        Assert.That(interrupted.Done[0], Is.Zero);
        Assert.That(progress.Done[0], Is.InRange(5, 14));
    }

    [Test]
    public void The_split_is_recorded()
    {
        RunResult result = Run(Small);

        Assert.That(result.Seeds[0].SplitHash, Is.EqualTo(TrainValidationSplit.Create(200, 40, Seed).Hash));
    }

    [Test]
    public void What_cannot_work_is_refused_before_anything_is_written()
    {
        Assert.Multiple(() =>
        {
            Refuse(Small with { Initialization = "gloro" }, "glorot");
            Refuse(Small with { Pruning = new PruningSettings { Ratio = 0.9, MinimumKept = 1_000 } }, "cannot be reached");
            Refuse(
                Small with { Model = "vgg16-w4", Retrain = Small.Retrain with { BatchSize = 1 } }, "give retrain.batchSize 2");
            Refuse(
                Small with { Retrain = Small.Retrain with { EarlyStopping = new EarlyStopping { Robust = true } } },
                "retrain.earlyStopping.robust");
        });

        void Refuse(RunConfiguration configuration, string named)
        {
            ConfigurationException? error = Assert.Throws<ConfigurationException>(() => Run(configuration));
            Assert.That(error?.Message, Does.Contain(named));
            Assert.That(Directory.Exists(Folder.Root), Is.False, named);
        }
    }

    [Test]
    public void What_the_file_system_refuses_is_one_sentence()
    {
        Directory.CreateDirectory(Folder.Root);
        File.WriteAllText(Folder.Seed(Seed), "a file where a folder has to be");

        ConfigurationException error = Assert.Throws<ConfigurationException>(() => Run(Small))!;

        Assert.That(error.Message, Does.Contain(Folder.Seed(Seed)));
    }

    private string SaveTicket(string name, ulong seed, double ratio)
    {
        NetworkGraph graph = TicketRun.BuildModel(Small, Data);
        ModelState initial = Initialization.Draw(graph.Table, seed);
        Mask mask = PrunerCatalog.Find("global").Prune(initial, new PruningOptions(ratio)).Mask;
        string path = Path.Combine(_root, name + ".safetensors");
        TicketFile.Save(path, initial, mask, ModelFileMetadata.Of(graph, null));
        return path;
    }

    private ArmResult Retrain(string ticket, CountingProgress progress, bool resume = false)
    {
        using IBackend backend = CpuBackend.Create(1);
        return new TicketTraining(Small, backend, Data, progress).Execute(
            ticket, maskPath: null, Folder.Root, resume, progress.Token);
    }

    private RunResult Run(
        RunConfiguration configuration, bool resume = false, CountingProgress? progress = null, DataSplit? data = null)
    {
        using CountingProgress? own = progress is null ? new CountingProgress() : null;
        progress ??= own!;
        using IBackend backend = CpuBackend.Create(1);
        return new TicketRun(configuration, Folder.Root, backend, data ?? Data, progress).Execute(resume, progress.Token);
    }
}
