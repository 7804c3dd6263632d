using System.Text.Json;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Tests;

/// <summary>Trainings from given weights, and tickets with other weights than the first, on the command line.</summary>
internal sealed class StartWeightsTests
{
    private static readonly string[] Common =
        ["--train-samples", "300", "--validation-samples", "60", "--test-samples", "60", "--threads", "1", "--json"];

    private string _folder = "";
    private JsonElement _donor;

    private string Last => _donor.GetProperty("last").GetString()!;

    [OneTimeSetUp]
    public void Train()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        _donor = Done([
            "train", .. Common, "--model", "lenet-3-4-8", "--steps", "1", "--probe-steps", "1", "--evaluation-steps", "2",
            "--epochs", "2", "--out", Path.Combine(_folder, "donor")]);
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Fine_tuning_of_a_file_of_torch_save_starts_at_its_accuracy_and_its_folder_is_resumed_without_it()
    {
        string pt = Path.Combine(_folder, "public.pt"), output = Path.Combine(_folder, "tuned");
        Assert.That(CommandLine.Run("export", Last, "--out", pt, "--prefix", "module.", "--quiet").Code, Is.Zero);
        // The export says nothing of the normalisation, so that the network is measured without one.
        string own = Path.Combine(_folder, "plain.safetensors");
        Assert.That(CommandLine.Run("import", pt, "--normalization", "none", "--out", own, "--quiet").Code, Is.Zero);
        string[] evaluated = ["--test-samples", "60", "--threads", "1", "--json", "--steps", "2", "--step-size", "0.02"];
        JsonElement before = Done(["evaluate", own, .. evaluated]).GetProperty("result");
        string[] settings = [.. Common, "--epochs", "0", "--evaluation-steps", "2", "--out", output];
        JsonElement tuned = Done(["train", "--weights", pt, .. settings]).GetProperty("result").GetProperty("last");
        Assert.Multiple(() =>
        {
            Assert.That(tuned.GetProperty("clean").GetDouble(), Is.EqualTo(before.GetProperty("clean").GetDouble()));
            Assert.That(tuned.GetProperty("robust").GetDouble(), Is.EqualTo(before.GetProperty("robust").GetDouble()));
        });

        Assert.That(CommandLine.Run("train", "--resume", "--out", output, "--quiet").Code, Is.Zero);
        CommandResult other = CommandLine.Run("train", "--weights", Last, "--resume", "--out", output, "--quiet");
        Assert.That(other.Code, Is.EqualTo(2));
        Assert.That(other.Error, Does.Contain("was started with other weights").And.Contain("choose another --out"));
    }

    [Test]
    public void A_ticket_keeps_its_trained_weights_where_nothing_is_reset()
    {
        string ticket = Path.Combine(_folder, "kept.safetensors");
        Done(["prune", Last, "--reset", "none", "--ratio", "0.5", "--out", ticket, "--json"]);
        string[] settings = [.. Common, "--epochs", "0", "--evaluation-steps", "2"];
        JsonElement kept = Done(["retrain", ticket, .. settings, "--out", Path.Combine(_folder, "kept")]);
        string reset = Path.Combine(_folder, "reset.safetensors");
        Done(["prune", Last, "--ratio", "0.5", "--out", reset, "--json"]);
        JsonElement tuned = Done(
            ["retrain", reset, "--weights", Last, .. settings, "--out", Path.Combine(_folder, "under-mask")]);
        Assert.That(
            Tensors(tuned.GetProperty("last").GetString()!), Is.EqualTo(Tensors(kept.GetProperty("last").GetString()!)),
            "the donor's weights under the same mask");
    }

    [Test]
    public void A_run_prunes_given_weights_and_keeps_them()
    {
        JsonElement run = Done([
            "run", "--weights", Last, "--reset", "none", .. Common, "--arms", "ticket", "--donor-epochs", "0", "--retrain-epochs",
            "0", "--evaluation-steps", "2", "--probe-steps", "0", "--ratio", "0.5", "--out", Path.Combine(_folder, "run")]);
        double pruned = run.GetProperty("rows")[0].GetProperty("clean").GetProperty("mean").GetDouble();
        double before = _donor.GetProperty("result").GetProperty("last").GetProperty("clean").GetDouble();
        Assert.That(pruned, Is.EqualTo(before).Within(0.25), "half of the weights are most of the network");
    }

    [TestCase("train --prefix module. --out OUT", "--prefix is for --weights")]
    [TestCase("train --weights nowhere.pt --out OUT", "nowhere.pt")]
    [TestCase("train --weights LAST --model lenet-2-3-4 --out OUT", "weights of the model lenet-3-4-8, not of lenet-2-3-4")]
    [TestCase("run --reset never --out OUT", "--reset is 'never'; give initial, none, or an epoch")]
    [TestCase(
        "run --reset 999 --train-samples 300 --validation-samples 60 --out OUT", "--reset is 999, but the donor trains for")]
    [TestCase("retrain LAST --mask m.safetensors --weights LAST --out OUT", "leave one of them out")]
    [TestCase("prune LAST --reset 1 --out OUT", "train.epoch-1.safetensors")]
    public void Usage_is_one_sentence(string line, string message)
    {
        string output = Path.Combine(_folder, "no");
        CommandResult result = CommandLine.Run(
            [.. line.Split(' ').Select(word => word == "OUT" ? output : word == "LAST" ? Last : word), "--quiet"]);
        Assert.That(result.Error, Does.Contain(message));
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
        Assert.That(File.Exists(output) || Directory.Exists(output), Is.False);
    }

    private static byte[][] Tensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return [.. file.Tensors.Select(entry =>
        {
            byte[] bytes = new byte[entry.ByteLength];
            file.ReadBytes(entry, bytes);
            return bytes;
        })];
    }

    private static JsonElement Done(string[] arguments)
    {
        CommandResult result = CommandLine.Run(arguments);
        Assert.That(result.Code, Is.Zero, result.Error);
        return result.Json();
    }
}
