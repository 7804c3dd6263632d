using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Cli.Tests;

/// <summary>Evaluations that <c>evaluate</c> keeps beside weights of a run.</summary>
internal sealed class KeptEvaluationTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Evaluations_with_other_settings_stand_beside_each_other_and_one_with_the_same_is_replaced()
    {
        string[] run = ["run", .. CommandLine.Tiny, "--arms", "dense", "--quiet", "--out", _folder];
        Run(run);
        string weights = new RunFolder(_folder).BestWeights(0, "dense");
        Evaluate(weights, "--attack", "fgsm,square", "--test-samples", "30");
        Evaluate(weights, "--attack", "pgd", "--epsilon", "1/255", "--test-samples", "20");
        Evaluate(weights, "--attack", "pgd", "--epsilon", "1/255", "--test-samples", "20", "--steps", "3");
        Evaluate(weights, "--attack", "pgd", "--epsilon", "1/255", "--test-samples", "20");

        IReadOnlyList<WeightsEvaluation> kept = WeightsEvaluation.ReadBeside(weights);
        Run([.. run, "--resume"]);
        string report = File.ReadAllText(new RunFolder(_folder).Report);
        Assert.Multiple(() =>
        {
            Assert.That(kept.Select(evaluation => (
                string.Join(',', evaluation.Settings!.Attacks), evaluation.Settings.Samples, evaluation.Settings.Attack.Steps)),
                Is.EquivalentTo(new[] { ("fgsm,square", 30, 2), ("pgd", 20, 2), ("pgd", 20, 3) }));
            Assert.That(
                RunFolder.Evaluations(weights).Select(file => string.Join('.', Path.GetFileName(file).Split('.')[..^3])),
                Is.EqualTo(new[]
                {
                    "dense.best.fgsm+square.eps-0.08.samples-30", "dense.best.pgd.eps-1-255.samples-20",
                    "dense.best.pgd.eps-1-255.samples-20",
                }));
            foreach (string part in (string[])["square", "30 of synthetic-28", "20 of synthetic-28", "1/255", "3 of"])
                Assert.That(report, Does.Contain($">{part}"));
        });
    }

    [Test]
    public void An_evaluation_of_an_older_version_is_still_read()
    {
        string weights = Path.Combine(_folder, "dense.best.safetensors");
        File.WriteAllText(
            Path.Combine(_folder, "dense.best.evaluation.json"),
            """
            {"samples":4,"clean":0.5,"cleanInterval":{"low":0.1,"high":0.9},"attacks":[],"worstCase":0.25,
             "worstCaseInterval":{"low":0.1,"high":0.9},"warnings":[],"notFinite":0}
            """);
        WeightsEvaluation old = WeightsEvaluation.ReadBeside(weights).Single();
        new WeightsEvaluation(
            new RobustnessSettings(["pgd"], Presets.Find("quick").Configuration.Evaluation.Attack, "mnist", null, 4, 0, "auto"),
            old.Result).KeepBeside(weights);
        Assert.Multiple(() =>
        {
            Assert.That((old.Settings, old.Result.WorstCase), Is.EqualTo(((RobustnessSettings?)null, 0.25)));
            Assert.That(WeightsEvaluation.ReadBeside(weights), Has.Count.EqualTo(2), "it has not been replaced");
        });
    }

    [Test]
    public void Data_of_one_s_own_may_move()
    {
        var here = new RobustnessSettings(
            ["pgd"], Presets.Find("quick").Configuration.Evaluation.Attack, "/here", "ab", 4, 0, "auto");
        Assert.That((here with { Dataset = "/there" }).FileKey(), Is.EqualTo(here.FileKey()));
        Assert.That((here with { Fingerprint = "cd" }).FileKey(), Is.Not.EqualTo(here.FileKey()));
    }

    private static void Evaluate(string weights, params string[] settings) =>
        Run(["evaluate", weights, .. settings, "--threads", "1", "--quiet"]);

    private static void Run(string[] arguments)
    {
        CommandResult result = CommandLine.Run(arguments);
        Assert.That(result.Code, Is.Zero, result.Error);
    }
}
