using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

internal sealed class ProfileTests
{
    private static readonly string[] Tiny =
        ["profile", "--model", "lenet-3-4-8", "--train-samples", "600", "--batch", "16", "--batches", "2", "--warmup", "1",
            "--steps", "2", "--threads", "1"];

    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Table_shows_phases_layers_and_operations()
    {
        CommandResult result = CommandLine.Run([.. Tiny, "--operations", "--top", "3", "--sparsity", "0.8"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] lines = result.Out.Split('\n');
        Assert.That(lines[0], Does.Match(
            "^lenet-3-4-8 on synthetic-28, PGD-2 training, batches of 16, 80(\\.[0-9]+)? % pruned \\([0-9.]+ % of the "
            + "multiply-adds kept\\), float32 on cpu \\(1 thread"));
        foreach (string phase in new[] { "augmentation", "data", "filters", "attack-forward", "attack-gradient", "attack-step",
            "training-forward", "training-backward", "update", "evaluation", "total" })
            Assert.That(lines, Has.One.StartsWith(phase + " "));
        Assert.That(lines, Has.Some.StartsWith("layer ").And.Some.Contains("kept Gop/s").And.Some.StartsWith(
            "operation ").And.Some.Contains("more operations; --top"));
        Assert.That(result.Error, Does.Contain("profile: warm-up").And.Contain("Using the CPU"));
    }

    [TestCase("natural", 0)]
    [TestCase("fgsm", 1)]
    [TestCase("pgd", 2)]
    public void Document_has_what_comparisons_need(string method, int steps)
    {
        CommandResult result = CommandLine.Run([.. Tiny, "--method", method, "--json"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        JsonElement json = result.Json();
        Assert.That(json.GetProperty("schema").GetInt32(), Is.EqualTo(1));
        foreach ((string name, string value) in new[]
        {
            ("engine", "boosting-ticket"), ("status", "ok"), ("device", "cpu"), ("model", "lenet-3-4-8"),
            ("dataset", "synthetic-28"),
            ("method", method), ("precision", "float32"), ("variant", "dense"),
        })
            Assert.That(json.GetProperty(name).GetString(), Is.EqualTo(value), name);
        Assert.That(json.GetProperty("attackSteps").GetInt32(), Is.EqualTo(steps));
        Assert.That(json.GetProperty("batch").GetInt32(), Is.EqualTo(16));
        double median = json.GetProperty("secondsPerBatchMedian").GetDouble();
        Assert.That(median, Is.InRange(
            json.GetProperty("secondsPerBatchMin").GetDouble(), json.GetProperty("secondsPerBatchMax").GetDouble()));
        foreach (string name in new[] { "secondsPerBatchMin", "imagesPerSecond", "secondsPerEpoch", "evaluationSecondsPerEpoch",
            "peakMemoryBytes", "warmupSeconds", "meanLoss" })
            Assert.That(json.GetProperty(name).GetDouble(), Is.Positive, name);
        Assert.That(json.GetProperty("peaks").GetProperty("arithmeticPerSecond").GetDouble(), Is.Positive);
        Assert.That(json.GetProperty("phases").EnumerateArray().Sum(phase => phase.GetProperty("share").GetDouble()), Is.EqualTo(
            1).Within(1e-9));
        Assert.That(json.GetProperty("operations").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public void Trace_and_answer_go_to_files()
    {
        string trace = Path.Combine(_folder, "trace.json"), answer = Path.Combine(_folder, "profile.json");
        CommandResult result = CommandLine.Run([.. Tiny, "--quiet", "--json", "--trace", trace, "--out", answer]);
        Assert.That(result.Code, Is.Zero, result.Error);
        using var events = JsonDocument.Parse(File.ReadAllText(trace));
        string[] names = [.. events.RootElement.GetProperty("traceEvents").EnumerateArray().Select(
            item => item.GetProperty("name").GetString()!)];
        Assert.That(names, Does.Contain("batch").And.Contain("attack-gradient").And.Contain("update"));
        using var document = JsonDocument.Parse(File.ReadAllText(answer));
        Assert.That(document.RootElement.GetProperty("model").GetString(), Is.EqualTo("lenet-3-4-8"));
        Assert.That(result.Json().GetProperty("file").GetString(), Is.EqualTo(answer));
    }

    [Test]
    public void Models_of_colour_images_get_them_unless_others_are_named()
    {
        string[] few = ["profile", "--model", "resnet18-w4", "--batch", "8", "--batches", "1", "--warmup", "0", "--method",
            "natural", "--train-samples", "520", "--threads", "1", "--json"];
        Assert.That(CommandLine.Run(few).Json().GetProperty("dataset").GetString(), Is.EqualTo("synthetic-32"));
        Assert.That(
            CommandLine.Run([.. few, "--preset", "quick"]).Json().GetProperty("dataset").GetString(), Is.EqualTo("synthetic-28"));
    }

    [Test]
    public void Weights_of_a_training_are_profiled()
    {
        string donor = Path.Combine(_folder, "donor");
        string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];
        CommandResult train = CommandLine.Run(["train", .. tiny, "--json", "--out", donor]);
        Assert.That(train.Code, Is.Zero, train.Error);
        CommandResult result = CommandLine.Run(
            [.. Tiny, "--quiet", "--json", "--weights", train.Json().GetProperty("last").GetString()!, "--sparsity", "0.5"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Json().GetProperty("sparsity").GetDouble(), Is.EqualTo(0.5).Within(0.01));
    }

    [Test]
    public void Interrupted_profile_ends_with_130()
    {
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("warm-up", StringComparison.Ordinal))
                source.Cancel();
        });
        Assert.That(CommandLine.Run(watcher, source.Token, Tiny).Code, Is.EqualTo(130));
    }
}
