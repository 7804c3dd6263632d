using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Tests;

/// <summary>Evaluations by attacks that are kept in a folder.</summary>
[Parallelizable]
internal sealed class ResumedEvaluationTests
{
    private const int Seed = 4711;

    // --epochs and what belongs to other trainings are left out.
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _root = "";
    private string _weights = "";

    [OneTimeSetUp]
    public void Train()
    {
        _root = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        CommandResult train = CommandLine.Run(["train", .. Tiny, "--json", "--out", Path.Combine(_root, "donor")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        _weights = train.Json().GetProperty("last").GetString()!;
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Killed_at_random_instants_and_resumed_it_comes_to_the_same_result()
    {
        string whole = Path.Combine(_root, "whole"), killed = Path.Combine(_root, "killed"),
        images = Path.Combine(_root, "images.npy");
        var clock = Stopwatch.StartNew();
        Assert.That(ProgramProcess.Finish(Start(whole, images, resume: false)), Is.Zero);
        double seconds = clock.Elapsed.TotalSeconds;
        byte[] expected = File.ReadAllBytes(images);

        // The first is killed as soon as it has something to go on from. Where this test was held up for so long that it ended
        // first, it begins again.
        var files = new RunFolder(killed);
        do
        {
            if (Directory.Exists(killed))
                Directory.Delete(killed, recursive: true);
            File.Delete(images);
            using Process first = Start(killed, images, resume: false);
            ProgramProcess.WaitUntil(() => File.Exists(files.AttackState) || first.HasExited, "it saves nothing");
            first.Kill();
            first.WaitForExit();
        }
        while (File.Exists(files.Result));
        var random = new Random(Seed);
        for (int kills = 1; kills < 5; kills++)
        {
            using Process process = Start(killed, images, resume: true);
            if (process.WaitForExit(TimeSpan.FromSeconds((0.1 + 0.4 * random.NextDouble()) * seconds)))
            {
                Assert.That(process.ExitCode, Is.Zero);
                break;
            }
            process.Kill();
            process.WaitForExit();
        }
        Assert.That(ProgramProcess.Finish(Start(killed, images, resume: true)), Is.Zero);

        Assert.That(Timeless(killed), Is.EqualTo(Timeless(whole)), $"instants from seed {Seed}");
        Assert.That(File.ReadAllBytes(images), Is.EqualTo(expected));
        Assert.That(Directory.GetFiles(killed, "*state*"), Is.Empty);
    }

    [Test]
    public void Interrupted_it_says_how_to_go_on()
    {
        string folder = Path.Combine(_root, "interrupted");
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.StartsWith("apgd-ce:", StringComparison.Ordinal))
                source.Cancel();
        });
        string[] evaluate = ["evaluate", _weights, "--attack", "pgd-20,apgd-ce", "--test-samples", "20", "--threads", "1"];
        CommandResult stopped = CommandLine.Run(watcher, source.Token, [.. evaluate, "--out", folder]);
        Assert.That(stopped.Code, Is.EqualTo(130), stopped.Error);
        Assert.That(
            stopped.Error, Does.Contain($"evaluate {_weights} --attack pgd-20,apgd-ce --resume --out {folder} --threads=1"));

        CommandResult resumed = CommandLine.Run(
            "evaluate", _weights, "--attack", "pgd-20,apgd-ce", "--resume", "--out", folder, "--threads=1");
        Assert.That(resumed.Code, Is.Zero, resumed.Error);
        Assert.That(resumed.Error, Does.Not.Contain("pgd-20:"), "it is done");
        CommandResult again = CommandLine.Run("evaluate", _weights, "--attack", "pgd-20,apgd-ce", "--resume", "--out", folder);
        Assert.That(again.Out, Is.EqualTo(resumed.Out), "the result that is kept");
    }

    [Test]
    public void Another_evaluation_is_refused_in_one_sentence()
    {
        string folder = Path.Combine(_root, "kept"), other = Path.Combine(_root, "donor", "seed-0", "initial.safetensors");
        string[] evaluate = ["evaluate", _weights, "--attack", "pgd", "--test-samples", "20", "--quiet"];
        Assert.That(CommandLine.Run([.. evaluate, "--out", folder]).Code, Is.Zero);
        foreach ((string[] arguments, string message) in new (string[], string)[]
        {
            ([.. evaluate, "--out", folder], "add --resume to continue it"),
            ([.. evaluate, "--resume", "--epsilon", "0.5", "--out", folder], "with other settings"),
            (["evaluate", _weights, "--attack", "cw", "--resume", "--quiet", "--out", folder],
                "with other attacks (pgd; now cw)"),
            (["evaluate", _weights, "--attack", "pgd", "--save-adversarial", Path.Combine(
                _root, "x.npy"), "--resume", "--quiet", "--out", folder], "with other attacks"),
            (["evaluate", other, "--attack", "pgd", "--resume", "--quiet", "--out", folder], "with other weights"),
            (["evaluate", _weights, "--attack", "pgd", "--resume", "--quiet"], "--resume needs --out"),
            (["evaluate", _weights, "--resume", "--quiet", "--out", folder], "--resume continues an evaluation with --attack"),
            (["evaluate", _weights, "--attack", "pgd", "--resume", "--quiet", "--out", Path.Combine(_root, "nothing")],
                "holds nothing to resume"),
            (["train", .. Tiny, "--resume", "--quiet", "--out", folder], "belongs to the command 'evaluate'"),
        })
        {
            CommandResult result = CommandLine.Run(arguments);
            Assert.That(result.Error, Does.Contain(message));
            Assert.That(result.Code, Is.EqualTo(2), message);
            Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
        }

        using RunLock held = RunLock.Acquire(folder);
        Assert.That(CommandLine.Run([.. evaluate, "--resume", "--out", folder]), Has.Property("Code").EqualTo(2).And.Property(
            "Error").Contains("in use by another run"));
    }

    [Test]
    public void Networks_that_do_not_fit_the_data_and_weights_that_are_no_numbers_are_one_sentence_each()
    {
        CommandResult other = CommandLine.Run("evaluate", _weights, "--dataset", "synthetic-32", "--attack", "pgd", "--quiet");
        Assert.That(other.Code, Is.EqualTo(2), other.Error);
        Assert.That(other.Error, Does.Contain("is for 10 classes of images of 1x28x28, but 10 classes of images of 3x32x32"));

        string broken = Path.Combine(_root, "nan.safetensors");
        using (SafetensorsFile file = SafetensorsFile.Open(_weights))
        {
            var writer = new SafetensorsWriter();
            foreach ((string key, string value) in file.Metadata.Where(pair => !pair.Key.EndsWith(
                "sha256", StringComparison.Ordinal)))
                writer.WithMetadata(key, value);
            foreach (SafetensorsEntry entry in file.Tensors)
            {
                float[] values = new float[entry.Length];
                file.Read(entry, values.AsSpan());
                values[^1] = entry.Name == "conv2.weight" ? float.NaN : values[^1];
                writer.Add(entry.Name, values, [.. entry.Shape]);
            }
            writer.Save(broken);
        }
        CommandResult nan = CommandLine.Run(
            "evaluate", broken, "--attack", "pgd", "--quiet", "--config", Path.Combine(_root, "donor", "configuration.json"));
        Assert.That(nan.Code, Is.EqualTo(6));
        Assert.That(nan.Error, Does.Contain("'conv2.weight'").And.Contain("NaN"));
        Assert.That((other.Error + nan.Error).TrimEnd().Split('\n'), Has.Length.EqualTo(2));
    }

    private Process Start(string folder, string images, bool resume) => ProgramProcess.Start(
    [
        "evaluate", _weights, "--attack", "pgd-100,autoattack", "--save-adversarial", images, "--epsilon", "0.05", "--batch",
        "10", "--threads", "1", "--device", "cpu", "--quiet", "--out", folder, .. resume ? (string[])["--resume"] : [],
    ]);

    private static string Timeless(string folder)
    {
        JsonNode result = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "result.json")))!;
        foreach (JsonNode? attack in result["attacks"]!.AsArray())
        {
            attack!["seconds"] = 0;
            attack["samplesPerSecond"] = 0;
        }
        return result.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }
}
