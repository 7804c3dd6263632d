using System.Buffers.Binary;
using System.Text.Json;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Cli.Tests;

/// <summary>Which settings commands take where nobody names any, and what they state of them before they start.</summary>
[Parallelizable]
internal sealed class DefaultsTests
{
    // What training against PGD on CIFAR-10 states of its attacks.
    private const string ByPgd = "ε = 8/255, 10 steps of 2/255; evaluation by pgd with ε = 8/255, 20 steps of 2/255; ";

    // --epochs and what belongs to other trainings are left out.
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _folder = "";
    private string _weights = "";

    [OneTimeSetUp]
    public void Train()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        CommandResult train =
            CommandLine.Run(["train", .. Tiny, "--epsilon", "0.1", "--json", "--out", Path.Combine(_folder, "donor")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        _weights = train.Json().GetProperty("last").GetString()!;
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void What_is_about_to_be_done_is_said_logged_and_answered()
    {
        string folder = Path.Combine(_folder, "stated");
        CommandResult result = CommandLine.Run(["run", .. CommandLine.Tiny, "--json", "--out", folder]);
        Assert.That(result.Code, Is.Zero, result.Error);
        const string Line = "synthetic-28: 240 training, 60 validation, 60 test images; training by pgd (donors by fgsm) "
            + "with ε = 0.08, 1 step of 0.02; "
            + "evaluation by pgd with ε = 0.08, 2 steps of 0.02; model lenet-3-4-8; settings: defaults of synthetic-28";
        string[] lines = [.. result.Error.Split('\n').Select(line => line.TrimEnd('\r'))];
        Assert.That(lines, Has.One.EqualTo(Line));
        Assert.That(Array.IndexOf(lines, Line),
            Is.LessThan(Array.FindIndex(lines, line => line.Contains("epoch", StringComparison.Ordinal))));
        Assert.That(File.ReadAllText(Path.Combine(folder, "run.log")), Does.Contain(Line));
        JsonElement settings = result.Json().GetProperty("settings");
        Assert.That(settings.GetProperty("text").GetString(), Is.EqualTo(Line));
        Assert.That(settings.GetProperty("evaluation").GetProperty("epsilon").GetString(), Is.EqualTo("0.08"));
        Assert.That(settings.GetProperty("testImages").GetInt32(), Is.EqualTo(60));
    }

    [Test]
    public void Weights_give_the_same_answer_wherever_they_lie()
    {
        string moved = Path.Combine(_folder, "moved.safetensors"),
            lost = Path.Combine(_folder, "other", "seed-0", "w.safetensors");
        Directory.CreateDirectory(Path.GetDirectoryName(lost)!);
        File.Copy(_weights, moved, overwrite: true);
        File.Copy(_weights, lost, overwrite: true);
        // Another run's folder is not theirs.
        File.WriteAllText(
            Path.Combine(_folder, "other", "configuration.json"), RunJson.Write(Presets.Find("quick").Configuration));
        string[] found = [.. new[] { _weights, moved, lost }
            .Select(file => Timeless(CommandLine.Run("evaluate", file, "--json", "--threads", "1")))];
        Assert.That(found[0], Does.Contain("ε = 0.1, 2 steps of 0.02").And.Contain("60 test images"));
        Assert.That(found.Distinct().Count(), Is.EqualTo(1), string.Join("\n", found));

        string Timeless(CommandResult result)
        {
            Assert.That(result.Code, Is.Zero, result.Error);
            JsonElement json = result.Json(), numbers = json.GetProperty("result");
            string text = json.GetProperty("settings").GetProperty("text").GetString()!;
            return $"{text[..text.IndexOf("; settings", StringComparison.Ordinal)]} {numbers.GetProperty("clean")} "
                + $"{numbers.GetProperty("robust")} {numbers.GetProperty("largestPerturbation")}";
        }
    }

    [Test]
    public void Ticket_mask_and_profile_take_the_settings_of_the_run_that_they_come_from()
    {
        string ticket = Path.Combine(_folder, "t.safetensors"), mask = Path.Combine(_folder, "m.safetensors"),
            moved = Path.Combine(_folder, "p.safetensors");
        File.Copy(_weights, moved, overwrite: true);
        string initial = Path.Combine(Path.GetDirectoryName(_weights)!, "initial.safetensors");
        CommandResult prune = CommandLine.Run(
            "prune", moved, "--initial", initial, "--ratio", "0.5", "--out", ticket, "--mask-out", mask, "--json");
        Assert.That(prune.Code, Is.Zero, prune.Error);
        Assert.That(prune.Json().GetProperty("settings").GetProperty("source").GetString(), Does.Contain(moved));

        // Nothing but the epochs is named.
        string retrained = Path.Combine(_folder, "retrained"), masked = Path.Combine(_folder, "masked");
        CommandResult retrain =
            CommandLine.Run("retrain", ticket, "--epochs", "1", "--json", "--threads", "1", "--out", retrained);
        Assert.That(retrain.Code, Is.Zero, retrain.Error);
        Assert.That(retrain.Error,
            Does.Contain("240 training, 60 validation, 60 test images").And.Contain("ε = 0.1").And.Contain(ticket));
        RunConfiguration used =
            RunJson.Read<RunConfiguration>(File.ReadAllText(Path.Combine(retrained, "configuration.json")), "");
        Assert.That((used.Model, used.Attack.Epsilon, used.Evaluation.Attack.Steps, used.Pruning.Ratio),
            Is.EqualTo(("lenet-3-4-8", 0.1, 2, 0.5)));
        CommandResult parts =
            CommandLine.Run("retrain", initial, "--mask", mask, "--epochs", "1", "--json", "--threads", "1", "--out", masked);
        Assert.That(parts.Code, Is.Zero, parts.Error);
        Assert.That(parts.Error, Does.Contain("240 training").And.Contain("ε = 0.1"));

        CommandResult profile = CommandLine.Run(
            "profile", "--weights", moved, "--batch", "16", "--batches", "1", "--warmup", "0", "--threads", "1", "--json");
        Assert.That(profile.Code, Is.Zero, profile.Error);
        Assert.That(profile.Json().GetProperty("settings").GetProperty("text").GetString(),
            Does.Contain("training by pgd with ε = 0.1, 1 step of 0.02").And.Contain("lenet-3-4-8"));
        CommandResult transfer = CommandLine.Run("transfer", moved, _weights, "--json", "--threads", "1");
        Assert.That(transfer.Code, Is.Zero, transfer.Error);
        Assert.That(transfer.Json().GetProperty("settings").GetProperty("text").GetString(),
            Does.Contain("60 test images; evaluation by pgd-20 with ε = 0.1, 20 steps of 0.02; model of 2 networks"));
    }

    [Test]
    public void Files_of_version_0_1_0_are_used_and_what_is_assumed_is_said()
    {
        string old = Path.Combine(_folder, "old.safetensors"),
            inside = Path.Combine(_folder, "donor", "seed-0", "old.safetensors");
        (ModelState state, ModelFileMetadata? metadata) = WeightFile.Load(
            _weights,
            ModelCatalog.Build(
                "lenet-3-4-8", Options(new FeatureShape(1, 28, 28), WeightFile.ReadMetadata(_weights)!.Normalization)));
        foreach (string path in new[] { old, inside })
            WeightFile.Save(path, state, metadata! with { Settings = null });
        CommandResult outside = CommandLine.Run("evaluate", old, "--test-samples", "20", "--json", "--threads", "1");
        Assert.That(outside.Code, Is.Zero, outside.Error);
        Assert.That(
            outside.Error, Does.Contain($"defaults of synthetic-28, assumed from its preset quick, since {old} carries none"));
        CommandResult beside = CommandLine.Run("evaluate", inside, "--json", "--threads", "1");
        Assert.That(beside.Code, Is.Zero, beside.Error);
        Assert.That(beside.Error, Does.Contain("60 test images").And.Contain("ε = 0.1")
            .And.Contain(Path.Combine(_folder, "donor", "configuration.json")));
    }

    [Test]
    public void Another_data_set_brings_its_own_attack_and_all_its_images()
    {
        string data = Path.Combine(_folder, "data", "fashion-mnist");
        Directory.CreateDirectory(data);
        Idx("train-images-idx3-ubyte", 5_010, 28, 28);
        Idx("train-labels-idx1-ubyte", 5_010);
        Idx("t10k-images-idx3-ubyte", 12, 28, 28);
        Idx("t10k-labels-idx1-ubyte", 12);
        CommandResult result = CommandLine.Run("evaluate", _weights, "--dataset", "fashion-mnist", "--data",
            Path.Combine(_folder, "data"), "--json", "--threads", "1");
        Assert.That(result.Code, Is.Zero, result.Error);
        JsonElement settings = result.Json().GetProperty("settings"), attack = result.Json().GetProperty("attack");
        Assert.That(settings.GetProperty("text").GetString(), Is.EqualTo(
            "fashion-mnist: 12 test images; evaluation by pgd with ε = 0.3, 40 steps of 0.01; model lenet-3-4-8; "
                + "settings: defaults of fashion-mnist"));
        Assert.That((attack.GetProperty("epsilon").GetDouble(), attack.GetProperty("steps").GetInt32()), Is.EqualTo((0.3, 40)));

        void Idx(string name, params int[] sizes)
        {
            byte[] bytes = new byte[4 + 4 * sizes.Length + sizes.Aggregate(1, (product, size) => product * size)];
            (bytes[2], bytes[3]) = (8, (byte)sizes.Length);
            for (int i = 0; i < sizes.Length; i++)
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + 4 * i), sizes[i]);
            File.WriteAllBytes(Path.Combine(data, name), bytes);
        }
    }

    [TestCase("run", "training by pgd (donors by fgsm) with " + ByPgd + "model resnet18;")]
    [TestCase("train", "training by pgd with " + ByPgd + "model resnet18;")]
    [TestCase("retrain TICKET", "training by pgd with " + ByPgd + "model resnet18-w2;")]
    [LongTestCase("profile --batch 4", "training by pgd with ε = 8/255, 10 steps of 2/255; model resnet18;")]
    [TestCase("evaluate WEIGHTS", "evaluation by pgd with ε = 8/255, 20 steps of 2/255; model resnet18-w2;")]
    [TestCase("evaluate WEIGHTS --attack autoattack", "evaluation by autoattack with ε = 8/255; model resnet18-w2;")]
    [TestCase("transfer WEIGHTS WEIGHTS", "evaluation by pgd-20 with ε = 8/255, 20 steps of 2/255; model of 2 networks;")]
    [TestCase("prune WEIGHTS --initial WEIGHTS", "cifar10; model resnet18-w2;")]
    public void On_the_real_CIFAR_10_all_images_and_8_255_are_stated_and_used(string line, string stated)
    {
        RequireCifar10();
        string weights = Path.Combine(_folder, "c.safetensors"), ticket = Path.Combine(_folder, "ct.safetensors"),
            folder = Path.Combine(_folder, line.Split(' ')[0] + "-cifar10");
        NetworkGraph graph =
            ModelCatalog.Build("resnet18-w2", Options(new FeatureShape(3, 32, 32), InputNormalizationConstants.Cifar10));
        ModelState state = Initialization.Draw(graph.Table, seed: 1);
        var metadata = ModelFileMetadata.Of(graph, InputNormalizationConstants.Cifar10);
        WeightFile.Save(weights, state, metadata);
        TicketFile.Save(ticket, state, new GlobalMagnitude().Prune(state, new PruningOptions(0.8)).Mask, metadata);
        string[] arguments = [.. line.Split(' ').Select(word => word == "WEIGHTS" ? weights : word == "TICKET" ? ticket : word)];
        bool prunes = arguments[0] == "prune", inFolder = arguments[0] is "run" or "train" or "retrain";

        using var source = new CancellationTokenSource();
        source.Cancel();
        using var error = new StringWriter();
        CommandResult result = CommandLine.Run(
            error, source.Token,
            [
                .. arguments, "--dataset", "cifar10", "--threads", "1", "--device", "cpu",
                .. prunes ? ["--out", Path.Combine(_folder, "cp.safetensors")] : inFolder ? (string[])["--out", folder] : []
            ]);
        Assert.That(result.Code, Is.EqualTo(prunes ? 0 : 130), result.Error);
        string said = result.Error.Split('\n').Single(text => text.Contains("; settings: ", StringComparison.Ordinal));
        Assert.That(said, Does.Contain(stated).And.Contain("settings: defaults of cifar10"));
        if (said.Contains("training", StringComparison.Ordinal))
            Assert.That(said, Does.Contain("45,000 training, 5,000 validation"));
        if (said.Contains("evaluation by", StringComparison.Ordinal))
            Assert.That(said, Does.Contain("10,000 test images"));
        if (!inFolder)
            return;
        RunConfiguration used = RunJson.Read<RunConfiguration>(File.ReadAllText(Path.Combine(folder, "configuration.json")), "");
        Assert.That((used.Data.TrainSamples, used.Data.TestSamples, used.Data.CropFlip), Is.EqualTo((0, 0, true)));
        Assert.That((used.Attack.Epsilon, used.Attack.StepSize, used.Evaluation.Attack.Epsilon),
            Is.EqualTo((8.0 / 255, 2.0 / 255, 8.0 / 255)));
    }

    [Test]
    public void On_the_real_CIFAR_10_an_evaluation_attacks_at_8_255()
    {
        RequireCifar10();
        string weights = Path.Combine(_folder, "e.safetensors");
        NetworkGraph graph =
            ModelCatalog.Build("resnet18-w2", Options(new FeatureShape(3, 32, 32), InputNormalizationConstants.Cifar10));
        WeightFile.Save(
            weights, Initialization.Draw(graph.Table, seed: 1), ModelFileMetadata.Of(graph, InputNormalizationConstants.Cifar10));
        CommandResult result = CommandLine.Run(
            "evaluate", weights, "--dataset", "cifar10", "--test-samples", "300", "--json", "--threads", "1", "--device", "cpu");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Json().GetProperty("result").GetProperty("largestPerturbation").GetDouble(),
            Is.EqualTo(8.0 / 255).Within(1e-6));
    }

    [TestCase("run --epsilon 8", "--epsilon is 8; choose a value from 0 to 1", "did you mean 8/255?")]
    [TestCase("train --step-size 2", "--step-size is 2;", "did you mean 2/255?")]
    [TestCase("train --train-epsilon 1.5", "--train-epsilon is 1.5;", "did you mean 1.5/255?")]
    [TestCase("run --evaluation-epsilon 16", "--evaluation-epsilon is 16;", "did you mean 16/255?")]
    [TestCase("evaluate w.safetensors --epsilon 8", "--epsilon is 8;", "did you mean 8/255?")]
    [TestCase("experiment table1 --epsilon 8", "--epsilon is 8;", "did you mean 8/255?")]
    [TestCase("run --config FILE", "--train-epsilon is 8;", "did you mean 8/255?")]
    [TestCase("import w.safetensors --normalization 125.3,123,113.9/63,62.1,66.7 --out x.safetensors", "--normalization is",
        "did you mean 0.49")]
    public void The_scale_of_0_to_255_is_refused_with_a_hint(string line, string begin, string hint)
    {
        string file = Path.Combine(_folder, "scale.json");
        File.WriteAllText(file, """{ "attack": { "epsilon": 8 } }""");
        CommandResult result = CommandLine.Run(
            [
                .. line.Split(' ').Select(word => word == "FILE" ? file : word), "--quiet",
                .. line.Contains("--out", StringComparison.Ordinal)
                    ? Array.Empty<string>() : ["--out", Path.Combine(_folder, "no")]
            ]);
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain(begin).And.Contain(hint));
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
    }

    [Test]
    public void An_experiment_on_another_data_set_takes_its_attack_but_goes_on_as_it_was_begun()
    {
        string[] tiny =
        [
            "experiment", "table1", "--train-samples", "240", "--validation-samples", "40", "--test-samples", "40",
            "--epochs", "2", "--seeds", "1", "--steps", "1", "--probe-steps", "1", "--threads", "1", "--device", "cpu",
            "--model", "lenet-3-4-8", "--dataset", "synthetic-28",
        ];
        string begun = Path.Combine(_folder, "begun"), fresh = Path.Combine(_folder, "fresh");
        // As version 0.1.0 composed it: the attack of CIFAR-10.
        CommandResult before = CommandLine.Run([.. tiny, "--epsilon", "8/255", "--step-size", "2/255", "--out", begun]);
        Assert.That(before.Code, Is.Zero, before.Error);
        CommandResult again = CommandLine.Run([.. tiny, "--out", begun]);
        Assert.That(again.Code, Is.Zero, again.Error);
        Assert.That(again.Error, Does.Not.Contain("epoch ").And.Contain("ε = 8/255"));
        CommandResult other = CommandLine.Run([.. tiny, "--plan", "--out", fresh]);
        Assert.That(other.Code, Is.Zero, other.Error);
        Assert.That(other.Error,
            Does.Contain("training by pgd with ε = 0.08, 1 step of 0.02; evaluation by pgd with ε = 0.08, 20 steps of 0.02"));
    }

    [Test]
    public void Profile_without_data_set_measures_what_it_measured_before()
    {
        CommandResult result = CommandLine.Run("profile", "--model", "resnet18-w4", "--batch", "8", "--batches", "1",
            "--warmup", "0", "--train-samples", "520", "--threads", "1", "--json");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Json().GetProperty("settings").GetProperty("text").GetString(), Is.EqualTo(
            "synthetic-32: 20 training, 500 validation images; training by pgd with ε = 0.08, 10 steps of 0.02; model "
                + "resnet18-w4; settings: defaults of synthetic-32"));
    }

    private static ModelOptions Options(FeatureShape input, InputNormalizationConstants? normalization) =>
        new(input, 10, normalization);

    private static void RequireCifar10()
    {
        if (Environment.GetEnvironmentVariable(DataRoot.EnvironmentVariable) is not { Length: > 0 } root
            || !Directory.Exists(Path.Combine(root, CifarReader.FolderName)))
            Assert.Ignore($"{DataRoot.EnvironmentVariable} names no folder with CIFAR-10.");
    }
}
