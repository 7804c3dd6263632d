using System.Diagnostics;
using System.Text.Json;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Folders;

namespace BoostingTicket.Cli.Tests;

[Parallelizable]
internal sealed class ExperimentTests
{
    private static readonly string Table = Path.Combine("table2", "results.csv");
    private const int KillSeed = 4711;

    private string _folder = "";

    /// <summary>Settings with which an experiment takes a moment.</summary>
    private static string[] Tiny(string name, string epochs = "2") =>
    [
        "experiment", name, "--epochs", epochs, "--seeds", "1", "--steps", "1",
        "--probe-steps", "1", "--rounds", "2", "--threads", "1", "--device", "cpu",
        // Figure 5 is about WideResNets, up to 40 layers deep.
        .. name == "figure5"
            ? new[]
            {
                "--width", "1", "--dataset", "synthetic-32", "--batch", "32", "--train-samples", "80", "--validation-samples",
                "16",
            }
            // Of three and four channels no half can go.
            : [
                "--model", name == "speed" ? "lenet-8-8-32" : "lenet-3-4-8", "--dataset", "synthetic-28", "--train-samples",
                "240", "--validation-samples", "40",
            ],
        "--test-samples", name == "figure5" ? "16" : "40",
    ];

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("experiment-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(typeof(ExperimentCatalog), nameof(ExperimentCatalog.Names))]
    public void Every_experiment_runs_to_its_end_and_computes_nothing_twice(string name)
    {
        CommandResult first = CommandLine.Run([.. Tiny(name), "--json", "--out", _folder]);
        Assert.That(first.Code, Is.Zero, first.Error);
        JsonElement result = first.Json().GetProperty("result");
        bool isPapers = name != "speed";
        Assert.That(result.GetProperty("caveat").GetString(), isPapers
            ? Does.StartWith("Not comparable with the paper in absolute terms") : Is.Null);
        JsonElement[] rows = [.. result.GetProperty("rows").EnumerateArray()];
        foreach (JsonElement row in rows.Where(row => row.GetProperty("paper").ValueKind == JsonValueKind.Object))
        {
            double paper = row.GetProperty("paper").GetProperty("value").GetDouble(),
            ours = row.GetProperty("ours").GetProperty("mean").GetDouble();
            Assert.That(row.GetProperty("difference").GetDouble(), Is.EqualTo(ours - paper).Within(1e-9));
        }
        bool isFigure = name.StartsWith("figure", StringComparison.Ordinal) || !isPapers;
        Assert.That(rows.Length > 0 || isFigure);
        JsonElement figure = result.GetProperty("figure");
        Assert.That(figure.ValueKind, Is.EqualTo(isFigure ? JsonValueKind.Object : JsonValueKind.Null));
        if (isFigure)
        {
            JsonElement[] series = [.. figure.GetProperty("panels").EnumerateArray().SelectMany(
                panel => panel.GetProperty("series").EnumerateArray())];
            Assert.That(series, Is.Not.Empty);
            Assert.That(series.Select(curve => curve.GetProperty("points").GetArrayLength()), Is.All.Positive);
            Assert.That(series.SelectMany(curve => curve.GetProperty("points").EnumerateArray()).Select(
                point => point.GetProperty("y").GetDouble()), Is.All.InRange(0, 100));
        }
        foreach (JsonElement ticket in result.GetProperty("tickets").EnumerateArray())
        {
            Assert.That(ticket.GetProperty("startDistance").GetDouble(), Is.Positive);
            Assert.That(ticket.GetProperty("donorDistance").GetDouble(), Is.Positive);
        }
        string[] expected = [
            "environment.json", "experiment.json", "metrics.csv", "report.html", "result.json", "summary.md", "tickets.csv"];
        string[] files = [.. Directory.GetFiles(Path.Combine(_folder, name)).Select(file => Path.GetFileName(file))];
        Assert.That(files, Is.SupersetOf(expected));
        foreach (string drawn in new[] { "figure.csv", $"{name}.png", $"{name}.svg" })
            Assert.That(files.Contains(drawn), Is.EqualTo(isFigure), drawn);
        Assert.That(files.Contains("results.csv"), Is.EqualTo(rows.Length > 0 || !isPapers));
        Assert.That(Directory.GetFiles(_folder, "*.checkpoint.safetensors", SearchOption.AllDirectories), Is.Empty);

        CommandResult second = CommandLine.Run([.. Tiny(name), "--json", "--out", _folder]);
        Assert.That(second.Code, Is.Zero, second.Error);
        Assert.That(second.Error, Does.Not.Contain("epoch"), "something was trained again");
        Assert.That(second.Json().GetProperty("result").GetRawText(), Is.EqualTo(result.GetRawText()));
    }

    [Test]
    public void Experiments_under_one_folder_share_their_parts()
    {
        Assert.That(CommandLine.Run([.. Tiny("table1"), "--quiet", "--out", _folder]).Code, Is.Zero);
        string[] before = Directory.GetDirectories(Path.Combine(_folder, "store"));
        // The same trainings, shown epoch by epoch.
        Assert.That(CommandLine.Run([.. Tiny("figure2"), "--quiet", "--out", _folder]).Code, Is.Zero);
        Assert.That(Directory.GetDirectories(Path.Combine(_folder, "store")), Is.EquivalentTo(before));
        // Its boosting donor is there; a control and another ratio are not.
        Assert.That(CommandLine.Run([.. Tiny("figure4"), "--quiet", "--out", _folder]).Code, Is.Zero);
        string[] after = Directory.GetDirectories(Path.Combine(_folder, "store"));
        Assert.That(after, Is.SupersetOf(before));
        string points = File.ReadAllText(Path.Combine(_folder, "figure4", "figure.csv"));
        Assert.That(points, Does.Contain("\"boosting ticket, epoch 1\",80,").And.Contain("\"random init, epoch 2\",95,"));
    }

    [Test]
    public void Plan_lists_what_is_to_do_and_writes_nothing()
    {
        string folder = Path.Combine(_folder, "new");
        CommandResult plan = CommandLine.Run([.. Tiny("table2"), "--plan", "--json", "--out", folder]);
        Assert.That(plan.Code, Is.Zero, plan.Error);
        Assert.That(Directory.Exists(folder), Is.False);
        JsonElement json = plan.Json();
        Assert.That(json.GetProperty("nodes").EnumerateArray().Select(
            node => node.GetProperty("done").GetBoolean()), Is.Not.Empty.And.All.False);
        Assert.That(
            json.GetProperty("secondsLeft").GetDouble(), Is.Positive.And.EqualTo(json.GetProperty("secondsInAll").GetDouble()));
        foreach (JsonElement step in json.GetProperty("steps").EnumerateArray())
            Assert.That(step.GetProperty("stepSeconds").GetDouble(), Is.Positive);
        Assert.That(json.GetProperty("steps").EnumerateArray().Select(
            step => step.GetProperty("method").GetString()).Distinct(), Is.EquivalentTo(new[] { "fgsm", "pgd" }));

        Assert.That(CommandLine.Run([.. Tiny("table2"), "--quiet", "--out", folder]).Code, Is.Zero);
        CommandResult done = CommandLine.Run([.. Tiny("table2"), "--plan", "--out", folder]);
        Assert.That(done.Out, Does.Contain("0 of ").And.Contain("parts to do, about 0 s").And.Not.Contain("to do  "));
    }

    [Test]
    public void Interrupted_experiment_says_how_to_go_on()
    {
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("epoch 1/2", StringComparison.Ordinal))
                source.Cancel();
        });
        CommandResult interrupted = CommandLine.Run(watcher, source.Token, [.. Tiny("table1"), "--out", _folder]);
        Assert.That(interrupted.Code, Is.EqualTo(130));
        Assert.That(interrupted.Error, Does.Contain("to continue, repeat: boosting-ticket experiment table1").And.Contain(
            $"--out {_folder}"));
        Assert.That(Directory.GetFiles(_folder, "*.checkpoint.safetensors", SearchOption.AllDirectories), Has.Length.EqualTo(1));
    }

    [TestCase(1)]
    [LongTestCase(5)]
    public void Killed_at_random_instants_and_repeated_an_experiment_ends_with_the_same_bits(int times)
    {
        string whole = Path.Combine(_folder, "whole"), killed = Path.Combine(_folder, "killed");
        var clock = Stopwatch.StartNew();
        AssertEndsWell(Start(whole));
        double seconds = clock.Elapsed.TotalSeconds;
        var random = new Random(KillSeed);
        for (int kill = 0; kill < times;)
        {
            using Process process = Start(killed);
            if (process.WaitForExit(TimeSpan.FromSeconds((0.3 + random.NextDouble()) * seconds / 3)))
            {
                AssertEndsWell(process);
                Assert.That(KeptFiles.Of(killed, Table), Is.EqualTo(KeptFiles.Of(whole, Table)));
                Directory.Delete(killed, recursive: true);
                continue;
            }
            process.Kill();
            process.WaitForExit();
            kill++;
        }
        AssertEndsWell(Start(killed));
        Assert.That(KeptFiles.Of(killed, Table), Is.EqualTo(KeptFiles.Of(whole, Table)), $"instants from seed {KillSeed}");
    }

    [TestCase("tabel1", null, "There is no experiment 'tabel1'; did you mean 'table1'?")]
    [TestCase("figure10", null, "There is no experiment 'figure10'; did you mean 'figure1'?")]
    [TestCase("table1", "0", "--scale is 0; choose a value above 0 and up to 1")]
    [TestCase("table1", "1.5", "--scale is 1.5; choose a value above 0 and up to 1")]
    [TestCase("table1", "NaN", "--scale is 'NaN', which is not a number")]
    [TestCase("table1", "half", "--scale is 'half', which is not a number; give one such as 0.1.")]
    public void Unknown_names_and_scales_are_refused(string name, string? scale, string message)
    {
        CommandResult result = CommandLine.Run(
            ["experiment", name, "--out", _folder, .. scale is null ? [] : new[] { "--scale", scale }]);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.StartWith(message));
        Assert.That(Directory.EnumerateFileSystemEntries(_folder), Is.Empty);
    }

    [TestCase("table5", "--width", "8", "--width does not apply to table5")]
    [TestCase("figure5", "--model", "lenet", "--model does not apply to figure5")]
    [TestCase("table1", "--epochs", "many", "--epochs is 'many'; give a whole number from 1 on.")]
    [TestCase("table1", "--epochs", "0", "--epochs is 0; choose a value from 1")]
    [TestCase("table1", "--model", "vgg17", "There is no model 'vgg17'; did you mean 'vgg16'?")]
    public void Options_that_do_not_fit_are_refused(string name, string option, string value, string message)
    {
        CommandResult result = CommandLine.Run("experiment", name, "--dataset", "synthetic-32", "--scale", "0.1", option, value,
            "--device", "cpu", "--out", Path.Combine(_folder, "new"));
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain(message));
        Assert.That(Directory.Exists(Path.Combine(_folder, "new", "store")), Is.False);
    }

    [Test]
    public void Other_settings_than_before_are_refused()
    {
        Assert.That(CommandLine.Run([.. Tiny("table5"), "--quiet", "--out", _folder]).Code, Is.Zero);
        CommandResult result = CommandLine.Run([.. Tiny("table5"), "--ratio", "0.5", "--out", _folder]);
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("holds this experiment with other settings").And.Contain(
            "experiment.json").And.Contain("choose another --out"));
    }

    [Test]
    public void Folder_in_use_is_refused()
    {
        using var taken = RunLock.Acquire(_folder);
        CommandResult result = CommandLine.Run([.. Tiny("table5"), "--out", _folder]);
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(
            result.Error, Does.Contain($"The folder {_folder} is in use by another run (process {Environment.ProcessId})"));
    }

    [Test]
    public void Folder_of_a_run_is_refused()
    {
        File.WriteAllText(new RunFolder(_folder).Configuration, "{}");
        CommandResult result = CommandLine.Run([.. Tiny("table5"), "--out", _folder]);
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain($"The folder {_folder} holds a run, not experiments; choose another --out."));
    }

    [Test]
    public void Damaged_result_of_a_part_is_named()
    {
        Assert.That(CommandLine.Run([.. Tiny("table5"), "--quiet", "--out", _folder]).Code, Is.Zero);
        string damaged = Directory.GetFiles(Path.Combine(_folder, "store"), "result.json", SearchOption.AllDirectories).First(
            file => file.Contains("test-", StringComparison.Ordinal));
        File.WriteAllText(damaged, "{");
        CommandResult result = CommandLine.Run([.. Tiny("table5"), "--out", _folder]);
        Assert.That(result.Code, Is.EqualTo(6));
        Assert.That(result.Error, Does.Contain($"The file {damaged} is damaged"));
        File.Delete(damaged);
        Assert.That(CommandLine.Run([.. Tiny("table5"), "--quiet", "--out", _folder]).Code, Is.Zero);
    }

    [Test]
    public void Table4_has_the_numbers_of_the_paper()
    {
        CommandResult result = CommandLine.Run("experiment", "table4");
        Assert.That(result.Code, Is.Zero);
        string[] lines = result.Out.Split('\n');
        Assert.That(lines, Has.Some.Matches(@"^vgg16 +14,987,722 +29,975,444 +-14,987,722 .*57\.17 +114\.35 "));
        Assert.That(lines, Has.Some.Matches(@"^wrn-34-10 +46,160,474 +46,160,474 +0 .*176\.09 +176\.09 "));
        Assert.That(lines.Count(line => line.StartsWith("wrn-", StringComparison.Ordinal)), Is.EqualTo(8));
    }

    private static void AssertEndsWell(Process process) => Assert.That(ProgramProcess.Finish(process), Is.Zero);

    private static Process Start(string folder) => ProgramProcess.Start(
        [.. Tiny("table2", epochs: "40"), "--quiet", "--out", folder]);
}
