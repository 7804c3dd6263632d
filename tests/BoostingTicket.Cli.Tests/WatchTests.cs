using BoostingTicket.Cli.Progress;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Tests;

/// <summary>What a user sees of a training while and after it goes.</summary>
internal sealed class WatchTests
{
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _root = "";

    private string this[string name] => Path.Combine(_root, name);

    [SetUp]
    public void CreateFolder() => _root = Directory.CreateTempSubdirectory("watch-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Train_and_retrain_leave_metrics_report_summary_and_event_files()
    {
        CommandResult trained = CommandLine.Run(["train", .. Tiny, "--out", this["donor"], "--json"]);
        CommandLine.Run("prune", Path.Combine(this["donor"], "seed-0", "train.last.safetensors"), "--out", this["t.safetensors"]);
        CommandResult retrained = CommandLine.Run(
            "retrain", this["t.safetensors"], "--out", this["ticket"], "--epochs", "2", "--tensorboard", this["events"]);
        Assert.Multiple(() =>
        {
            Assert.That(trained.Code, Is.Zero, trained.Error);
            Assert.That(trained.Json().GetProperty("report").GetString(), Is.EqualTo(Path.Combine(this["donor"], "report.html")));
            Assert.That(retrained.Code, Is.Zero, retrained.Error);
            Assert.That(retrained.Out, Does.Contain("Report: "));
            foreach ((string folder, string stage) in ((string, string)[])[(this["donor"], "train"), (this["ticket"], "retrain")])
            {
                string[] lines = File.ReadAllLines(Path.Combine(folder, "metrics.csv"));
                Assert.That(lines.Skip(1).Select(line => line[..(stage.Length + 4)]), Is.EqualTo(new[]
                {
                    $"0,{stage},1", $"0,{stage},2",
                }));
                string report = File.ReadAllText(Path.Combine(folder, "report.html"));
                Assert.That(report, Does.Contain("Training of one network").And.Not.Contain("http-equiv=\"refresh\""));
                Assert.That(File.ReadAllText(Path.Combine(folder, "summary.md")), Does.Contain("| arm |"));
            }
            Assert.That(Directory.GetFiles(Path.Combine(this["donor"], "tensorboard", "seed-0", "train")), Has.Length.EqualTo(1));
            Assert.That(Directory.GetFiles(Path.Combine(this["events"], "seed-0", "retrain")), Has.Length.EqualTo(1));
            Assert.That(Directory.Exists(Path.Combine(this["ticket"], "tensorboard")), Is.False);
        });
    }

    [Test]
    public void An_interrupted_training_names_the_command_with_its_folder_of_event_files()
    {
        using var stop = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("epoch 1/2", StringComparison.Ordinal))
                stop.Cancel();
        });
        CommandResult result = CommandLine.Run(
            watcher, stop.Token, ["train", .. Tiny, "--out", this["run"], "--tensorboard", "none"]);
        string report = File.ReadAllText(Path.Combine(this["run"], "report.html"));
        Assert.That(result.Code, Is.EqualTo(130), result.Error);
        Assert.That(result.Error, Does.Contain("train --tensorboard none --resume --out"));
        Assert.That(report, Does.Contain("Interrupted and saved").And.Contain("train --tensorboard none --resume --out"));
        Assert.That(Directory.Exists(Path.Combine(this["run"], "tensorboard")), Is.False);
    }

    [Test]
    public void The_live_line_shows_run_epoch_loss_accuracies_and_rate_and_leaves_out_what_has_no_room()
    {
        var line = new LiveLine { RunLeft = 125 };
        line.Step(1, 100, 500, 7);
        Assert.That(line.Text(80), Is.EqualTo("2 min 05 s left of the run · 500 images/s · stage 7 s"));
        line.Epoch(new EpochRecord(2, 0.05, 0.7512, 0.8, 0.905, 0.6, default), 10);
        line.Step(25, 100, 500, 7);
        Assert.Multiple(() =>
        {
            Assert.That(line.Text(200), Is.EqualTo(
                "2 min 05 s left of the run · epoch 3/10 · loss 0.751 · val 90.5 % · robust 60.0 % · rate 0.05 · 500 images/s"
                + " · stage 7 s"));
            Assert.That(line.Text(60), Is.EqualTo("2 min 05 s left of the run · epoch 3/10 · loss 0.751"));
            Assert.That(line.Text(0), Is.EqualTo("2 min 05 s left of the run"));
        });
        line.Begin();
        Assert.That(line.Text(200), Is.Empty);
    }
}
