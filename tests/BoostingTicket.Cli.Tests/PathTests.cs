namespace BoostingTicket.Cli.Tests;

/// <summary>Paths that are empty, too long or links to themselves, and settings that come through a pipe.</summary>
internal sealed class PathTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("paths-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("run|--out|", "--out")]
    [TestCase("run|--config|", "--config")]
    [TestCase("run|--config=", "--config")]
    [TestCase("run|--data|", "--data")]
    [TestCase("train|--out|", "--out")]
    [TestCase("run|--resume|--out|", "--out")]
    [TestCase("retrain||", "TICKET")]
    [TestCase("retrain|t.safetensors|--mask|", "--mask")]
    [TestCase("evaluate||", "WEIGHTS")]
    [TestCase("evaluate|w.safetensors|--save-adversarial|", "--save-adversarial")]
    [TestCase("evaluate|w.safetensors|--attack|pgd|--out|", "--out")]
    [TestCase("transfer|w.safetensors||", "WEIGHTS")]
    [TestCase("prune||", "WEIGHTS")]
    [TestCase("prune|w.safetensors|--initial|", "--initial")]
    [TestCase("prune|w.safetensors|--mask-out|", "--mask-out")]
    [TestCase("prune|w.safetensors|--out|", "--out")]
    [TestCase("profile|--trace|", "--trace")]
    [TestCase("profile|--weights|", "--weights")]
    [TestCase("import||--out|x", "FILE")]
    [TestCase("import|x|--out|", "--out")]
    [TestCase("export|x|--out|", "--out")]
    [TestCase("inspect||", "FILE")]
    [TestCase("experiment|table5|--out|", "--out")]
    [TestCase("experiment|table4|--out|", "--out")]
    [TestCase("experiment|table5|--data|", "--data")]
    [TestCase("models|--out|", "--out")]
    [TestCase("data|fetch|mnist|--data|", "--data")]
    [TestCase("data|info|mnist|--data|", "--data")]
    [TestCase("data|list|--data|", "--data")]
    public void An_empty_name_is_refused_with_its_option(string line, string named)
    {
        string[] words = (line.EndsWith("||", StringComparison.Ordinal) ? line[..^1] : line).Split('|');
        CommandResult result = CommandLine.Run(words);
        Assert.That(result.Code, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain(named));
        Assert.That(result.Error, Does.Contain("is empty; give it a value").Or.StartWith($"The option {named} needs a value"));
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
    }

    [Test]
    public void The_beginning_of_names_may_be_empty()
    {
        CommandResult result = CommandLine.Run(
            "import", Path.Combine(_folder, "nowhere"), "--prefix", "", "--out", Path.Combine(_folder, "w.safetensors"));
        Assert.That(result.Error, Does.Contain("nowhere").And.Not.Contain("is empty"));
    }

    [TestCase("run")]
    [TestCase("experiment|table5")]
    public void A_folder_whose_name_is_too_long_or_a_link_to_itself_is_not_called_in_use(string command)
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("needs symbolic links");
        string loop = Path.Combine(_folder, "loop"), longName = Path.Combine(_folder, new string('x', 300));
        File.CreateSymbolicLink(loop, loop);
        string[] settings = command == "run" ? CommandLine.Tiny : [.. CommandLine.Tiny[..10], "--dataset", "synthetic-28"];
        string deep = Path.Combine(_folder, string.Concat(Enumerable.Repeat("deep/" + new string('y', 200) + "/", 25)));
        foreach (string folder in new[] { loop, Path.Combine(loop, "below"), longName, deep })
        {
            CommandResult result = CommandLine.Run([.. command.Split('|'), .. settings, "--quiet", "--out", folder]);
            Assert.That(result.Code, Is.EqualTo(2), result.Error);
            Assert.That(result.Error, Does.Contain("Cannot write").And.Not.Contain("in use"));
            Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
        }
    }

    [Test]
    public void Settings_may_come_through_a_pipe()
    {
        string file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, """{ "model": "lenet-3-4-8", "out": "run", "arms": ["dense"] }""");
        string settings = string.Join(' ', CommandLine.Tiny[2..]).Replace("epochs 2", "epochs 1", StringComparison.Ordinal);
        foreach (string line in new[]
        {
            $"$program run --config <(cat settings.json) {settings} --quiet --json",
            $"cat settings.json | $program run --config /dev/stdin {settings} --quiet --json",
            $"mkfifo pipe; (cat settings.json > pipe) & $program run --config pipe {settings} --quiet --json",
            $"$program train --config <(cat settings.json) {string.Join(' ', CommandLine.Tiny[2..8])} --quiet --json --epochs 1",
        })
        {
            CommandResult result = Shell.Run(line, _folder);
            Assert.That(result.Code, Is.Zero, result.Error);
            Assert.That(result.Json().GetProperty("folder").GetString(), Is.EqualTo(Path.Combine(_folder, "run")));
            Assert.That(File.ReadAllText(Path.Combine(_folder, "run", "configuration.json")), Does.Contain("lenet-3-4-8"));
            Directory.Delete(Path.Combine(_folder, "run"), recursive: true);
        }
    }
}
