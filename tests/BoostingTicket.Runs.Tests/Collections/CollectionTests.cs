using BoostingTicket.Runs.Collections;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Sweeps;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Runs.Tests.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Collections;

/// <summary>The runs under a folder: listed, compared, swept.</summary>
internal sealed class CollectionTests
{
    [Test]
    public void Runs_are_listed_by_how_far_they_are_and_broken_folders_say_why()
    {
        using var root = new TemporaryFolder();
        SampleFolder.Write(SampleRun.Create(2, arms: [Arm.Dense, Arm.Ticket]), root["done"]);
        SampleFolder.WriteInterrupted(SampleRun.Create(1, arms: [Arm.Dense, Arm.Ticket]), Path.Combine(root["deep"], "stopped"));
        string held = SampleFolder.WriteInterrupted(SampleRun.Create(1), root["held"]);
        Directory.CreateDirectory(Path.Combine(root["lost"], "seed-0"));
        Directory.CreateDirectory(root["nothing"]);
        SampleFolder.Write(SampleRun.Create(1), root["bad"]);
        File.WriteAllText(new RunFolder(root["bad"]).SeedResult(0), "{");
        Directory.CreateDirectory(root["experiment"]);
        File.WriteAllText(Path.Combine(root["experiment"], "experiment.json"), "[]");
        IReadOnlyList<RunEntry> entries;
        using (RunLock.Acquire(held))
            entries = RunListing.List(root.Path);

        RunEntry Only(string folder) => entries.Single(entry => entry.Folder == folder);
        Assert.Multiple(() =>
        {
            RunEntry[] done = [.. entries.Where(entry => entry.Folder == "done")];
            Assert.That(done.Select(entry => entry.Arm), Is.EqualTo(new Arm?[] { Arm.Dense, Arm.Ticket }));
            Assert.That(done, Has.All.Matches<RunEntry>(entry => entry is
            {
                State: RunState.Finished, Command: "run", Model: "lenet-16-32-128", DataSet: "synthetic-28", Seeds: 2,
                Problem: null,
            }));
            // Of SampleRun: 0.80 - 0.01 - 0.003 * seed; 40 s and a donor of 10 and 11 s.
            Assert.That(done[1].Clean, Is.EqualTo(0.7885).Within(1e-9));
            Assert.That(done[1].Robust, Is.EqualTo(0.5885).Within(1e-9));
            Assert.That(done[1].Seconds, Is.EqualTo(50.5).Within(1e-9));
            Assert.That(Only(Path.Combine("deep", "stopped")).State, Is.EqualTo(RunState.Interrupted));
            Assert.That(Only(Path.Combine("deep", "stopped")).Arm, Is.EqualTo(Arm.Dense));
            Assert.That(Only("held").State, Is.EqualTo(RunState.Running));
            foreach (string folder in (string[])["lost", "bad", "experiment"])
            {
                Assert.That(Only(folder).State, Is.EqualTo(RunState.Broken), folder);
                Assert.That(Only(folder).Problem, Does.Contain(folder).And.Match("delete it|name the folder"));
            }
            Assert.That(entries.Select(entry => entry.Folder), Has.None.EqualTo("nothing"));
        });
    }

    [Test]
    public void A_folder_is_seen_in_use_only_while_it_is()
    {
        using var root = new TemporaryFolder();
        Assert.That(RunLock.IsHeld(root.Path), Is.False);
        using (RunLock.Acquire(root.Path))
        {
            Assert.That(RunLock.IsHeld(root.Path), Is.True);
            // To look takes nothing away.
            Assert.That(RunLock.IsHeld(root.Path), Is.True);
        }
        Assert.That(RunLock.IsHeld(root.Path), Is.False);
        // As a killed process leaves it.
        File.WriteAllText(Path.Combine(root.Path, RunLock.OwnerFileName), "1\n");
        Assert.That(RunLock.IsHeld(root.Path), Is.False);
    }

    [Test]
    public void A_comparison_has_settings_that_differ_intervals_and_curves_over_seconds()
    {
        using var root = new TemporaryFolder();
        RunResult first = SampleRun.Create(2, arms: [Arm.Dense, Arm.Ticket]), other = SampleRun.Create(1, arms: [Arm.Ticket]);
        other = other with
        {
            Configuration = other.Configuration with
            {
                Pruning = other.Configuration.Pruning with { Ratio = 0.9 },
                Retrain = other.Configuration.Retrain with { LearningRateDrops = [0.25] },
            },
            Environment = new Dictionary<string, string> { ["device"] = "cuda: another" },
        };
        ComparedRuns runs = ComparedRuns.Of(
            [SampleFolder.Write(first, Path.Combine(root["x"], "r")), SampleFolder.WriteInterrupted(
                other, Path.Combine(root["y"], "r"))]);

        Assert.Multiple(() =>
        {
            Assert.That(runs.Runs.Select(run => run.Name), Is.EqualTo(new[] { "x/r", "y/r" }));
            Assert.That(
                runs.Settings.Select(setting => setting.Name),
                Is.EqualTo(new[] { "seeds", "arms", "pruning.ratio", "retrain.learningRateDrops", "device" }));
            Assert.That(runs.Settings[2].Values, Is.EqualTo(new[] { "0.8", "0.9" }));
            Assert.That(runs.Settings[3].Values[1], Is.EqualTo("0.25"));
            Assert.That(runs.Rows, Has.Count.EqualTo(3));
            Assert.That(runs.Rows[0].Clean.Mean, Is.EqualTo(0.7985).Within(1e-9));
            Assert.That(
                runs.Rows[0].CleanInterval, Is.EqualTo(WilsonInterval.Of(798, 1_000)).Or.EqualTo(WilsonInterval.Of(799, 1_000)));
            // 40 s of training, and those of the donor.
            Assert.That(runs.Rows[1].Seconds!.Value.Mean, Is.EqualTo(50.5).Within(1e-9));
            Assert.That(runs.Figure!.Panels.Select(panel => panel.Series.Count), Is.EqualTo(new[] { 3, 3 }));
            // An epoch of SampleRun trains for 4.4 s; the ticket's curve begins behind its donors of 10 and 11 s.
            Assert.That(runs.Figure.Panels[0].Series[0].Points[1].X, Is.EqualTo(8.8).Within(1e-9));
            Assert.That(runs.Figure.Panels[0].Series[1].Points[0].X, Is.EqualTo(14.9).Within(1e-9));
            Assert.That(runs.Warnings, Has.Some.Contains("devices differ").And.Some.Contains("is not finished (interrupted)"));
        });
        string page = ComparisonTables.Page(runs, "boosting-ticket compare x y", root.Path);
        ReportTests.Parse(page);
        Assert.That(page, Does.Contain("pruning.ratio").And.Not.Contain("<script"));
    }

    [Test]
    public void What_cannot_be_compared_is_refused_by_name()
    {
        using var root = new TemporaryFolder();
        string run = SampleFolder.Write(SampleRun.Create(1), root["run"]);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => ComparedRuns.Of([run]), Throws.TypeOf<ConfigurationException>().With.Message.Contains("two folders"));
            Assert.That(
                () => ComparedRuns.Of([run, run]), Throws.TypeOf<ConfigurationException>().With.Message.Contains("twice"));
            Assert.That(
                () => ComparedRuns.Of([run, root["none"]]),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains(root["none"]));
            File.WriteAllText(new RunFolder(run).SeedResult(0), "{}");
            Assert.That(() => ComparedRuns.Of([run, root["none"]]), Throws.TypeOf<DamagedFileException>());
        });
    }

    [TestCase("ratio=0.5:0.9:0.1", "ratio", "0.5 0.6 0.7 0.8 0.9")]
    [TestCase("epochs=2:7:2", "epochs", "2 4 6")]
    [TestCase("epsilon=2/255,8/255", "epsilon", "2/255 8/255")]
    [TestCase("--method=pgd, trades", "method", "pgd trades")]
    [TestCase("learning-rate-drops=0.5;0.5,0.75", "learning-rate-drops", "0.5 0.5,0.75")]
    public void Ranges_and_lists_are_values(string text, string name, string values)
    {
        SweptOption option = SweptOption.Parse(text);
        Assert.That(option.Name, Is.EqualTo(name));
        Assert.That(string.Join(' ', option.Values), Is.EqualTo(values));
    }

    [TestCase("ratio", "NAME=VALUES")]
    [TestCase("ratio=", "NAME=VALUES")]
    [TestCase("ration=0.5", "did you mean 'ratio'")]
    [TestCase("ratio=0.5,0.5", "each of them once")]
    [TestCase("ratio=0.9:0.5:0.1", "FIRST:LAST:STEP")]
    [TestCase("ratio=0:1:0", "FIRST:LAST:STEP")]
    [TestCase("ratio=0:1:1e-9", "at most 1000")]
    [TestCase("dataset=mnist,cifar10", "the same in all points")]
    [TestCase("seeds=1,2", "the same in all points")]
    public void What_is_no_range_is_refused(string text, string remedy) => Assert.That(
        () => SweptOption.Parse(text), Throws.TypeOf<ConfigurationException>().With.Message.Contains(remedy));

    [Test]
    public void A_grid_has_every_combination_once()
    {
        SweptOption a = new("ratio", ["0.5", "0.9"]), b = new("epochs", ["1", "2", "3"]);
        Assert.That(
            SweptOption.Grid([a, b]).Select(point => string.Join('/', point)),
            Is.EqualTo(new[] { "0.5/1", "0.5/2", "0.5/3", "0.9/1", "0.9/2", "0.9/3" }));
        Assert.That(() => SweptOption.Grid([a, a]), Throws.TypeOf<ConfigurationException>());
        SweptOption many = new("steps", [.. Enumerable.Range(1, 600).Select(value => $"{value}")]);
        Assert.That(() => SweptOption.Grid([a, many]), Throws.TypeOf<ConfigurationException>().With.Message.Contains("1,200"));
    }
}
