using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary>Files that results go to: tried before the work, never replaced without being asked, and never worth more than a
/// result.</summary>
internal sealed class OutputTests
{
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _root = "";
    private string _weights = "";
    private string _foreign = "";

    private const string Profile =
        "profile --model lenet-3-4-8 --train-samples 300 --validation-samples 60 --batch 16 --steps 1"
        + " --batches 1 --warmup 1 --threads 1";

    private string Evaluate => $"evaluate {_weights} --test-samples 20 --steps 2 --threads 1";

    [OneTimeSetUp]
    public void Train()
    {
        _root = Directory.CreateTempSubdirectory("outputs-").FullName;
        CommandResult train = CommandLine.Run(["train", .. Tiny, "--json", "--out", Path.Combine(_root, "donor")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        _weights = train.Json().GetProperty("last").GetString()!;
        _foreign = Path.Combine(_root, "foreign.safetensors");
        Assert.That(CommandLine.Run("export", _weights, "--prefix", "module.", "--out", _foreign).Code, Is.Zero);
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    private IEnumerable<(string Line, string Option, string Ending)> Outputs()
    {
        yield return ($"prune {_weights}", "--out", ".safetensors");
        yield return ($"prune {_weights} --out {Path.Combine(_root, "unused.safetensors")}", "--mask-out", ".safetensors");
        yield return ($"{Evaluate}", "--out", ".txt");
        yield return ($"{Evaluate} --attack pgd", "--save-adversarial", ".npy");
        yield return ($"transfer {_weights} {_weights} --test-samples 20 --steps 2 --attack pgd", "--out", ".txt");
        yield return (Profile, "--trace", ".json");
        yield return (Profile, "--out", ".txt");
        yield return ($"import {_foreign}", "--out", ".safetensors");
        yield return ($"export {_weights}", "--out", ".safetensors");
        yield return ($"inspect {_weights}", "--out", ".txt");
        yield return ("models", "--out", ".txt");
        yield return ("devices", "--out", ".txt");
        yield return ("data list", "--out", ".txt");
        yield return ("data info synthetic-28", "--out", ".txt");
    }

    [Test]
    public void A_name_that_cannot_be_written_is_refused_before_the_work()
    {
        string file = Path.Combine(_root, "file"), folder = Path.Combine(_root, "folder.npy");
        File.WriteAllText(file, "");
        Directory.CreateDirectory(folder);
        foreach ((string line, string option, string ending) in Outputs())
        {
            foreach ((string path, string message) in new[]
            {
                (folder, "name a file"),
                (Path.Combine(file, "below" + ending), "Cannot write"),
                (Path.Combine(_root, new string('x', 300) + ending), "Cannot write"),
                ("/dev/null", OperatingSystem.IsWindows() ? "" : option == "--save-adversarial" ? ".npy" : "names the device"),
            })
            {
                CommandResult result = CommandLine.Run([.. line.Split(' '), option, path]);
                Assert.That(result.Code, Is.EqualTo(2), $"{line} {option} {path}: {result.Error}");
                Assert.That(result.Error, Does.Contain(message).And.Contain(option).IgnoreCase, line);
                Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"), "work had begun");
                Assert.That(result.Out, Is.Empty);
            }
        }
        Assert.That(File.Exists(Path.Combine(_root, "unused.safetensors")), Is.False);
    }

    [Test]
    public void An_existing_file_is_kept_unless_forced()
    {
        foreach ((string line, string option, string ending) in Outputs())
        {
            string path = Path.Combine(_root, "existing" + ending);
            File.WriteAllText(path, "kept");
            CommandResult refused = CommandLine.Run([.. line.Split(' '), option, path]);
            Assert.That(refused.Code, Is.EqualTo(2), $"{line} {option}: {refused.Error}");
            Assert.That(refused.Error, Does.StartWith($"There is a file {path} already").And.Contain("--force"));
            Assert.That(File.ReadAllText(path), Is.EqualTo("kept"));
            Assert.That(Directory.GetFiles(_root, "*.tmp"), Is.Empty);
            CommandResult forced = CommandLine.Run([.. line.Split(' '), option, path, "--force"]);
            Assert.That(forced.Code, Is.Zero, $"{line} {option}: {forced.Error}");
            Assert.That(new FileInfo(path).Length, Is.GreaterThan(4), line);
            File.Delete(path);
            File.Delete(Path.Combine(_root, "unused.safetensors"));
        }
    }

    [Test]
    public void The_ticket_beside_the_weights_is_not_replaced_silently()
    {
        CommandResult first = CommandLine.Run("prune", _weights, "--quiet");
        Assert.That(first.Code, Is.Zero, first.Error);
        string ticket = Path.Combine(Path.GetDirectoryName(_weights)!, "ticket.safetensors");
        byte[] kept = File.ReadAllBytes(ticket);
        CommandResult second = CommandLine.Run("prune", _weights, "--ratio", "0.5", "--quiet");
        Assert.That(second.Code, Is.EqualTo(2), second.Error);
        Assert.That(File.ReadAllBytes(ticket), Is.EqualTo(kept));
    }

    [Test]
    public void Trying_a_name_leaves_nothing_behind()
    {
        string path = Path.Combine(_root, "new", "folders", "images.npy");
        CommandResult result = CommandLine.Run(
            "evaluate", Path.Combine(_root, "nowhere.safetensors"), "--attack", "pgd", "--save-adversarial", path, "--quiet");
        Assert.That(result.Code, Is.Not.Zero);
        Assert.That(Directory.Exists(Path.Combine(_root, "new")), Is.False);
    }

    [Test]
    public void A_side_file_that_fails_after_the_work_costs_its_own_exit_code_and_no_result()
    {
        foreach ((string line, string option, string ending) in Outputs())
        {
            // Without anything to wait for, nothing can come between.
            if (option == "--out" && line != Evaluate)
                continue;
            string path = Path.Combine(_root, "late" + ending);
            // Between the trial and the end, a folder takes the name.
            using var watcher = new LineWatcher(_ => Directory.CreateDirectory(path));
            CommandResult result = CommandLine.Run(watcher, CancellationToken.None, [.. line.Split(' '), option, path, "--json"]);
            Assert.That(result.Code, Is.EqualTo(7), $"{line} {option}: {result.Error}");
            Assert.That(result.Json().ValueKind, Is.EqualTo(JsonValueKind.Object), "the result");
            Assert.That(result.Json().TryGetProperty("exitCode", out _), Is.False);
            string last = result.Error.TrimEnd().Split('\n')[^1];
            Assert.That(last, Does.StartWith($"Cannot write {path}").And.EndsWith("the result itself is complete."));
            Directory.Delete(path);
            File.Delete(Path.Combine(_root, "unused.safetensors"));
        }
    }

    [Test]
    public void Images_that_could_not_be_saved_are_saved_by_resuming_under_another_name_or_given_up()
    {
        string whole = Path.Combine(_root, "whole.npy"), path = Path.Combine(_root, "blocked.npy");
        string other = Path.Combine(_root, "other.npy"), later = Path.Combine(_root, "late.npy");
        string[] evaluate = [.. Evaluate.Split(' '), "--attack", "pgd"];
        Assert.That(CommandLine.Run([.. evaluate, "--quiet", "--save-adversarial", whole]).Code, Is.Zero);
        foreach (string?[] names in new string?[][] { [other], [null], [other, other] })
        {
            string folder = Path.Combine(_root, "kept");
            using var watcher = new LineWatcher(_ => Directory.CreateDirectory(path));
            CommandResult failed = CommandLine.Run(
                watcher, CancellationToken.None, [.. evaluate, "--save-adversarial", path, "--out", folder]);
            Assert.That(failed.Code, Is.EqualTo(7), failed.Error);
            Assert.That(File.Exists(Path.Combine(folder, "result.json")), "the result is kept");
            foreach (string? name in names)
            {
                string[] images = name is null ? [] : ["--save-adversarial", name];
                CommandResult resumed = CommandLine.Run([.. evaluate, .. images, "--resume", "--quiet", "--out", folder]);
                Assert.That(resumed.Code, Is.Zero, resumed.Error);
                Assert.That(resumed.Out, Is.EqualTo(failed.Out));
                if (name is not null)
                    Assert.That(File.ReadAllBytes(name), Is.EqualTo(File.ReadAllBytes(whole)));
            }
            Assert.That(Directory.GetFiles(folder, "*state*"), Is.Empty);
            CommandResult late = CommandLine.Run(
                [.. evaluate, "--save-adversarial", later, "--resume", "--quiet", "--out", folder]);
            Assert.That(late.Code, Is.EqualTo(7), late.Error);
            Assert.That(late.Error, Does.Contain("are no longer kept"));
            Directory.Delete(folder, recursive: true);
            Directory.Delete(path);
            File.Delete(other);
        }
    }

    [Test]
    public void A_report_that_cannot_be_written_costs_no_result()
    {
        string folder = Path.Combine(_root, "reports");
        Directory.CreateDirectory(Path.Combine(folder, "report.html"));
        string[] run = ["run", .. CommandLine.Tiny, "--arms", "dense", "--out", folder];
        CommandResult failed = CommandLine.Run([.. run, "--json"]);
        Assert.That(failed.Code, Is.EqualTo(7), failed.Error);
        Assert.That(failed.Json().GetProperty("rows").GetArrayLength(), Is.EqualTo(1));
        Directory.Delete(Path.Combine(folder, "report.html"));
        Assert.That(CommandLine.Run([.. run, "--resume", "--quiet"]).Code, Is.Zero);
        Assert.That(File.Exists(Path.Combine(folder, "report.html")));
    }

    [Test]
    public void Table_4_has_a_folder_as_other_experiments()
    {
        string folder = Path.Combine(_root, "experiments");
        CommandResult result = CommandLine.Run("experiment", "table4", "--out", folder);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Out, Does.Contain("vgg16"));
        Assert.That(File.ReadAllText(Path.Combine(folder, "table4", "summary.md")), Does.Contain("vgg16"));
        using JsonDocument kept = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "table4", "result.json")));
        Assert.That(kept.RootElement.GetArrayLength(), Is.Positive);
        CommandResult refused = CommandLine.Run("experiment", "table4", "--out", Path.Combine(_root, "donor"));
        Assert.That(refused.Code, Is.EqualTo(2), "a run's folder");
    }
}
