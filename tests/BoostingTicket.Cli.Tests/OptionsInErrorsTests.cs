using System.Text.RegularExpressions;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Tests;

/// <summary>The libraries name settings; the command line names options, and only those of the command in use.</summary>
internal sealed class OptionsInErrorsTests
{
    private const string Quick =
        "--model lenet-3-4-8 --train-samples 300 --validation-samples 60 --test-samples 60 --probe-steps 0 --threads 1";

    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-options-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("train " + Quick
        + " --method natural --epochs 3 --learning-rate 100 --weight-decay 1 --batch 8", ExitCodes.Diverged, "--learning-rate")]
    [TestCase("run " + Quick + " --method natural --arms dense --epochs 3 --learning-rate 100 --weight-decay 1 --batch 8",
        ExitCodes.Diverged, "--learning-rate")]
    [TestCase(
        "run " + Quick
            + " --arms ticket --epochs 3 --donor-method natural --donor-learning-rate 100 --donor-weight-decay 1 --donor-batch 8",
        ExitCodes.Diverged, "--donor-learning-rate")]
    [TestCase("train --model vgg16-w4 --batch 1 --train-samples 100 --validation-samples 20", ExitCodes.Configuration, "--batch")]
    [TestCase("train --model vgg16-w4 --dataset fashion-mnist --out OUT", ExitCodes.Data, "--data")]
    [TestCase("train --validation-samples 60 --train-samples 60", ExitCodes.Configuration, "--validation-samples")]
    [TestCase("train --config CONFIG --early-stopping-robust true --patience 3 --probe-steps 0", ExitCodes.Configuration,
        "--probe-steps")]
    [TestCase("run --ratio 0.999 --minimum-kept 0 --model lenet-1-1-1 --train-samples 300 --validation-samples 60",
        ExitCodes.Configuration, "--ratio")]
    [TestCase("run --width 3", ExitCodes.Configuration, "--width")]
    [TestCase("evaluate MISSING --evaluation-steps 0", ExitCodes.Configuration, "--evaluation-steps")]
    [TestCase("evaluate MISSING --save-adversarial images.png", ExitCodes.Configuration, "--save-adversarial")]
    [TestCase("profile --batch 128 --train-samples 600 --model lenet-3-4-8", ExitCodes.Configuration, "--train-samples")]
    [TestCase("profile --warmup -1", ExitCodes.Configuration, "--warmup")]
    [TestCase("experiment table5 --dataset synthetic-28 --scale 0.01 --width 3", ExitCodes.Configuration, "--model")]
    [TestCase("experiment table5 --scale 3", ExitCodes.Configuration, "--scale")]
    [TestCase("data info mnist --data EMPTY", ExitCodes.Data, "--data")]
    [TestCase("models --out OUT", ExitCodes.Configuration, "--force")]
    public void An_error_names_options_that_the_help_of_its_command_has(string line, int code, string named)
    {
        string config = Path.Combine(_folder, "config.json"), existing = Path.Combine(_folder, "exists");
        File.WriteAllText(config, """{ "dense": { "method": "natural", "learningRate": 1e2, "weightDecay": 1 } }""");
        File.WriteAllText(existing, "");
        string[] arguments =
        [
            .. line.Split(' ').Select(word => word switch
            {
                "CONFIG" => config,
                "OUT" => existing,
                "MISSING" => Path.Combine(_folder, "missing.safetensors"),
                "EMPTY" => _folder,
                _ => word,
            }),
            "--quiet",
            .. line.Contains(" OUT", StringComparison.Ordinal) ? (string[])[] : ["--out", Path.Combine(_folder, "out")],
        ];

        CommandResult result = CommandLine.Run(arguments);

        string message = result.Error.TrimEnd().Split('\n')[^1];
        Assert.That(result.Code, Is.EqualTo(code), result.Error);
        Assert.That(message, Does.Contain(named));
        string command = string.Join(
            ' ', arguments.TakeWhile(word => !word.StartsWith('-')).Take(arguments[0] == "data" ? 2 : 1));
        CommandResult help = CommandLine.Run([.. command.Split(' '), "--help"]);
        // What was typed is known to exist.
        foreach (string option in Regex.Matches(message, "--[a-z][a-z-]*[a-z]").Select(match => match.Value).Except(arguments))
            Assert.That(IsExplained(option, help.Out), $"{command} --help does not explain {option}, of: {message}");
    }

    [Test]
    public void A_message_of_a_library_names_the_setting_and_the_command_line_its_option()
    {
        ConfigurationException error = Assert.Throws<ConfigurationException>(
            () => new Runs.Configuration.RunConfiguration { Dense = new() { BatchSize = 0 } }.Validate())!;
        Assert.That(error.Message, Does.StartWith("dense.batchSize is 0;"));
        Assert.That(error.Settings, Is.EqualTo(new[] { "dense.batchSize" }));

        string config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, """{ "dense": { "batchSize": 0 } }""");
        Assert.That(CommandLine.Run("train", "--config", config).Error, Does.StartWith("--batch is 0;"));
        Assert.That(CommandLine.Run("run", "--config", config).Error, Does.StartWith("--dense-batch is 0;"));
        Assert.That(CommandLine.Run("run", "--batch", "0").Error, Does.StartWith("--batch is 0;"), "what was typed");
        Assert.That(CommandLine.Run("evaluate", "w", "--config", config).Error, Does.StartWith(
            "dense.batchSize is 0;"), "no option has it");
    }

    // Options of one training are explained together.
    private static bool IsExplained(string option, string help)
    {
        bool Lists(string name) => Regex.IsMatch(help, $@"^  {Regex.Escape(name)}\b(?!-)", RegexOptions.Multiline);
        Match single = Regex.Match(option, "^--(donor|retrain|dense)-");
        return Lists(option)
            || (single.Success && Regex.Replace(help, @"\s+", " ").Contains("put donor-, retrain- or dense- before the name",
                StringComparison.Ordinal) && Lists("--" + option[single.Length..]));
    }
}
