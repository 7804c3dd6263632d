using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary><c>experiment speed</c> on built-in images.</summary>
[Parallelizable]
internal sealed class SpeedExperimentTests
{
    private string _folder = "";

    private static string[] Tiny => TinyOf(epochs: "2");

    private static string[] TinyOf(string epochs) =>
    [
        "experiment", "speed", "--model", "lenet-8-8-32", "--dataset", "synthetic-28", "--train-samples", "1000",
        "--validation-samples", "40", "--test-samples", "50", "--epochs", epochs, "--steps", "2", "--step-size", "0.1",
        "--autoattack-samples", "0", "--threads", "1", "--device", "cpu",
    ];

    private string Own(string file) => Path.Combine(_folder, "speed", file);

    private string[] Lines(string file) => [.. File.ReadAllLines(Own(file)).Skip(1)];

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("speed-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_tickets_time_has_its_donors_in_it_and_other_programs_are_arms_too()
    {
        CommandResult first = CommandLine.Run([.. Tiny, "--arms", "ticket,channel", "--json", "--out", _folder]);
        Assert.That(first.Code, Is.Zero, first.Error);
        JsonElement speed = first.Json().GetProperty("result").GetProperty("speed");
        JsonElement[] rows = [.. speed.GetProperty("rows").EnumerateArray()];
        Assert.That(rows.Select(row => row.GetProperty("arm").GetString()), Is.EqualTo(new[] { "dense", "ticket", "channel" }));
        JsonElement dense = rows[0].GetProperty("seeds")[0];
        Assert.That(dense.GetProperty("reached").ValueKind, Is.EqualTo(JsonValueKind.Object), "its own accuracy");
        Assert.That(dense.GetProperty("target").GetDouble(), Is.EqualTo(dense.GetProperty("robust").GetDouble()));

        string[][] points = [.. Lines("courses.csv").Select(line => line.Split(','))];
        Assert.That(points.Select(fields => $"{fields[1]} {fields[3]}"), Is.EqualTo(
            new[] { "dense 1", "dense 2", "ticket 1", "ticket 2", "channel 1", "channel 2" }));
        double Seconds(int point) => double.Parse(points[point][5], CultureInfo.InvariantCulture);
        JsonElement[] trainings = [.. first.Json().GetProperty("result").GetProperty("trainings").EnumerateArray()];
        double Trained(string label) => trainings.Single(
            training => training.GetProperty("training").GetString()!.StartsWith(label, StringComparison.Ordinal))
            .GetProperty("record").GetProperty("history").EnumerateArray().Sum(
                epoch => epoch.GetProperty("work").GetProperty("wallSeconds").GetDouble());
        double donor = Trained("lenet-8-8-32 donor, fgsm");
        Assert.That(Seconds(1), Is.EqualTo(Trained("lenet-8-8-32 dense")).Within(1e-9));
        double[] pruning =
        [
            Seconds(3) - Trained("lenet-8-8-32 ticket") - donor, Seconds(5) - Trained("lenet-8-8-32 channel") - donor,
        ];
        double[] kept = [.. Directory.GetDirectories(Path.Combine(_folder, "store"), "ticket-*").Select(folder =>
        {
            using var record = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "result.json")));
            return record.RootElement.GetProperty("seconds").GetDouble();
        })];
        Assert.That(pruning.Order(), Is.EqualTo(kept.Order()).Within(1e-6), "and the choice of its mask");
        Assert.That(pruning, Is.All.Positive);
        Assert.That(File.ReadAllText(Own("summary.md")), Does.Contain("## Time to the robustness of the full network")
            .And.Contain("## Time to 95 % of that robustness"));

        // Half as good in a thousandth of the time, then as good.
        Directory.CreateDirectory(Own("others"));
        string target = points[1][7];
        File.WriteAllLines(
            Own(Path.Combine("others", "other.csv")),
            [
                File.ReadLines(Own("courses.csv")).First(), "lenet-8-8-32,Other,0,1,1e-5,1e-5,0.5,0,50",
                $"lenet-8-8-32,Other,0,2,2e-5,2e-5,1,{target},50", $"lenet-8-8-32,Other,7,1,1,1,1,{target},50",
                $"lenet-8-8-32,Fewer,0,1,1,1,1,{target},49",
            ]);
        CommandResult second = CommandLine.Run([.. Tiny, "--arms", "ticket", "--json", "--out", _folder]);
        Assert.That(second.Code, Is.Zero, second.Error);
        Assert.That(second.Error, Does.Not.Contain("epoch"), "something was trained again");
        speed = second.Json().GetProperty("result").GetProperty("speed");
        rows = [.. speed.GetProperty("rows").EnumerateArray()];
        Assert.That(rows.Select(row => row.GetProperty("arm").GetString()), Is.EqualTo(new[] { "dense", "ticket", "Other" }));
        JsonElement other = rows[2].GetProperty("seeds");
        Assert.That(other.GetArrayLength(), Is.EqualTo(1));
        Assert.That(other[0].GetProperty("reached").GetProperty("processor").GetDouble(), Is.LessThan(3e-5));
        Assert.That(other[0].GetProperty("nearlyReached").GetProperty("processor").GetDouble(), Is.LessThan(3e-5));
        Assert.That(second.Json().GetProperty("result").GetProperty("warnings").EnumerateArray().Select(
            warning => warning.GetString()), Is.SupersetOf(new[]
            {
                "The training lenet-8-8-32, Other, seed 7 of another program is left out, since the experiment has no such "
                + "network and seed.",
                "The training lenet-8-8-32, Fewer, seed 0 of another program is left out, since it was not measured on 50 test "
                + "images.",
            }));
        Assert.That(File.ReadAllText(Own("report.html")), Does.Contain("Other / arm, CPU s"));

        File.WriteAllText(Own(Path.Combine("others", "other.csv")), "nonsense");
        CommandResult damaged = CommandLine.Run([.. Tiny, "--out", _folder]);
        Assert.That(damaged.Code, Is.EqualTo(6), damaged.Error);
        Assert.That(damaged.Error, Does.Contain("other.csv cannot be read: in line 1, the header is not"));
    }

    [Test]
    public void Times_of_different_machines_are_called_that()
    {
        string[] Warnings(string arms, string threads)
        {
            CommandResult result = CommandLine.Run(
                [.. Tiny.Select((word, index) => Tiny[Math.Max(index - 1, 0)] == "--threads" ? threads : word), "--arms", arms,
                    "--json", "--out", _folder]);
            Assert.That(result.Code, Is.Zero, result.Error);
            return [.. result.Json().GetProperty("result").GetProperty("warnings").EnumerateArray().Select(
                warning => warning.GetString()!).Where(
                warning => warning.Contains("of different machines", StringComparison.Ordinal))];
        }

        Assert.That(Warnings("dense", "1"), Is.Empty);
        Assert.That(Warnings("fast", "2").Single(), Does.Contain("On cpu: 1 thread, ").And.Contain("On cpu: 2 threads, "));
    }

    [Test]
    public void A_file_of_another_program_that_breaks_meanwhile_does_not_lose_the_result()
    {
        using var watcher = new LineWatcher(line =>
        {
            if (!line.Contains("epoch 1/2", StringComparison.Ordinal))
                return;
            Directory.CreateDirectory(Own("others"));
            File.WriteAllText(Own(Path.Combine("others", "half.csv")), "model,arm,se");
        });
        string[] command = [.. Tiny, "--arms", "dense", "--json", "--out", _folder];
        CommandResult result = CommandLine.Run(watcher, CancellationToken.None, command);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Json().GetProperty("result").GetProperty("warnings").EnumerateArray().Select(
            warning => warning.GetString()), Has.Some.Contains("half.csv cannot be read").And.Some.Contains("repeat the "));
        Assert.That(CommandLine.Run(command).Code, Is.EqualTo(6), "at the start it is refused");
    }

    [Test]
    public void A_plan_measures_every_arm_in_its_own_shape_and_format()
    {
        CommandResult plan = CommandLine.Run([.. Tiny, "--arms", "ticket,channel,bf16", "--plan", "--json", "--out", _folder]);
        Assert.That(plan.Code, Is.Zero, plan.Error);
        string[] kinds =
        [
            .. plan.Json().GetProperty("steps").EnumerateArray().Select(step =>
                $"{step.GetProperty("method")} {step.GetProperty("precision")} {step.GetProperty("pruned")}"),
        ];
        string[] expected =
        [
            "pgd float32 ", "fgsm float32 ", "pgd float32 80 % of weights (global)",
            "pgd float32 channels with 50 % of multiply-adds",
        ];
        // Processors without its instructions leave that arm out.
        bool shorter = plan.Json().GetProperty("nodes").EnumerateArray().Any(
            node => node.GetProperty("label").GetString()!.Contains("bf16", StringComparison.Ordinal));
        Assert.That(kinds, Is.EquivalentTo(shorter ? [.. expected, "pgd bf16 "] : expected));
        Assert.That(Directory.EnumerateFileSystemEntries(_folder), Is.Empty);
        CommandResult read = CommandLine.Run([.. Tiny, "--arms", "channel", "--plan", "--out", _folder]);
        Assert.That(read.Out, Does.Contain("channels with 50 % of multiply-adds"));
    }

    [Test]
    public void Two_processes_of_which_one_is_killed_measure_the_same_courses_as_one()
    {
        string[] command = [.. TinyOf(epochs: "10"), "--arms", "ticket,channel", "--seeds", "2", "--quiet"];
        string whole = Path.Combine(_folder, "whole"), shared = Path.Combine(_folder, "shared");
        Assert.That(CommandLine.Run([.. command, "--out", whole]).Code, Is.Zero);
        string[] sharing = [.. command, "--share", "--out", shared];
        using Process first = ProgramProcess.Start(sharing);
        ProgramProcess.WaitUntil(
            () => Directory.Exists(shared)
                && Directory.GetFiles(shared, "*.checkpoint.safetensors", SearchOption.AllDirectories).Length > 0,
            "nobody saves a checkpoint");
        Process second = ProgramProcess.Start(sharing);
        first.Kill();
        first.WaitForExit();
        Assert.That(ProgramProcess.Finish(second), Is.Zero);
        Assert.That(KeptFiles.Of(shared), Is.EqualTo(KeptFiles.Of(whole)).And.Not.Empty);
        Assert.That(Courses(shared), Is.EqualTo(Courses(whole)).And.Length.EqualTo(3 * 2 * 10));

        // All but the seconds.
        static string[] Courses(string folder) =>
        [
            .. File.ReadAllLines(Path.Combine(folder, "speed", "courses.csv")).Skip(1).Select(line => line.Split(',')).Select(
                fields => string.Join(',', fields.Where((_, index) => index is not (4 or 5)))),
        ];
    }

    [Test]
    public void An_interrupted_training_keeps_the_time_that_it_took_before()
    {
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("epoch 1/2", StringComparison.Ordinal))
                source.Cancel();
        });
        string[] command = [.. Tiny, "--arms", "ticket", "--out", _folder];
        Assert.That(CommandLine.Run(watcher, source.Token, command).Code, Is.EqualTo(130));
        Assert.That(Directory.GetFiles(_folder, "*.checkpoint.safetensors", SearchOption.AllDirectories), Has.Length.EqualTo(1));
        CommandResult resumed = CommandLine.Run([.. command, "--json"]);
        Assert.That(resumed.Code, Is.Zero, resumed.Error);
        foreach (JsonElement training in resumed.Json().GetProperty("result").GetProperty("trainings").EnumerateArray())
        {
            JsonElement[] works = [.. training.GetProperty("record").GetProperty("history").EnumerateArray().Select(
                epoch => epoch.GetProperty("work"))];
            Assert.That(works, Has.Length.EqualTo(2));
            // 960 samples in batches of 128.
            Assert.That(works.Select(work => work.GetProperty("steps").GetInt64()), Is.All.EqualTo(8));
            Assert.That(works.Select(work => work.GetProperty("processorSeconds").GetDouble()), Is.All.Positive);
        }
        double[] seconds = [.. Lines("courses.csv").Select(
            line => double.Parse(line.Split(',')[4], CultureInfo.InvariantCulture))];
        Assert.That(seconds, Has.Length.EqualTo(4));
        Assert.That(seconds[0], Is.LessThan(seconds[1]));
        Assert.That(seconds[2], Is.LessThan(seconds[3]));
    }
}
