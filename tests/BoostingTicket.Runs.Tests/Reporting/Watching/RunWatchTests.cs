using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.TensorBoard;
using BoostingTicket.Runs.Reporting.Watching;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Reporting.Watching;

/// <summary>What of a run can be seen while it goes: metrics, report, TensorBoard's files.</summary>
internal sealed class RunWatchTests
{
    private const string Refresh = "http-equiv=\"refresh\"", Command = "boosting-ticket run --out x",
    Again = "run --resume --out x";

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 200, 40, seed: 3);

    private string _root = "";

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cpu",
        Seed = 5,
        Seeds = 2,
        Arms = [Arm.Dense, Arm.Ticket],
        Data = new DataSettings { ValidationSamples = 40 },
        Pruning = new PruningSettings { Ratio = 0.5 },
        Donor = new TrainingSettings { Method = TrainingMethod.Fgsm, Epochs = 2, BatchSize = 40, LearningRate = 0.02 },
        Retrain = new TrainingSettings { Method = TrainingMethod.Natural, Epochs = 3, BatchSize = 40, LearningRate = 0.02 },
        Dense = new TrainingSettings { Method = TrainingMethod.Natural, Epochs = 3, BatchSize = 40, LearningRate = 0.02 },
        Evaluation = new EvaluationSettings { Attack = new AttackSettings { Steps = 1 }, ProbeSteps = 1, BatchSize = 40 },
    };

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("watch-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Metrics_grow_by_a_line_every_epoch_and_the_report_reloads_until_the_run_is_finished()
    {
        var folder = new RunFolder(Path.Combine(_root, "run"));
        var looks = new List<(int Epochs, int Lines, string Report)>();
        int epochs = 0;
        var progress = new LookingProgress
        {
            WhenEpoch = () => epochs++,
            WhenStage = () =>
            {
                if (File.Exists(folder.Report))
                    looks.Add((epochs, File.ReadAllLines(folder.Metrics).Length - 1, File.ReadAllText(folder.Report)));
            },
        };
        RunResult result = Run(Small, folder, progress);

        Assert.Multiple(() =>
        {
            // Of each seed two trainings of 3 epochs and a donor of 2; tests between them.
            Assert.That(epochs, Is.EqualTo(16));
            Assert.That(looks, Has.Count.GreaterThan(10));
            Assert.That(looks.Select(look => look.Lines), Is.EqualTo(looks.Select(look => look.Epochs)));
            Assert.That(looks, Has.All.Matches<(int, int, string Report)>(look => look.Report.Contains(Refresh)
                && look.Report.Contains("The run goes on") && look.Report.EndsWith("</html>\n", StringComparison.Ordinal)));
            Assert.That(looks.Select(look => look.Report), Has.Some.Contains("left of the whole run"));
            Assert.That(File.ReadAllText(folder.Metrics), Is.EqualTo(MetricsCsv.Write(result)));
        });
        RunReports.Write(folder, result, Command);
        Assert.That(File.ReadAllText(folder.Report), Does.Not.Contain(Refresh).And.Not.Contain("The run goes on"));
        ReportTests.Parse(looks[^1].Report);
    }

    [Test]
    public void An_interrupted_run_says_so_and_goes_on_without_double_or_lost_epochs()
    {
        var folder = new RunFolder(Path.Combine(_root, "run"));
        bool resume = false;
        string? stopped = null;
        RunResult? result = null;
        for (int rounds = 0; result is null && rounds < 60; rounds++)
        {
            using var progress = new CountingProgress(cancelAfter: 14);
            try
            {
                result = Run(Small, folder, progress, resume, progress.Token);
            }
            catch (OperationCanceledException)
            {
                stopped ??= File.ReadAllText(folder.Report);
                RequireNoDoubles(folder);
                // As a process leaves it that is killed in the middle of a line, and of a record.
                File.AppendAllText(folder.Metrics, "5,dense,");
                TearLastRecord(folder);
            }
            resume = true;
        }

        Assert.That(result, Is.Not.Null);
        Assert.That(stopped, Does.Contain("Interrupted and saved").And.Contain(Again).And.Not.Contain(Refresh));
        Assert.That(File.ReadAllText(folder.Metrics), Is.EqualTo(MetricsCsv.Write(result!)));
        foreach (SeedResult seed in result!.Seeds)
        {
            Assert.That(Steps(folder, seed.Seed, "donor"), Is.EqualTo(new long[] { 1, 2 }));
            foreach (string stage in (string[])["dense", "ticket"])
                Assert.That(Steps(folder, seed.Seed, stage), Is.EqualTo(new long[] { 1, 2, 3 }), stage);
        }
    }

    [Test]
    public void Event_files_hold_losses_accuracies_rates_seconds_sparsity_and_images()
    {
        var folder = new RunFolder(Path.Combine(_root, "run"));
        RunResult result = Run(Small with { Seeds = 1 }, folder, new LookingProgress());

        ArmResult ticket = result.Seeds[0].Arms[1];
        List<SeenEvent> events = EventRecords.ReadFolder(Path.Combine(folder.TensorBoard, "seed-5", "ticket"));
        List<SeenEvent> epochs = [.. events.Where(one => one.Numbers.ContainsKey("loss/training"))];
        SeenEvent images = events.Single(one => one.Images.Count > 0), test = events.Single(
            one => one.Numbers.ContainsKey("test/best_clean"));
        Assert.Multiple(() =>
        {
            Assert.That(epochs.Select(one => one.Step), Is.EqualTo(ticket.History.Select(epoch => (long)epoch.Epoch)));
            foreach ((SeenEvent seen, EpochRecord epoch) in epochs.Zip(ticket.History))
            {
                Assert.That(seen.Numbers["loss/training"], Is.EqualTo((float)epoch.TrainLoss));
                Assert.That(seen.Numbers["accuracy/training"], Is.EqualTo((float)epoch.TrainAccuracy));
                Assert.That(seen.Numbers["accuracy/validation_clean"], Is.EqualTo((float)epoch.ValidationClean));
                Assert.That(seen.Numbers["accuracy/validation_robust"], Is.EqualTo((float)epoch.ValidationRobust!.Value));
                Assert.That(seen.Numbers["learning_rate"], Is.EqualTo((float)epoch.LearningRate));
                Assert.That(
                    seen.Numbers["seconds/epoch"], Is.EqualTo((float)(epoch.Times.Training + epoch.Times.Evaluate)));
                foreach (LayerSparsity layer in result.Seeds[0].Sparsity)
                    Assert.That(
                        seen.Numbers[$"sparsity/{layer.Name}"], Is.EqualTo(1f - ((float)layer.Kept / layer.Total)).Within(1e-6));
                Assert.That(seen.Time, Is.EqualTo(DateTimeOffset.UtcNow.ToUnixTimeSeconds()).Within(600));
            }
            Assert.That(images.Images, Has.Count.EqualTo(16));
            Assert.That(images.Images.Keys, Has.Exactly(8).EndsWith("_clean").And.Exactly(8).EndsWith("_adversarial"));
            Assert.That(images.Images.Values, Has.All.Matches<(int Height, int Width, int Channels, byte[] Png)>(
                image => image is { Height: 28, Width: 28, Channels: 1 } && image.Png.AsSpan(1, 3).SequenceEqual("PNG"u8)));
            Assert.That(test.Numbers["test/best_robust"], Is.EqualTo((float)ticket.Best.Robust));
        });
    }

    [Test]
    public void TensorBoards_own_reader_sees_each_epoch_once_after_an_interruption()
    {
        string python = PythonWithTensorBoard();
        var folder = new RunFolder(Path.Combine(_root, "run"));
        RunConfiguration small = Small with { Seeds = 1, Arms = [Arm.Dense] };
        using (var progress = new CountingProgress(cancelAfter: 6))
            Assert.Throws<OperationCanceledException>(() => Run(small, folder, progress, false, progress.Token));
        TearLastRecord(folder);
        RunResult result = Run(small, folder, new LookingProgress(), resume: true);

        const string Script =
            """
            import sys
            from tensorboard.backend.event_processing import event_accumulator as ea
            seen = ea.EventAccumulator(sys.argv[1], size_guidance={ea.SCALARS: 0, ea.IMAGES: 0})
            seen.Reload()
            print([event.step for event in seen.Scalars("loss/training")])
            print(["%.9g" % event.value for event in seen.Scalars("loss/training")])
            print(len(seen.Tags()["images"]))
            """;
        string[] lines = Python(python, ["-c", Script, Path.Combine(folder.TensorBoard, "seed-5", "dense")]).Output.Split('\n');
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Is.EqualTo("[1, 2, 3]"));
            Assert.That(
                lines[1].Trim('[', ']').Split(", ").Select(value => float.Parse(
                    value.Trim('\''), System.Globalization.CultureInfo.InvariantCulture)),
                Is.EqualTo(result.Seeds[0].Arms[0].History.Select(epoch => (float)epoch.TrainLoss)));
            Assert.That(lines[2], Is.EqualTo("16"));
        });
    }

    [Test]
    public void A_disk_that_refuses_the_files_costs_a_warning_each_and_nothing_else()
    {
        RunConfiguration small = Small with { Seeds = 1 };
        var whole = new RunFolder(Path.Combine(_root, "whole"));
        Run(small, whole, new LookingProgress());
        var folder = new RunFolder(Path.Combine(_root, "refused"));
        // Folders where files should be, and a file where a folder should be.
        Directory.CreateDirectory(folder.Metrics);
        Directory.CreateDirectory(folder.Report);
        File.WriteAllText(folder.TensorBoard, "");
        using var progress = new CountingProgress();
        Run(small, folder, progress);

        Assert.Multiple(() =>
        {
            foreach (string path in (string[])[folder.Metrics, folder.Report, folder.TensorBoard])
                Assert.That(progress.Warnings.Count(warning => warning.Contains(path)), Is.EqualTo(1), path);
            Assert.That(
                File.ReadAllBytes(folder.LastWeights(5, "ticket")),
                Is.EqualTo(File.ReadAllBytes(whole.LastWeights(5, "ticket"))));
        });
    }

    [Test]
    public void Files_that_are_refused_for_a_time_are_whole_afterwards()
    {
        var folder = new RunFolder(Path.Combine(_root, "run"));
        string stage = Path.Combine(folder.TensorBoard, "seed-5", "dense");
        int epochs = 0;
        var progress = new LookingProgress
        {
            WhenEpoch = () =>
            {
                // After the first epoch of the first arm the files give way for one epoch.
                if (++epochs == 4)
                {
                    File.Delete(folder.Metrics);
                    Directory.CreateDirectory(folder.Metrics);
                }
                else if (epochs == 5)
                    Directory.Delete(folder.Metrics);
            },
        };
        RunResult result = Run(Small with { Seeds = 1 }, folder, progress);
        Assert.That(File.ReadAllText(folder.Metrics), Is.EqualTo(MetricsCsv.Write(result)));
        Assert.That(EventRecords.ReadFolder(stage), Is.Not.Empty);
    }

    [Test]
    public void A_single_training_leaves_metrics_report_and_summary()
    {
        var folder = new RunFolder(Path.Combine(_root, "train"));
        using IBackend backend = CpuBackend.Create(1);
        ArmResult arm = new DenseTraining(Small, backend, Data, new LookingProgress())
        {
            Watch = new RunWatch(new WatchOptions(Command, Again, folder.TensorBoard)),
        }.Execute(folder.Root, resume: false, default);
        string live = File.ReadAllText(folder.Report), metrics = File.ReadAllText(folder.Metrics);
        RunReports.WriteTraining(folder, Small, DenseTraining.Stage, arm, Command);

        Assert.Multiple(() =>
        {
            Assert.That(live, Does.Contain(Refresh));
            Assert.That(File.ReadAllText(folder.Metrics), Is.EqualTo(metrics));
            Assert.That(metrics.Split('\n')[1], Does.StartWith("5,train,1,"));
            Assert.That(
                File.ReadAllText(folder.Report),
                Does.Not.Contain(Refresh).And.Contain("Images before and after").And.Contain("trained with natural"));
            Assert.That(File.ReadAllText(folder.Summary), Does.Contain("| dense | ").And.Contain(Command));
        });
    }

    [Test]
    public void The_checksum_is_that_of_the_standard()
    {
        // RFC 3720, B.4: 32 bytes of zeros, of ones, ascending.
        Assert.That(EventRecords.Checksum(new byte[32]), Is.EqualTo(0x8a9136aau));
        byte[] ascending = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];
        Assert.That(EventRecords.Checksum(ascending), Is.EqualTo(0x46dd794eu));
        for (int length = 0; length <= 32; length++)
        {
            byte[] frame = RecordFormat.Frame(ascending.AsSpan(0, length));
            Assert.That(RecordFormat.Read(frame).Single().ToArray(), Is.EqualTo(ascending[..length]));
            Assert.That(RecordFormat.Read(frame.AsMemory(0, frame.Length - 1)), Is.Empty);
            frame[^5] ^= 1;
            Assert.That(RecordFormat.Read(frame), Is.Empty);
        }
    }

    private static RunResult Run(
        RunConfiguration configuration, RunFolder folder, IRunProgress progress, bool resume = false,
        CancellationToken cancellation = default)
    {
        using IBackend backend = CpuBackend.Create(1);
        return new TicketRun(configuration, folder.Root, backend, Data, progress)
        {
            Watch = new RunWatch(new WatchOptions(Command, Again, folder.TensorBoard)) { LeastSeconds = 0 },
        }.Execute(resume, cancellation);
    }

    private static long[] Steps(RunFolder folder, ulong seed, string stage) =>
    [
        .. EventFile.ReadAll(Path.Combine(folder.TensorBoard, $"seed-{seed}", stage))
            .Where(one => one.Values.Any(value => value.Tag == "loss/training")).Select(one => one.Step),
    ];

    private static void RequireNoDoubles(RunFolder folder)
    {
        if (!File.Exists(folder.Metrics))
            return;
        string[] keys = [.. File.ReadAllLines(folder.Metrics).Skip(1).Select(line => string.Join(',', line.Split(',').Take(3)))];
        Assert.That(keys, Is.Unique);
    }

    private static void TearLastRecord(RunFolder folder)
    {
        if (!Directory.Exists(folder.TensorBoard))
            return;
        string last = Directory.GetFiles(folder.TensorBoard, "*", SearchOption.AllDirectories)
            .OrderByDescending(File.GetLastWriteTimeUtc).First();
        using FileStream file = File.OpenWrite(last);
        file.SetLength(Math.Max(0, file.Length - 3));
    }

    private static string PythonWithTensorBoard()
    {
        const string Module = "tensorboard.backend.event_processing.event_accumulator";
        string? found = ((string[])["python3", "/usr/bin/python3"]).FirstOrDefault(
            python => Python(python, ["-c", $"import {Module}"]).Code == 0);
        if (found is null)
            Assert.Ignore("Python's tensorboard is not installed; pip has it as the package tensorboard.");
        return found!;
    }

    private static (int Code, string Output) Python(string python, string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(python) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string argument in arguments)
                start.ArgumentList.Add(argument);
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            process.WaitForExit();
            errors.Wait();
            return (process.ExitCode, output.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (-1, "");
        }
    }

    /// <summary>Calls back.</summary>
    private sealed class LookingProgress : IRunProgress
    {
        public Action? WhenEpoch { get; init; }

        public Action? WhenStage { get; init; }

        public void StageStarted(string stage, long totalSteps, long doneSteps) => WhenStage?.Invoke();

        public void StepsDone(long doneSteps, double samplesPerSecond)
        {
        }

        public void EpochDone(EpochRecord epoch, int totalEpochs) => WhenEpoch?.Invoke();

        public void StageFinished() => WhenStage?.Invoke();

        public void Note(string text)
        {
        }

        public void Warn(string text)
        {
        }
    }
}
