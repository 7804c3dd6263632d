namespace BoostingTicket.Cli.Tests;

/// <summary>Terminals, logs and standard streams that cannot be written: work goes on, and results are not lost.</summary>
[Parallelizable]
internal sealed class StreamTests
{
    private static readonly string[] Tiny =
        ["train", .. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13), "--device", "cpu"];
    private static readonly string Train = $"$program {string.Join(' ', Tiny)}";

    private string _folder = "";
    private byte[] _undisturbed = [];

    [OneTimeSetUp]
    public void TrainUndisturbed()
    {
        string folder = Directory.CreateTempSubdirectory("streams-").FullName;
        CommandResult undisturbed = CommandLine.Run([.. Tiny, "--quiet", "--out", folder]);
        Assert.That(undisturbed.Code, Is.Zero, undisturbed.Error);
        _undisturbed = File.ReadAllBytes(Path.Combine(folder, "seed-0", "train.last.safetensors"));
        Directory.Delete(folder, recursive: true);
    }

    [SetUp]
    public void CreateFolder()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("needs /dev/full");
        _folder = Directory.CreateTempSubdirectory("streams-").FullName;
    }

    [TearDown]
    public void DeleteFolder()
    {
        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
    }

    [TestCase("2>/dev/full")]
    [TestCase("2>&-")]
    [TestCase("2>&- <&-")]
    [TestCase("2> >(head -c 1 > /dev/null)")]
    public void Progress_that_cannot_be_written_is_given_up_and_the_work_goes_on(string streams)
    {
        CommandResult result = Shell.Run($"{Train} --json --out run {streams}", _folder);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Json().GetProperty("folder").GetString(), Is.EqualTo(Path.Combine(_folder, "run")));
        Assert.That(result.Error, Is.Empty);
        Assert.That(
            File.ReadAllBytes(Path.Combine(_folder, "run", "seed-0", "train.last.safetensors")), Is.EqualTo(_undisturbed));
    }

    [TestCase(">/dev/full", "no space left on device")]
    [TestCase(">&-", "it is closed")]
    public void Standard_output_that_cannot_be_written_is_one_sentence_and_loses_nothing(string streams, string reason)
    {
        foreach (string document in new[] { "", "--json" })
        {
            CommandResult result = Shell.Run($"{Train} --quiet {document} --out run {streams}", _folder);
            Assert.That(result.Code, Is.EqualTo(2), result.Error);
            Assert.That(BesideWarnings(result), Has.Length.EqualTo(1), result.Error);
            Assert.That(BesideWarnings(result)[0], Does.StartWith($"The result cannot be written to standard output: {reason}"));
            Assert.That(File.Exists(Path.Combine(_folder, "run", "result.json")));
            CommandResult shown =
                CommandLine.Run([.. Tiny, "--quiet", "--json", "--resume", "--out", Path.Combine(_folder, "run")]);
            Assert.That(shown.Code, Is.Zero, shown.Error);
            Assert.That(shown.Json().TryGetProperty("result", out _));
            Directory.Delete(Path.Combine(_folder, "run"), recursive: true);
        }
    }

    [TestCase("models", ">/dev/full")]
    [TestCase("models --json", ">&-")]
    [TestCase("models --help", ">/dev/full")]
    [TestCase("models resnet81 --json", ">/dev/full")]
    [TestCase("models --json", ">/dev/full 2>&1")]
    [TestCase("models resnet81", "2>/dev/full >&-")]
    public void Commands_without_folder_end_with_2_as_well(string command, string streams)
    {
        CommandResult result = Shell.Run($"$program {command} {streams}", _folder);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n").And.Not.Contain("Unhandled"));
    }

    [Test]
    public void A_reader_that_has_seen_enough_is_no_failure()
    {
        CommandResult result = Shell.Run("set -o pipefail; $program models --json | head -c 1", _folder);
        Assert.That((result.Code, result.Out), Is.EqualTo((0, "[")), result.Error);
    }

    [Test]
    public void Both_streams_may_go_to_one_file()
    {
        CommandResult result = Shell.Run($"{Train} --out run > log 2>&1", _folder);
        Assert.That(result.Code, Is.Zero, result.Error);
        string log = File.ReadAllText(Path.Combine(_folder, "log"));
        Assert.That(log, Does.Contain("epoch 1/2").And.Contain("epoch 2/2").And.Contain("Trained in"));
        Assert.That(log, Does.Not.Contain("\0"));
        int epoch = log.IndexOf("epoch 2/2", StringComparison.Ordinal), end = log.IndexOf("Trained in", StringComparison.Ordinal);
        Assert.That(epoch, Is.LessThan(end));
    }

    [Test]
    public void A_log_on_a_full_disk_is_given_up()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "run"));
        File.CreateSymbolicLink(Path.Combine(_folder, "run", "run.log"), "/dev/full");
        CommandResult result = Shell.Run($"{Train} --quiet --out run", _folder);
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(BesideWarnings(result), Is.Empty);
    }

    // A network that was trained for a moment is warned of.
    private static string[] BesideWarnings(CommandResult result) =>
        [.. result.Error.Split('\n').Where(line => line.Length > 0 && !line.StartsWith("Warning: ", StringComparison.Ordinal))];

    [TestCase("models --json", "{")]
    [TestCase("devices --json", "{")]
    [TestCase("models --no-color", "")]
    [TestCase("models --no-color --quiet", "")]
    [TestCase("models resnet81 --json", "{")]
    public void Nothing_but_text_goes_to_a_terminal_that_asks_for_it(string command, string begin)
    {
        Shell.Require("script");
        // script gives the program a pseudo-terminal, as Open MPI's mpirun does.
        CommandResult result = Terminal($"$program {command} 2>/dev/null");
        Assert.That(result.Out, Does.Not.Contain("\x1b"));
        Assert.That(result.Out.TrimStart('[', '\r', '\n', ' '), Does.StartWith(begin));
    }

    [Test]
    public void No_color_keeps_progress_on_a_terminal_free_of_escape_sequences()
    {
        Shell.Require("script");
        string[] lines = [$"{Train} --no-color --out a", $"NO_COLOR=1 {Train} --out b", $"{Train} --json --out c"];
        foreach (string plain in lines)
        {
            CommandResult result = Terminal(plain);
            Assert.That(result.Code, Is.Zero, result.Out);
            Assert.That(result.Out, Does.Contain("epoch 2/2").And.Not.Contain("\x1b"));
        }
    }

    private CommandResult Terminal(string line) =>
        Shell.Run($"TERM=xterm-256color script -qec \"{line}\" /dev/null < /dev/null", _folder);
}
