using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary>What the single steps leave to one another, starting from one donor.</summary>
internal sealed class StepTests
{
    // --epochs and what belongs to other trainings are left out.
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _folder = "";
    private string _weights = "";

    [OneTimeSetUp]
    public void Train()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        CommandResult train = CommandLine.Run(["train", .. Tiny, "--json", "--out", Path.Combine(_folder, "donor")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        _weights = train.Json().GetProperty("last").GetString()!;
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Prune_writes_the_mask_on_its_own_too()
    {
        string ticket = Path.Combine(_folder, "t.safetensors"), mask = Path.Combine(_folder, "m.safetensors");
        CommandResult prune = CommandLine.Run("prune", _weights, "--ratio", "0.6", "--out", ticket, "--mask-out", mask, "--json");
        Assert.That(prune.Code, Is.Zero, prune.Error);
        Assert.That(prune.Json().GetProperty("mask").GetString(), Is.EqualTo(mask));
        JsonElement ofMask = CommandLine.Run("inspect", mask, "--json").Json(),
        ofTicket = CommandLine.Run("inspect", ticket, "--json").Json();
        Assert.That(ofMask.GetProperty("kind").GetString(), Is.EqualTo("mask"));
        Assert.That(ofMask.GetProperty("model").GetString(), Is.EqualTo("lenet-3-4-8"));
        Assert.That(ofMask.GetProperty("sparsity").GetDouble(), Is.EqualTo(0.6).Within(0.01));
        Assert.That(ofMask.GetProperty("layers").GetRawText(), Is.EqualTo(ofTicket.GetProperty("layers").GetRawText()));
        Assert.That(ofMask.GetProperty("tensors").EnumerateArray().Select(
            tensor => tensor.GetProperty("name").GetString()), Is.All.StartsWith("mask."));
        CommandResult evaluate = CommandLine.Run(
            "evaluate", mask, "--config", Path.Combine(_folder, "donor", "configuration.json"), "--quiet");
        Assert.That(evaluate.Code, Is.EqualTo(2));
        Assert.That(evaluate.Error, Does.Contain("is a mask file where a weights file is needed"));
    }

    [Test]
    public void Weights_behind_another_normalisation_are_refused()
    {
        string ticket = Path.Combine(_folder, "plain.safetensors");
        Assert.That(CommandLine.Run("prune", _weights, "--quiet", "--out", ticket).Code, Is.Zero);
        foreach (string[] command in new string[][] { ["evaluate", _weights], ["prune", _weights, "--out", Path.Combine(
            _folder, "no.safetensors")], ["retrain", ticket, .. Tiny, "--out", Path.Combine(_folder, "no")] })
        {
            CommandResult result = CommandLine.Run([.. command, "--normalize", "false", "--quiet"]);
            Assert.That(result.Code, Is.EqualTo(2), result.Error);
            Assert.That(result.Error, Does.Contain(Path.GetFileName(command[1])).And.Contain("--normalize"));
            Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
        }

        Assert.That(
            File.Exists(Path.Combine(_folder, "no.safetensors")) || Directory.Exists(Path.Combine(_folder, "no")), Is.False);
    }

    [Test]
    public void Normalisation_does_not_depend_on_the_share_of_the_data_in_use()
    {
        CommandResult more = CommandLine.Run(
            ["train", .. Tiny.Select(value => value == "300" ? "340" : value), "--json", "--out", Path.Combine(_folder, "more")]);
        Assert.That(more.Code, Is.Zero, more.Error);
        string Mean(string file) => CommandLine.Run("inspect", file, "--json").Json().GetProperty("metadata").GetProperty(
            "boosting-ticket.normalization.mean").GetString()!;
        Assert.That(Mean(more.Json().GetProperty("last").GetString()!), Is.EqualTo(Mean(_weights)));
    }

    [Test]
    public void Checkpoint_is_inspected_by_its_weights_and_not_by_their_momenta()
    {
        string folder = Path.Combine(_folder, "stopped");
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("epoch 1/2", StringComparison.Ordinal))
                source.Cancel();
        });
        Assert.That(CommandLine.Run(watcher, source.Token, ["train", .. Tiny, "--out", folder]).Code, Is.EqualTo(130));
        JsonElement checkpoint = Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories)
            .Select(file => CommandLine.Run("inspect", file, "--json").Json()).Single(
                report => report.GetProperty("kind").GetString() == "checkpoint");
        Assert.That(Names("tensors"), Has.Some.StartsWith("momentum."));
        Assert.That(Names("layers"), Is.Not.Empty.And.None.StartsWith("momentum."));

        IEnumerable<string> Names(string list) =>
            checkpoint.GetProperty(list).EnumerateArray().Select(entry => entry.GetProperty("name").GetString()!);
    }

    [Test]
    public void Configuration_file_may_name_threads_folder_and_data_and_the_command_line_wins()
    {
        string file = Path.Combine(_folder, "settings.json"), folder = Path.Combine(_folder, "from-file"),
        other = Path.Combine(_folder, "from-line");
        File.WriteAllText(file, JsonSerializer.Serialize(new { threads = 1, @out = folder, dataFolder = _folder }));
        string[] tiny = [.. Tiny.SkipLast(2)];
        using var source = new CancellationTokenSource();
        source.Cancel();
        using var error = new StringWriter();
        CommandResult stopped = CommandLine.Run(error, source.Token, ["train", .. tiny, "--config", file]);
        Assert.That(stopped.Code, Is.EqualTo(130), stopped.Error);
        Assert.That(stopped.Error, Does.Contain($"--out {folder} --data={_folder} --threads=1"));

        Assert.That(CommandLine.Run(error, source.Token, ["train", .. tiny, "--config", file, "--threads", "2", "--out", other])
            .Error, Does.Contain($"--out {other} --data={_folder} --threads=2"));
        Assert.That(File.Exists(Path.Combine(other, "configuration.json")));
    }

    [TestCase("""{ "threads": "two" }""", "threads in")]
    [TestCase("""{ "threads": 5000 }""", "give a whole number from 0 to 1024")]
    [TestCase("""{ "out": 3 }""", "out in")]
    [TestCase("""{ "dataFoldr": "x" }""", "did you mean 'dataFolder'?")]
    public void Wrong_surroundings_in_a_file_end_with_2(string settings, string message)
    {
        string file = Path.Combine(_folder, "wrong.json");
        File.WriteAllText(file, settings);
        CommandResult result = CommandLine.Run("train", "--config", file, "--quiet", "--out", Path.Combine(_folder, "no"));
        Assert.That((result.Code, Directory.Exists(Path.Combine(_folder, "no"))), Is.EqualTo((2, false)));
        Assert.That(result.Error, Does.Contain(message));
    }

    [Test]
    public void Missing_data_is_looked_for_in_the_folder_of_the_file()
    {
        string file = Path.Combine(_folder, "data.json"), data = Path.Combine(_folder, "images");
        File.WriteAllText(file, JsonSerializer.Serialize(new { preset = "mnist-lenet", dataFolder = data }));
        CommandResult result = CommandLine.Run("train", "--config", file, "--quiet", "--out", Path.Combine(_folder, "no"));
        Assert.That(result.Code, Is.EqualTo(3));
        Assert.That(result.Error, Does.Contain(data));
    }
}
