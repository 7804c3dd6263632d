using System.Text.Json;
using SkiaSharp;

namespace BoostingTicket.Cli.Tests;

/// <summary>Data of one's own on the command line: described, trained on, and recognised by its content.</summary>
internal sealed class OwnDataTests
{
    private static readonly string[] Settings =
    [
        "--model", "lenet-2-3-4", "--epochs", "1", "--steps", "1", "--evaluation-steps", "1", "--probe-steps", "0", "--threads",
        "1", "--batch", "16", "--json",
    ];

    private string _folder = "";

    private string Photos => Path.Combine(_folder, "photos");

    [OneTimeSetUp]
    public void CreatePhotos()
    {
        _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;
        for (int i = 0; i < 90; i++)
            Draw(Path.Combine(Photos, i % 2 == 0 ? "dark" : "light", $"{i}.png"), (byte)((i % 2 * 120) + i), 20);
    }

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_folder_of_images_is_described_trained_on_and_evaluated()
    {
        JsonElement info = Done("data", "info", Photos, "--json");
        string fingerprint = info.GetProperty("fingerprint").GetString()!;
        string output = Path.Combine(_folder, "run");
        JsonElement trained = Done(["train", "--dataset", Photos, .. Settings, "--out", output]);
        string last = trained.GetProperty("last").GetString()!;
        JsonElement recorded = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "configuration.json"))).RootElement
            .GetProperty("data");
        Assert.Multiple(() =>
        {
            Assert.That(info.GetProperty("shape").GetString(), Is.EqualTo("3x20x20"));
            Assert.That(info.GetProperty("classes").EnumerateArray().Select(name => name.GetString()), Is.EqualTo(
                new[] { "dark", "light" }));
            Assert.That(info.GetProperty("normalization").GetProperty("mean").GetArrayLength(), Is.EqualTo(3));
            Assert.That(recorded.GetProperty("fingerprint").GetString(), Is.EqualTo(fingerprint));
            Assert.That(CommandLine.Run("data", "info", Photos).Out, Does.Contain("There is no test part").And.Contain(
                "Normalisation: mean"));
        });
        // The weights say which data they are for.
        JsonElement evaluated = Done("evaluate", last, "--steps", "1", "--threads", "1", "--json");
        Assert.That(evaluated.GetProperty("dataset").GetString(), Is.EqualTo(Photos));
        Assert.That(
            evaluated.GetProperty("result").GetProperty("clean").GetDouble(),
            Is.EqualTo(trained.GetProperty("result").GetProperty("last").GetProperty("clean").GetDouble()));
    }

    [Test]
    public void Data_that_moved_are_known_by_their_content_and_data_that_changed_are_refused()
    {
        string copy = Path.Combine(_folder, "copy"), moved = Path.Combine(_folder, "moved"), output = Path.Combine(_folder, "o");
        Copy(Photos, copy);
        Done(["train", "--dataset", copy, .. Settings, "--out", output]);
        Directory.Move(copy, moved);
        Done(["train", "--resume", "--out", output, "--dataset", moved, "--json"]);
        // The folder has the new place now.
        Done("train", "--resume", "--out", output, "--json");
        Draw(Path.Combine(moved, "dark", "0.png"), 250, 20);
        CommandResult changed = CommandLine.Run("train", "--resume", "--out", output, "--quiet");
        Directory.Move(moved, copy);
        CommandResult gone = CommandLine.Run("train", "--resume", "--out", output, "--quiet");
        Assert.Multiple(() =>
        {
            Assert.That(gone.Code, Is.EqualTo(3));
            Assert.That(gone.Error, Does.Contain($"There is no file or folder {moved}"));
            Assert.That(changed.Code, Is.EqualTo(3));
            Assert.That(changed.Error, Does.Contain("are not those that --dataset-fingerprint records").Or.Contain(
                "are not those that data.fingerprint records"));
        });
    }

    [Test]
    public void A_sweep_over_data_that_moved_computes_nothing_again()
    {
        string copy = Path.Combine(_folder, "swept"), moved = Path.Combine(_folder, "elsewhere"),
            output = Path.Combine(_folder, "sweeps");
        string[] Sweep(string data) =>
            ["sweep", "ratio=0.5,0.7", "--dataset", data, .. Settings, "--arms", "ticket", "--out", output];
        Copy(Photos, copy);
        string[] Parts() => Directory.GetDirectories(Path.Combine(output, "store"));
        string rows = Done(Sweep(copy)).GetProperty("result").GetProperty("rows").GetRawText();
        string[] parts = Parts();
        Directory.Move(copy, moved);
        Assert.That(Done(Sweep(moved)).GetProperty("result").GetProperty("rows").GetRawText(), Is.EqualTo(rows));
        Assert.That(Parts(), Is.EquivalentTo(parts));
    }

    [Test]
    public void What_is_wrong_is_said_with_the_names_of_files()
    {
        string bad = Path.Combine(_folder, "bad");
        Draw(Path.Combine(bad, "a", "1.png"), 10, 20);
        Draw(Path.Combine(bad, "b", "2.png"), 10, 24);
        File.WriteAllText(Path.Combine(bad, "b", "3.jpg"), "no image");
        CommandResult result = CommandLine.Run("data", "info", bad);
        Assert.That(result.Code, Is.EqualTo(3));
        Assert.That(result.Error, Does.Contain("2.png has 24x24 pixels and not 20x20").And.Contain(
            "3.jpg cannot be read (it is no image of a known format)"));
        Assert.That(CommandLine.Run("train", "--dataset", "cifar11").Error, Does.Contain("did you mean 'cifar10'?"));
    }

    private static void Draw(string path, byte value, int side)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = new SKBitmap(new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(new SKColor(value, 100, 50));
        bitmap.SetPixel(3, 4, new SKColor(255, 255, 255));
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, data.ToArray());
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static JsonElement Done(params string[] arguments)
    {
        CommandResult result = CommandLine.Run(arguments);
        Assert.That(result.Code, Is.Zero, result.Error);
        return result.Json();
    }
}
