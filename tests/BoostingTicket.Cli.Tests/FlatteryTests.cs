using System.Text.RegularExpressions;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Cli.Tests;

/// <summary>What commands say of networks whose numbers flatter them: in the text of the result, in its JSON, in the log and in
/// reports. The table of networks and attacks is in <c>FlatteryBenchTests</c>.</summary>
[Parallelizable]
internal sealed class FlatteryTests
{
    private const string Margin = "attacked by the margin loss, since the gradient of cross-entropy vanished";
    private const string Blind = "robust accuracy is overestimated where gradients vanish, so look at square, which needs none";
    private const string OneClass = "The network answers class 0 for";
    private const string Numbers = "are NaN or infinite; these images count as wrong";
    private const string Nothing = "(no better than chance|whatever they show)";

    private static readonly string[] Data =
    [
        "--model", "lenet-4-8-32", "--train-samples", "1200", "--validation-samples", "100", "--test-samples", "100",
        "--threads", "1",
    ];

    private string _folder = "";
    private string _honest = "";

    [OneTimeSetUp]
    public void Train()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        CommandResult train = CommandLine.Run(
            ["train", .. Data, "--method", "natural", "--epochs", "8", "--batch", "25", "--learning-rate", "0.03",
                "--evaluation-steps", "5", "--json", "--out", Path.Combine(_folder, "honest")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        Assert.That(train.Json().GetProperty("result").GetProperty("warnings").GetArrayLength(), Is.Zero, train.Out);
        _honest = train.Json().GetProperty("last").GetString()!;
        foreach ((string name, Action<ModelState> change) in Changes)
        {
            SavedModel model = SavedModel.Load(_honest);
            change(model.State);
            WeightFile.Save(FileOf(name), model.State, WeightFile.ReadMetadata(_honest)!);
        }
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    private static (string Name, Action<ModelState> Change)[] Changes { get; } =
    [
        ("large", state => Scale(state, 1e4f)),
        ("dead", state =>
        {
            state["conv2.bias"].Fill(-1e9f);
            state["fc2.bias"][0] += 1;
        }),
        // A file with weights that are no numbers is refused; these overflow.
        ("overflow", state => state["fc2.weight"].Fill(float.MaxValue)),
    ];

    [TestCase("large", Margin)]
    [TestCase("dead", OneClass, Blind)]
    [TestCase("overflow", Numbers)]
    public void Evaluations_say_it_beside_their_numbers(string network, params string[] sentences)
    {
        string[][] commands =
        [
            ["evaluate", FileOf(network), "--steps", "20"],
            ["evaluate", FileOf(network), "--attack", "pgd-20,square", "--out", Path.Combine(_folder, $"evaluation-{network}")],
            ["transfer", _honest, FileOf(network)],
        ];
        foreach (string[] command in commands)
        {
            string[] line = [.. command, "--test-samples", "40", "--epsilon", "0.05", "--step-size", "0.0125", "--threads", "1"];
            CommandResult text = CommandLine.Run([.. line, "--quiet"]);
            Assert.That(text.Code, Is.Zero, text.Error);
            Says(text.Out, $"the text of {command[0]}", sentences);
            Says(text.Error, $"the progress of {command[0]}", sentences);
            string folder = command[^1];
            if (command.Contains("--out"))
            {
                Says(File.ReadAllText(Path.Combine(folder, "run.log")), "the log", sentences);
                Says(File.ReadAllText(Path.Combine(folder, "result.json")), "the result's file", sentences);
                line = [.. line.Where(word => word != "--out" && word != folder)];
            }
            CommandResult json = CommandLine.Run([.. line, "--json", "--quiet"]);
            Says(json.Json().GetProperty("result").GetProperty("warnings").GetRawText(), $"the JSON of {command[0]}", sentences);
        }
    }

    [Test]
    public void An_honest_network_gives_no_cause()
    {
        CommandResult result = CommandLine.Run(
            "evaluate", _honest, "--attack", "pgd-20,cw,apgd-ce", "--test-samples", "100", "--epsilon", "0.05",
            "--step-size", "0.0125", "--json", "--threads", "1");
        Assert.That(result.Json().GetProperty("result").GetProperty("warnings").GetArrayLength(), Is.Zero, result.Out);
    }

    [Test]
    public void A_retrained_ticket_of_large_logits_says_so()
    {
        SavedModel model = SavedModel.Load(FileOf("large"));
        string ticket = Path.Combine(_folder, "large.ticket.safetensors"), folder = Path.Combine(_folder, "retrained");
        Mask mask = PrunerCatalog.Find("global").Prune(model.State, new PruningOptions(0.01)).Mask;
        TicketFile.Save(ticket, model.State, mask, WeightFile.ReadMetadata(_honest)!);

        CommandResult text = CommandLine.Run(
            ["retrain", ticket, .. Data, "--method", "natural", "--epochs", "1", "--learning-rate", "1e-12",
                "--weight-decay", "0", "--epsilon", "0.05", "--step-size", "0.0125", "--evaluation-steps", "20", "--quiet",
                "--out", folder]);

        Assert.That(text.Code, Is.Zero, text.Error);
        Says(
            text.Out, "the text", $"in epoch 1, the probe's attack on validation samples .*{Margin}",
            $"retrain, last weights: PGD-20 .*{Margin}");
        Says(text.Error, "the progress", Margin);
        Says(File.ReadAllText(Path.Combine(folder, "run.log")), "the log", Margin);
        Says(File.ReadAllText(Path.Combine(folder, "result.json")), "the result's file", Margin);
    }

    [Test]
    public void Trainings_that_stay_at_chance_say_so_everywhere()
    {
        string trained = Path.Combine(_folder, "still"), run = Path.Combine(_folder, "still-run");
        string[] still = [.. CommandLine.Tiny.Where((_, index) => index is < 8 or > 13), "--weight-decay", "0", "--quiet"];
        CommandResult train = CommandLine.Run(["train", .. still, "--epochs", "1", "--learning-rate", "1e-12", "--out", trained]);
        Assert.That(train.Code, Is.Zero, train.Error);
        Says(
            train.Out, "the text of train", $"after its last epoch .1., on validation samples: .*{Nothing}",
            $"last weights: .*{Nothing}");
        Says(File.ReadAllText(Path.Combine(trained, "run.log")), "the log of train", Nothing);

        CommandResult whole = CommandLine.Run(
            ["run", .. still, "--epochs", "1", "--dense-epochs", "1", "--donor-epochs", "1", "--learning-rate", "1e-12",
                "--donor-learning-rate", "1e-12", "--arms", "dense,ticket", "--out", run]);
        Assert.That(whole.Code, Is.Zero, whole.Error);
        foreach (string stage in (string[])["donor", "dense", "ticket"])
        {
            string sentence = $"{stage}, last weights: .*{Nothing}";
            Says(whole.Out, "the text of run", sentence);
            Says(File.ReadAllText(Path.Combine(run, "run.log")), "its log", sentence);
            Says(File.ReadAllText(Path.Combine(run, "report.html")), "its report", sentence);
            Says(File.ReadAllText(Path.Combine(run, "summary.md")), "its summary", sentence);
        }
    }

    [Test]
    public void Experiments_say_what_their_trainings_tests_and_matrices_met()
    {
        string folder = Path.Combine(_folder, "experiment");
        CommandResult result = CommandLine.Run(
            "experiment", "table6", "--train-samples", "120", "--validation-samples", "40", "--test-samples", "40",
            "--epochs", "1", "--seeds", "1", "--steps", "1", "--probe-steps", "1", "--threads", "1", "--model", "lenet-3-4-8",
            "--dataset", "synthetic-28", "--quiet", "--out", folder);
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] texts =
        [
            result.Out,
            .. new[] { "report.html", "summary.md" }.Select(name =>
                File.ReadAllText(Path.Combine(folder, "table6", name))),
        ];
        foreach (string text in texts)
            Says(text, "the experiment", $"on validation samples: .*{Nothing}", $"transfer of .*{Nothing}");
    }

    /// <summary>FGSM at ε = 0.35 on MNIST never becomes robust, and learns the training attack by heart; smaller ε and PGD do
    /// not.</summary>
    [TestCase("fgsm", "0.35", true)]
    [TestCase("fgsm", "0.1", false)]
    [TestCase("pgd", "0.1", false)]
    public void Trainings_that_learn_their_attack_by_heart_are_told_from_those_that_do_not(
        string method, string epsilon, bool overfits)
    {
        string? root = Environment.GetEnvironmentVariable(DataRoot.EnvironmentVariable);
        if (string.IsNullOrEmpty(root) || !Directory.Exists(Path.Combine(root, "mnist")))
            Assert.Ignore($"{DataRoot.EnvironmentVariable} names no folder with mnist");
        CommandResult result = CommandLine.Run(
            "train", "--dataset", "mnist", "--model", "lenet-8-16-64", "--method", method, "--epsilon", epsilon,
            "--step-size", "0.0875", "--steps", "4", "--epochs", overfits ? "10" : "3", "--learning-rate", "0.1", "--batch", "64",
            "--train-samples", "6000", "--validation-samples", "500", "--test-samples", "100", "--probe-steps", "10",
            "--probe-samples", "300", "--threads", "1", "--quiet", "--json",
            "--out", Path.Combine(_folder, $"{method}-{epsilon}"));
        Assert.That(result.Code, Is.Zero, result.Error);
        string warnings = result.Json().GetProperty("result").GetProperty("warnings").GetRawText();
        Assert.That(
            warnings.Contains("catastrophic overfitting in epoch", StringComparison.Ordinal), Is.EqualTo(overfits), warnings);
    }

    private string FileOf(string name) => Path.Combine(_folder, $"{name}.safetensors");

    // Lines are broken wherever they are long.
    private static void Says(string text, string where, params string[] patterns)
    {
        string line = Regex.Replace(text, @"\s+", " ");
        foreach (string pattern in patterns)
            Assert.That(Regex.IsMatch(line, pattern), Is.True, $"{where} has no '{pattern}':\n{text}");
    }

    private static void Scale(ModelState state, float factor)
    {
        foreach (string name in (string[])["fc2.weight", "fc2.bias"])
        {
            foreach (ref float value in state[name])
                value *= factor;
        }
    }
}
