using System.Text.Json;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Tests;

/// <summary>The commands <c>import</c> and <c>export</c>, and what others make of imported files.</summary>
internal sealed class ImportTests
{
    // --epochs and what belongs to other trainings are left out.
    private static readonly string[] Tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];

    private string _folder = "";
    private string _last = "";
    private string _initial = "";

    [OneTimeSetUp]
    public void Train()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        CommandResult train = CommandLine.Run(["train", .. Tiny, "--json", "--out", Path.Combine(_folder, "donor")]);
        Assert.That(train.Code, Is.Zero, train.Error);
        _last = train.Json().GetProperty("last").GetString()!;
        _initial = train.Json().GetProperty("initial").GetString()!;
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void What_was_exported_is_imported_evaluated_pruned_and_retrained()
    {
        string last = Imported(_last, "last"), initial = Imported(_initial, "initial");
        Assert.That(CommandLine.Run("inspect", last).Out, Does.Contain("weights of lenet-3-4-8"));

        string[] common = ["--test-samples", "60", "--steps", "2", "--json", "--threads", "1"];
        JsonElement own = CommandLine.Run(["evaluate", _last, .. common]).Json(),
        imported = CommandLine.Run(["evaluate", last, .. common]).Json();
        foreach (string share in new[] { "clean", "robust" })
            Assert.That(imported.GetProperty("result").GetProperty(share).GetDouble(), Is.EqualTo(
                own.GetProperty("result").GetProperty(share).GetDouble()), share);

        string ticket = Path.Combine(_folder, "t.safetensors"), mask = Path.Combine(_folder, "m.safetensors");
        CommandResult prune = CommandLine.Run("prune", last, "--initial", initial, "--model", "lenet-3-4-8", "--ratio", "0.5",
            "--out", ticket, "--mask-out", mask, "--quiet");
        Assert.That(prune.Code, Is.Zero, prune.Error);

        string retrained = Path.Combine(_folder, "retrained"), masked = Path.Combine(_folder, "masked");
        CommandResult whole = CommandLine.Run(["retrain", ticket, .. Tiny, "--json", "--out", retrained]);
        Assert.That(whole.Code, Is.Zero, whole.Error);
        CommandResult parts = CommandLine.Run(["retrain", initial, "--mask", mask, .. Tiny, "--json", "--out", masked]);
        Assert.That(parts.Code, Is.Zero, parts.Error);
        Assert.That(
            File.ReadAllBytes(parts.Json().GetProperty("last").GetString()!),
            Is.EqualTo(File.ReadAllBytes(whole.Json().GetProperty("last").GetString()!)),
            "a mask and initial weights are a ticket");
        Assert.That(parts.Json().GetProperty("result").GetProperty("sparsity").GetDouble(), Is.EqualTo(0.5).Within(0.01));

        string subnetwork = Path.Combine(_folder, "subnetwork.safetensors");
        CommandResult export = CommandLine.Run("export", ticket, "--out", subnetwork);
        Assert.That(export.Code, Is.Zero, export.Error);
        Assert.That(export.Out, Does.Contain("weights pruned").And.Contain("expects normalised images"));
    }

    [Test]
    public void Export_writes_ONNX_which_has_names_of_its_own()
    {
        string onnx = Path.Combine(_folder, "network.onnx");
        CommandResult export = CommandLine.Run("export", _last, "--out", onnx);
        Assert.That(export.Code, Is.Zero, export.Error);
        Assert.That(export.Out, Does.Contain("lenet-3-4-8 as ONNX, opset 17").And.Contain("images [batch, 1, 28, 28] in [0, 1]")
            .And.Contain("logits [batch, 10]"));
        JsonElement report = CommandLine.Run("export", _last, "--format", "onnx", "--out", onnx, "--force", "--json").Json()
            .GetProperty("report");
        Assert.That(report.GetProperty("opset").GetInt32(), Is.EqualTo(17));
        CommandResult styled = CommandLine.Run("export", _last, "--style", "trades", "--out", onnx, "--force");
        Assert.That((styled.Code, styled.Error), Is.EqualTo((2, "--style names tensors for PyTorch programs, "
            + "which an ONNX file is not for; leave it out.\n")));
    }

    [Test]
    public void Repairs_are_shown_and_listed()
    {
        string foreign = Path.Combine(_folder, "foreign.safetensors"), file = Path.Combine(_folder, "repaired.safetensors");
        using (SafetensorsFile own = SafetensorsFile.Open(_last))
        {
            var writer = new SafetensorsWriter { Checksum = false }.Add("mu", new[] { 0.25f }, 1).Add("sigma", new[] { 0.5f }, 1);
            foreach (SafetensorsEntry entry in own.Tensors)
            {
                byte[] bytes = new byte[entry.ByteLength];
                own.ReadBytes(entry, bytes);
                writer.AddBytes("module." + entry.Name, entry.Type, bytes, [.. entry.Shape]);
            }
            writer.Save(foreign);
        }
        CommandResult text = CommandLine.Run("import", foreign, "--out", file);
        Assert.That(text.Code, Is.Zero, text.Error);
        Assert.That(text.Out, Does.Contain("The prefix 'module.' was taken off").And.Contain("mean 0.25, deviation 0.5"));
        JsonElement json = CommandLine.Run(
            "import", foreign, "--model", "lenet-3-4-8", "--out", file, "--force", "--json").Json();
        Assert.That(json.GetProperty("repairs").EnumerateArray().Select(
            repair => repair.GetProperty("kind").GetString()), Is.EqualTo(new[] { "normalization", "prefix" }));
        Assert.That(json.GetProperty("normalization").GetProperty("mean")[0].GetSingle(), Is.EqualTo(0.25f));

        // No data set has these constants: the evaluation takes them from the file, a training refuses them.
        CommandResult evaluate = CommandLine.Run("evaluate", file, "--test-samples", "20", "--steps", "1", "--quiet");
        Assert.That(evaluate.Code, Is.Zero, evaluate.Error);
        CommandResult plain = CommandLine.Run("evaluate", file, "--normalize", "false", "--test-samples", "20", "--quiet");
        Assert.That(plain.Code, Is.EqualTo(2));
        CommandResult transfer = CommandLine.Run("transfer", file, _last, "--test-samples", "20", "--quiet");
        Assert.That(transfer.Code, Is.Zero, transfer.Error);
        CommandResult raw = CommandLine.Run("evaluate", foreign, "--model", "lenet-3-4-8", "--quiet");
        Assert.That(
            (raw.Code, raw.Error.Contains("import it first", StringComparison.Ordinal)), Is.EqualTo((2, true)), raw.Error);
        CommandResult refused = CommandLine.Run("transfer", foreign, _last, "--quiet");
        Assert.That((refused.Code, refused.Error.Contains("import it first", StringComparison.Ordinal)), Is.EqualTo((2, true)));
    }

    [Test]
    public void Without_normalisation_the_file_is_evaluated_without()
    {
        string exported = Path.Combine(_folder, "exported-plain.safetensors"), file = Path.Combine(_folder, "plain.safetensors");
        Assert.That(CommandLine.Run("export", _last, "--out", exported, "--quiet").Code, Is.Zero);
        Assert.That(CommandLine.Run("import", exported, "--normalization", "none", "--out", file).Out, Does.Contain(
            "takes images in [0, 1] as they are"));
        CommandResult evaluate = CommandLine.Run("evaluate", file, "--test-samples", "20", "--steps", "1", "--quiet");
        Assert.That(evaluate.Code, Is.Zero, evaluate.Error);
    }

    [Test]
    public void A_file_of_torch_save_gives_the_same_accuracies()
    {
        string exported = Path.Combine(_folder, "network.pt"), file = Path.Combine(_folder, "from-pt.safetensors");
        CommandResult export = CommandLine.Run("export", _last, "--prefix", "module.", "--out", exported, "--json");
        Assert.That(export.Code, Is.Zero, export.Error);
        JsonElement constants = export.Json().GetProperty("report").GetProperty("normalization");
        string normalization =
            $"{constants.GetProperty("mean")[0].GetRawText()}/{constants.GetProperty("deviation")[0].GetRawText()}";
        CommandResult import = CommandLine.Run("import", exported, "--normalization", normalization, "--out", file);
        Assert.That(import.Code, Is.Zero, import.Error);
        Assert.That(CommandLine.Run("inspect", exported).Out, Does.Contain("module.conv1.weight"));
        string[] common = ["--test-samples", "60", "--steps", "2", "--json", "--threads", "1"];
        Assert.That(Accuracies(file), Is.EqualTo(Accuracies(_last)));

        (double Clean, double Robust) Accuracies(string weights)
        {
            JsonElement result = CommandLine.Run(["evaluate", weights, .. common]).Json().GetProperty("result");
            return (result.GetProperty("clean").GetDouble(), result.GetProperty("robust").GetDouble());
        }
    }

    [TestCase("import w.safetensors", "import needs --out")]
    [TestCase("export w.safetensors --format onx --out OUT", "format 'onx'")]
    [TestCase("export w.safetensors", "export needs --out")]
    [TestCase("import nowhere.safetensors --out OUT", "nowhere.safetensors")]
    [TestCase("import w.safetensors --normalization 0.5 --out OUT", "--normalization is '0.5'; give none, cifar10, mnist")]
    [TestCase("import w.safetensors --normalization 0.5/0 --out OUT", "--normalization is '0.5/0'")]
    [TestCase("import w.safetensors --image-size 0 --out OUT", "--image-size is 0; choose")]
    [TestCase("export nowhere.safetensors --out OUT", "nowhere.safetensors")]
    public void Usage_is_one_sentence(string line, string message)
    {
        string output = Path.Combine(_folder, "no.safetensors");
        CommandResult result = CommandLine.Run([.. line.Split(' ').Select(word => word == "OUT" ? output : word), "--quiet"]);
        Assert.That(result.Error, Does.Contain(message));
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n"));
        Assert.That(File.Exists(output), Is.False);
    }

    private string Imported(string weights, string name)
    {
        string exported = Path.Combine(_folder, $"{name}.exported.safetensors"),
        imported = Path.Combine(_folder, $"{name}.imported.safetensors");
        CommandResult export = CommandLine.Run("export", weights, "--prefix", "module.", "--out", exported, "--json");
        Assert.That(export.Code, Is.Zero, export.Error);
        Assert.That(export.Json().GetProperty("report").GetProperty("tensors").GetInt32(), Is.EqualTo(8));
        CommandResult import = CommandLine.Run("import", exported, "--model", "lenet-3-4-8", "--out", imported, "--json");
        Assert.That(import.Code, Is.Zero, import.Error);
        return imported;
    }
}
