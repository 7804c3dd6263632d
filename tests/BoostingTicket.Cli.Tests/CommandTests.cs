using System.Text.Json;
using BoostingTicket.Cli.Tests.Documents;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Tests;

internal sealed class CommandTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Run_compares_the_arms_and_leaves_its_files()
    {
        string folder = Path.Combine(_folder, "out");
        CommandResult result = CommandLine.Run(["run", .. CommandLine.Tiny, "--json", "--seeds", "2", "--out", folder]);
        Assert.That(result.Code, Is.Zero, result.Error);
        JsonElement json = result.Json();
        Assert.That(json.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("arm").GetString()), Is.EqualTo(
            new[] { "dense", "ticket", "reinit" }));
        Assert.That(json.GetProperty("rows")[1].GetProperty("sparsity").GetDouble(), Is.EqualTo(0.8).Within(0.01));
        Assert.That(json.GetProperty("result").GetProperty("seeds").GetArrayLength(), Is.EqualTo(2));
        foreach (string file in new[] { "configuration.json", "environment.json", "result.json", "metrics.csv", "report.html",
            "summary.md" })
            Assert.That(File.Exists(Path.Combine(folder, file)), file);
        Assert.That(result.Error, Does.Contain("epoch 1/2").And.Contain("Using the CPU"));
    }

    [Test]
    public void Trainings_that_begin_in_one_second_get_folders_of_their_own()
    {
        using var folder = new PageFolder();
        for (int i = 0; i < 4; i++)
        {
            CommandResult result = CommandLine.Run(
                "train", "--model", "lenet-2-3-4", "--train-samples", "60", "--validation-samples", "20", "--test-samples", "20",
                "--epochs", "0", "--learning-rate", $"0.{i + 1}", "--evaluation-steps", "1", "--quiet");
            Assert.That(result.Code, Is.Zero, result.Error);
        }
        Assert.That(Directory.GetDirectories("runs"), Has.Length.EqualTo(4));
    }

    [Test]
    public void Run_shows_a_table_and_where_the_report_is()
    {
        CommandResult result = CommandLine.Run(
            ["run", .. CommandLine.Tiny, "--quiet", "--arms", "dense,ticket", "--out", Path.Combine(_folder, "out")]);
        Assert.That(result.Code, Is.Zero, result.Error);
        // Networks that were trained for a moment are warned of; beside that, quiet is quiet.
        Assert.That(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.All.StartsWith("Warning: "));
        Assert.That(result.Out, Does.Contain("clean %").And.Contain("PGD-2 %").And.Contain("ratio").And.Contain("report.html"));
        Assert.That(result.Out.Split('\n'), Has.Some.StartsWith("dense ").And.Some.StartsWith("ticket "));
    }

    [Test]
    public void Interrupted_run_says_how_to_go_on_and_ends_like_an_uninterrupted_one()
    {
        string folder = Path.Combine(_folder, "interrupted"), whole = Path.Combine(_folder, "whole");
        using var source = new CancellationTokenSource();
        using var watcher = new LineWatcher(line =>
        {
            if (line.Contains("epoch 1/2", StringComparison.Ordinal))
                source.Cancel();
        });
        CommandResult interrupted = CommandLine.Run(
            watcher, source.Token, ["run", .. CommandLine.Tiny, "--json", "--out", folder]);
        Assert.That(interrupted.Code, Is.EqualTo(130));
        Assert.That(interrupted.Error, Does.Contain($"run --resume --out {folder} --threads=1 --json"));
        Assert.That(interrupted.Json().GetProperty("exitCode").GetInt32(), Is.EqualTo(130));

        string[] log = File.ReadAllLines(Path.Combine(folder, "run.log"));
        Assert.That(log, Has.Some.Contains("Information seed 0 · donor (fgsm): epoch 1/2").And.Some.Contains(
            "Warning     seed 0 · donor (fgsm): interrupted and saved"));

        CommandResult resumed = CommandLine.Run("run", "--resume", "--json", "--threads", "1", "--out", folder);
        Assert.That(resumed.Code, Is.Zero, resumed.Error);
        CommandResult uninterrupted = CommandLine.Run(["run", .. CommandLine.Tiny, "--json", "--out", whole]);
        foreach (string file in new[] { "dense.last", "ticket.last", "reinit.last" })
        {
            string name = Path.Combine("seed-0", file + ".safetensors");
            Assert.That(
                File.ReadAllBytes(Path.Combine(folder, name)), Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, name))), file);
        }

        Assert.That(uninterrupted.Code, Is.Zero);
    }

    [Test]
    public void Finished_run_is_not_overwritten_and_other_settings_are_refused()
    {
        string folder = Path.Combine(_folder, "out");
        string[] run = ["run", .. CommandLine.Tiny, "--quiet", "--arms", "dense", "--out", folder];
        Assert.That(CommandLine.Run(run).Code, Is.Zero);
        Assert.That(CommandLine.Run(run), Has.Property("Code").EqualTo(2).And.Property("Error").Contains("--resume"));
        Assert.That(CommandLine.Run([.. run, "--resume", "--ratio", "0.5"]), Has.Property("Code").EqualTo(2));
        Assert.That(CommandLine.Run([.. run, "--resume"]).Code, Is.Zero);
    }

    [Test]
    public void Single_steps_lead_from_a_donor_to_an_evaluated_ticket()
    {
        string donor = Path.Combine(_folder, "donor"), retrained = Path.Combine(_folder, "retrained"),
        ticket = Path.Combine(_folder, "t.safetensors");
        string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];
        CommandResult train = CommandLine.Run(["train", .. tiny, "--method", "fgsm", "--json", "--out", donor]);
        Assert.That(train.Code, Is.Zero, train.Error);
        string last = train.Json().GetProperty("last").GetString()!;

        CommandResult prune = CommandLine.Run("prune", last, "--ratio", "0.5", "--json", "--out", ticket);
        Assert.That(prune.Code, Is.Zero, prune.Error);
        CommandResult inspect = CommandLine.Run("inspect", ticket, "--json");
        Assert.That(inspect.Json().GetProperty("kind").GetString(), Is.EqualTo("ticket"));
        Assert.That(inspect.Json().GetProperty("sparsity").GetDouble(), Is.EqualTo(0.5).Within(0.01));
        Assert.That(CommandLine.Run("inspect", ticket).Out, Does.Contain("ticket of lenet-3-4-8").And.Contain("pruned %"));

        CommandResult retrain = CommandLine.Run(["retrain", ticket, .. tiny, "--json", "--out", retrained]);
        Assert.That(retrain.Code, Is.Zero, retrain.Error);
        JsonElement result = retrain.Json().GetProperty("result");
        CommandResult evaluate = CommandLine.Run(
            "evaluate", retrain.Json().GetProperty("last").GetString()!, "--json", "--threads", "1");
        Assert.That(evaluate.Code, Is.Zero, evaluate.Error);
        Assert.That(
            evaluate.Json().GetProperty("result").GetProperty("robust").GetDouble(),
            Is.EqualTo(result.GetProperty("last").GetProperty("robust").GetDouble()));
    }

    [Test]
    public void Ticket_of_another_model_is_refused()
    {
        string donor = Path.Combine(_folder, "donor"), ticket = Path.Combine(_folder, "t.safetensors");
        string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];
        CommandResult train = CommandLine.Run(["train", .. tiny, "--epochs", "0", "--json", "--out", donor]);
        Assert.That(train.Code, Is.EqualTo(2), "--epochs is given twice");
        train = CommandLine.Run(["train", .. tiny, "--json", "--out", donor]);
        Assert.That(
            CommandLine.Run("prune", train.Json().GetProperty("last").GetString()!, "--quiet", "--out", ticket).Code, Is.Zero);
        CommandResult retrain = CommandLine.Run(
            "retrain", ticket, "--model", "lenet-5-4-8", "--quiet", "--out", Path.Combine(_folder, "out"));
        Assert.That(retrain.Code, Is.EqualTo(2), retrain.Error);
        Assert.That(retrain.Error, Does.Contain("t.safetensors").And.Contain("lenet-3-4-8"));
        Assert.That(Directory.Exists(Path.Combine(_folder, "out")), Is.False);
    }

    [Test]
    public void Interrupted_training_repeats_data_folder_and_threads_however_they_were_written()
    {
        string folder = Path.Combine(_folder, "out");
        string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or (> 13 and < 20))];
        using var source = new CancellationTokenSource();
        source.Cancel();
        using var error = new StringWriter();
        CommandResult interrupted = CommandLine.Run(
            error, source.Token, ["train", .. tiny, "--threads=1", $"--data={_folder}", "--out", folder]);
        Assert.That(interrupted.Code, Is.EqualTo(130), interrupted.Error);
        Assert.That(interrupted.Error, Does.Contain($"train --resume --out {folder} --data={_folder} --threads=1"));
        Assert.That(
            CommandLine.Run("train", "--resume", "--out", folder, $"--data={_folder}", "--threads=1", "--quiet").Code, Is.Zero);
    }

    [Test]
    public void Attack_of_evaluate_is_that_of_the_evaluation()
    {
        string donor = Path.Combine(_folder, "donor");
        string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];
        CommandResult train = CommandLine.Run(["train", .. tiny, "--json", "--out", donor]);
        Assert.That(train.Code, Is.Zero, train.Error);
        CommandResult evaluate = CommandLine.Run(
            "evaluate", train.Json().GetProperty("last").GetString()!, "--steps", "3", "--restarts", "2", "--attack-loss",
            "carlini-wagner",
            "--epsilon", "4/255", "--step-size", "1/255", "--test-samples", "20", "--batch", "10", "--json");
        Assert.That(evaluate.Code, Is.Zero, evaluate.Error);
        JsonElement attack = evaluate.Json().GetProperty("attack");
        Assert.That((attack.GetProperty("steps").GetInt32(), attack.GetProperty("restarts").GetInt32(), attack.GetProperty(
            "loss").GetString()), Is.EqualTo((3, 2, "carlini-wagner")));
        Assert.That((attack.GetProperty("epsilon").GetDouble(), attack.GetProperty("stepSize").GetDouble()), Is.EqualTo(
            (4 / 255.0, 1 / 255.0)));
        Assert.That(evaluate.Json().GetProperty("result").GetProperty("samples").GetInt32(), Is.EqualTo(20));
        Assert.That(evaluate.Json().GetProperty("result").GetProperty("largestPerturbation").GetDouble(),
            Is.GreaterThan(0).And.LessThanOrEqualTo(4 / 255.0));
    }

    [Test]
    public void Evaluate_runs_attacks_by_name_and_keeps_their_images()
    {
        string donor = Path.Combine(_folder, "donor"), images = Path.Combine(_folder, "found", "images.npy");
        string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];
        CommandResult train = CommandLine.Run(["train", .. tiny, "--json", "--out", donor]);
        Assert.That(train.Code, Is.Zero, train.Error);
        string weights = train.Json().GetProperty("last").GetString()!;
        string[] evaluate = ["evaluate", weights, "--attack", "pgd-20,apgd-ce,fab-t", "--epsilon", "0.1", "--test-samples", "20",
            "--batch", "8", "--threads", "1"];
        CommandResult json = CommandLine.Run([.. evaluate, "--json", "--save-adversarial", images]);
        Assert.That(json.Code, Is.Zero, json.Error);
        JsonElement result = json.Json().GetProperty("result");
        Assert.That(result.GetProperty("attacks").EnumerateArray().Select(
            attack => attack.GetProperty("attack").GetString()), Is.EqualTo(new[] { "pgd-20", "apgd-ce", "fab-t" }));
        Assert.That(result.GetProperty("worstCase").GetDouble(), Is.LessThanOrEqualTo(result.GetProperty("clean").GetDouble()));
        Assert.That(result.GetProperty("cleanInterval").GetProperty("low").GetDouble(), Is.LessThanOrEqualTo(
            result.GetProperty("clean").GetDouble()));
        Assert.That(json.Json().GetProperty("adversarial").GetString(), Is.EqualTo(images));
        Assert.That(new FileInfo(images).Length, Is.GreaterThan(20 * 28 * 28 * sizeof(float)));

        CommandResult text = CommandLine.Run(evaluate);
        Assert.That(text.Code, Is.Zero, text.Error);
        Assert.That(text.Out, Does.Contain("apgd-ce").And.Contain("all of them").And.Contain("95 % interval"));
    }

    [Test]
    public void Models_prints_the_papers_counts()
    {
        CommandResult json = CommandLine.Run("models", "--json");
        JsonElement vgg = json.Json().EnumerateArray().Single(model => model.GetProperty("name").GetString() == "vgg16");
        Assert.That(vgg.GetProperty("parameters").GetInt64(), Is.EqualTo(14_987_722));
        CommandResult text = CommandLine.Run("models");
        foreach (string name in ModelCatalog.Names)
            Assert.That(text.Out.Split('\n'), Has.Some.StartsWith(name + " "));
        Assert.That(text.Out, Does.Contain("11,173,962").And.Contain("exactly twice"));
    }

    [Test]
    public void Devices_says_what_auto_takes_and_why()
    {
        JsonElement json = CommandLine.Run("devices", "--json", "--threads", "3").Json();
        Assert.That(json.GetProperty("devices").EnumerateArray().Select(
            device => device.GetProperty("name").GetString()), Is.EqualTo(new[] { "cpu", "cuda" }));
        Assert.That(json.GetProperty("devices")[0].GetProperty("description").GetString(), Does.StartWith("3 thread"));
        Assert.That(json.GetProperty("reason").GetString(), Is.Not.Empty);
    }

    [Test]
    public void Data_lists_and_describes_the_sets()
    {
        CommandResult list = CommandLine.Run("data", "list", "--data", _folder);
        foreach (string name in DataSetCatalog.Names)
            Assert.That(list.Out.Split('\n'), Has.Some.StartsWith(name + " "));
        Assert.That(list.Out, Does.Contain("data fetch cifar10"));
        JsonElement info = CommandLine.Run("data", "info", "synthetic-28", "--json").Json();
        JsonElement train = info.GetProperty("parts")[0];
        Assert.That(CommandLine.Run("data", "info", "synthetic-28", "--seed", "5", "--json").Json().GetRawText(), Is.EqualTo(
            info.GetRawText()));
        Assert.That(CommandLine.Run("data", "info", "synthetic-28").Out, Does.Contain("fixed"));
        Assert.That(train.GetProperty("perClass").EnumerateArray().Sum(count => count.GetInt32()), Is.EqualTo(
            train.GetProperty("samples").GetInt32()));
    }

    [Test]
    public void Answers_go_to_a_file_with_out()
    {
        string file = Path.Combine(_folder, "models.json");
        CommandResult result = CommandLine.Run("models", "lenet", "--json", "--out", file);
        Assert.That(result.Json().GetProperty("file").GetString(), Is.EqualTo(file));
        Assert.That(
            JsonDocument.Parse(File.ReadAllText(file)).RootElement[0].GetProperty("parameters").GetInt64(), Is.EqualTo(431_080));
    }

    [Test]
    public void Seed_and_threads_do_what_they_say()
    {
        double Loss(string seed, string threads, string folder)
        {
            CommandResult result = CommandLine.Run(
                ["train", .. CommandLine.Tiny.Where((_, index) => index is < 10 or (> 13 and < 20)), "--seed", seed, "--threads",
                    threads, "--json", "--out", Path.Combine(_folder, folder)]);
            Assert.That(result.Code, Is.Zero, result.Error);
            return result.Json().GetProperty("result").GetProperty("history")[0].GetProperty("trainLoss").GetDouble();
        }

        double first = Loss("1", "1", "a");
        Assert.That(Loss("1", "2", "b"), Is.EqualTo(first));
        Assert.That(Loss("2", "1", "c"), Is.Not.EqualTo(first));
    }
}
