using System.Runtime.Intrinsics;
using System.Text.Json;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Cli.Tests;

/// <summary>Folders that version 0.1.0 left unfinished, resumed by this program: what binds files to their settings has not
/// changed its meaning. <c>Recorded/0.1.0/README.md</c> has the commands.</summary>
internal sealed class RecordedFolderTests
{
    private const string Experiment =
        "experiment table5 --dataset synthetic-28 --model lenet-2-3-8 --epochs 4 --train-samples 1000 --validation-samples 100 "
        + "--test-samples 64 --seeds 1 --batch 10";

    private string _folder = "";

    // The device is a setting, so that the commands are the recorded ones: they compute on the CPU where there is no GPU.
    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("recorded-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_run_of_0_1_0_goes_on_within_its_last_stage()
    {
        string run = Copy("run-pgd");
        string kept = Path.Combine(run, "seed-3", "ticket.json");
        byte[] before = File.ReadAllBytes(kept);

        CommandResult result = CommandLine.Run("run", "--resume", "--out", run, "--json");

        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(File.ReadAllBytes(kept), Is.EqualTo(before), "a stage that was done is not done again");
        JsonElement history =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(run, "seed-3", "reinit.json"))).RootElement.GetProperty("history");
        Assert.That(history.GetArrayLength(), Is.GreaterThanOrEqualTo(6));
        string log = File.ReadAllText(Path.Combine(run, "run.log"));
        Assert.That(log, Does.Match(@"reinit \(pgd\): [1-9]\d* of \d+ steps done"), "it went on where the checkpoint was");
    }

    [Test]
    public void An_experiment_of_0_1_0_computes_what_is_missing_and_nothing_again()
    {
        string root = Copy("experiment-table5");
        Dictionary<string, byte[]> done = Directory
            .EnumerateFiles(Path.Combine(root, "store"), "result.json", SearchOption.AllDirectories)
            .ToDictionary(path => path, File.ReadAllBytes);
        Assert.That(done, Has.Count.EqualTo(6), "the recording itself");

        CommandResult result = CommandLine.Run([.. Experiment.Split(' '), "--out", root, "--quiet"]);

        Assert.That(result.Code, Is.Zero, result.Error);
        foreach ((string path, byte[] bytes) in done)
            Assert.That(File.ReadAllBytes(path), Is.EqualTo(bytes), path);
        string end = Path.Combine(Recorded, "table5-end");
        string[] expected = [.. Directory.EnumerateFiles(end).Select(file => Path.GetFileNameWithoutExtension(file))
            .Order(StringComparer.Ordinal)];
        string[] trainings = [.. Directory.EnumerateDirectories(Path.Combine(root, "store"), "training-*")
            .Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        Assert.That(trainings, Is.EqualTo(expected), "keys mean what they meant");
        // Other instruction sets round otherwise; the recording is of AVX-512.
        if (!Vector512.IsHardwareAccelerated)
            return;
        foreach (string name in expected)
        {
            Assert.That(
                Tensors(Path.Combine(root, "store", name, "seed-0", "training.last.safetensors")),
                Is.EqualTo(Tensors(Path.Combine(end, name + ".safetensors"))), name);
        }
    }

    private static string Recorded => Path.Combine(Repository.Root, "tests", "BoostingTicket.Cli.Tests", "Recorded", "0.1.0");

    // The numbers alone: what a file says of itself may grow.
    private static Dictionary<string, byte[]> Tensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return file.Tensors.ToDictionary(tensor => tensor.Name, tensor =>
        {
            byte[] bytes = new byte[tensor.ByteLength];
            file.ReadBytes(tensor, bytes);
            return bytes;
        });
    }

    private string Copy(string name)
    {
        string source = Path.Combine(Recorded, name), target = Path.Combine(_folder, name);
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return target;
    }
}
