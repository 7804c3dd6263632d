using System.Text.Json;
using SkiaSharp;

namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>The files that documented commands name and no documented command makes, tiny, made by the program itself.</summary>
internal static class ExampleFiles
{
    private const int Photos = 60, PhotoSide = 32;

    private static readonly string[] Settings =
    [
        "--train-samples", "200", "--validation-samples", "40", "--test-samples", "40", "--epochs", "1", "--steps", "1",
        "--probe-steps", "1", "--evaluation-steps", "1", "--threads", "1", "--device", "cpu", "--json",
    ];

    /// <summary>Makes them in a folder.</summary>
    public static void Make(string folder)
    {
        string At(params string[] names) => Path.Combine([folder, .. names]);
        string work = At("work");
        JsonElement donor = Do(["train", "--model", "lenet-8-8-16", .. Settings, "--out", Path.Combine(work, "donor")]);
        string last = donor.GetProperty("last").GetString()!, initial = donor.GetProperty("initial").GetString()!;
        foreach ((string name, string file) in new[]
        {
            ("donor", last), ("initial", initial), ("w", last), ("a", last), ("b", initial),
            ("c", donor.GetProperty("best").GetString()!),
        })
            File.Copy(file, At($"{name}.safetensors"));

        string[] coloured = ["--dataset", "synthetic-32", "--method", "natural", .. Settings];
        JsonElement checkpoint = Do(["train", "--model", "resnet18-w4", .. coloured, "--out", Path.Combine(work, "resnet")]);
        Do("export", checkpoint.GetProperty("last").GetString()!, "--prefix", "module.", "--out", At("public.pt"), "--json");
        JsonElement wide = Do(["train", "--model", "wrn-10-1", .. coloured, "--out", Path.Combine(work, "wrn")]);
        Do("export", wide.GetProperty("last").GetString()!, "--style", "trades", "--out", At("trades.safetensors"), "--json");
        Directory.Delete(work, recursive: true);

        foreach ((string name, string seed) in new[] { ("a", "1"), ("b", "2") })
            Do([
                "run", "--arms", "dense", "--model", "lenet-3-4-8", "--seed", seed, .. Settings, "--out", At("runs", name)]);
        for (int i = 0; i < Photos; i++)
            Draw(At("photos", i % 3 == 0 ? "test" : "train", i % 2 == 0 ? "cat" : "dog", $"{i}.png"), (byte)((i % 2 * 120) + i));
        // The page that says how such a file is written has one.
        File.WriteAllText(
            At("my.json"), MarkdownBlock.Of("docs/configuration.md").Single(block => block.Language == "json").Text);
        Directory.CreateDirectory(At("fuzz-failures"));
        File.WriteAllText(At("fuzz-failures", "tar-0.bin"), "no archive");
    }

    private static JsonElement Do(params string[] arguments)
    {
        CommandResult result = CommandLine.Run(arguments);
        Assert.That(result.Code, Is.Zero, result.Error);
        return result.Json();
    }

    private static void Draw(string path, byte value)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = new SKBitmap(new SKImageInfo(PhotoSide, PhotoSide, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(new SKColor(value, 100, 50));
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, data.ToArray());
    }
}
