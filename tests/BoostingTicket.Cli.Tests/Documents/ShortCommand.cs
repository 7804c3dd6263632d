using System.Globalization;
using System.Text.RegularExpressions;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>Scales a documented command of the program down, so that it takes a moment: the same command and the same options,
/// with narrow networks, few and built-in images, few epochs and steps, on the processor.</summary>
internal static partial class ShortCommand
{
    private const string Gray = "synthetic-28", Coloured = "synthetic-32";
    private const string SmallLeNet = "lenet-8-8-16";

    // Options that a command gets whatever it says.
    private static readonly (string Option, string Value)[] Sizes =
        [("--train-samples", "300"), ("--validation-samples", "60"), ("--test-samples", "60")];

    private static readonly (string Option, string Value)[] Work =
        [("--epochs", "1"), ("--steps", "1"), ("--probe-steps", "1"), ("--evaluation-steps", "2"), ("--threads", "1")];

    // Numbers that are made smaller where a command gives them.
    private static readonly (string Option, int Most)[] Limits =
        [("--batch", 20), ("--dense-epochs", 1), ("--donor-epochs", 1), ("--probe-samples", 20), ("--batches", 1), ("--top", 5)];

    /// <summary>Makes a command short.</summary>
    /// <param name="arguments">What follows the program's name.</param>
    /// <returns>The arguments of the short one.</returns>
    /// <exception cref="AssertionException">It is not known how.</exception>
    public static string[] Of(IReadOnlyList<string> arguments)
    {
        List<string> line = [.. arguments];
        if (line.Count == 0 || line.Contains("--help") || line.Contains("--slurm"))
            return [.. line];
        // What a GPU would do is counted without one; everything else is done here.
        if (ValueOf(line, "--device") is { } device && device.StartsWith("cuda", StringComparison.Ordinal))
            Set(line, "--device", "cpu");
        foreach ((string option, int most) in Limits)
        {
            if (ValueOf(line, option) is { } value && int.Parse(value, CultureInfo.InvariantCulture) > most)
                Set(line, option, most.ToString(CultureInfo.InvariantCulture));
        }
        switch (line[0])
        {
            case "completion" or "compare" or "data" or "devices" or "export" or "inspect" or "models" or "prune" or "runs":
                break;
            case "import":
                Narrow(line);
                break;
            case "evaluate" or "transfer":
                SetAll(line, [("--test-samples", "20"), ("--threads", "1")]);
                break;
            case "profile":
                ShortenProfile(line);
                break;
            case "run" or "train" or "retrain" or "sweep":
                ShortenTraining(line);
                break;
            case "experiment":
                ShortenExperiment(line);
                break;
            default:
                throw new AssertionException(
                    $"{nameof(ShortCommand)} does not know how to make 'boosting-ticket {line[0]}' short; add a case for it.");
        }
        return [.. line];
    }

    private static void ShortenTraining(List<string> line)
    {
        RunConfiguration? preset = ValueOf(line, "--preset") is { } name ? Presets.Find(name).Configuration : null;
        string? data = ValueOf(line, "--dataset") ?? preset?.Data.Name;
        if (data is not null && DataSetCatalog.Names.Contains(data))
            Set(line, "--dataset", BuiltIn(data));
        if (data is null || DataSetCatalog.Names.Contains(data))
            SetAll(line, Sizes);
        else
            Set(line, "--batch", "20");
        SetAll(line, line[0] == "retrain" ? Work : [.. Work.Where(given => !IsSwept(line, given.Option))]);
        if (line.Contains("--seeds"))
            Set(line, "--seeds", "1");
        // A run rewinds to an epoch that its donor has had; a warm-up of a file may be longer than one epoch.
        if (int.TryParse(ValueOf(line, "--reset"), CultureInfo.InvariantCulture, out int epoch))
            Set(line, "--donor-epochs", epoch.ToString(CultureInfo.InvariantCulture));
        if (line.Contains("--config"))
            SetAll(line, [("--dataset", Coloured), ("--model", "resnet18-w4"), ("--warmup-length", "5%")]);
        else if (line.Contains("--width"))
            Set(line, "--width", "4");
        else if (line.Contains("--model"))
            Narrow(line);
        else if (!line.Contains("--weights") && line[0] != "retrain")
            Set(line, "--model", Narrow(preset?.Model ?? "lenet"));
    }

    private static void ShortenProfile(List<string> line)
    {
        if (line.Contains("--plan"))
            return;
        Narrow(line);
        SetAll(line, [
            ("--batches", "1"), ("--warmup", "1"), ("--batch", "8"), ("--steps", "1"), ("--train-samples", "64"),
            ("--validation-samples", "8"), ("--threads", "1")]);
    }

    private static void ShortenExperiment(List<string> line)
    {
        // Where data would be that are not used.
        int data = line.IndexOf("--data");
        if (data >= 0)
            line.RemoveRange(data, 2);
        // A folder that machines share is one of this page's.
        if (ValueOf(line, "--out") is { } folder)
            Set(line, "--out", folder.TrimStart('/'));
        SetAll(line, [
            ("--model", SmallLeNet), ("--dataset", Gray), ("--seeds", "1"), ("--epochs", "2"), ("--steps", "1"),
            ("--probe-steps", "1"), ("--evaluation-steps", "2"), ("--rounds", "2"), ("--train-samples", "240"),
            ("--validation-samples", "40"), ("--test-samples", "40"), ("--threads", "1"), ("--device", "cpu")]);
        if (line.Contains("speed"))
            Set(line, "--autoattack-samples", "8");
    }

    private static bool IsSwept(List<string> line, string option) =>
        line.Any(word => word.StartsWith($"{option[2..]}=", StringComparison.Ordinal));

    private static string BuiltIn(string data) => data switch
    {
        Gray or "mnist" or "fashion-mnist" => Gray,
        Coloured or "cifar10" or "cifar100" or "svhn" => Coloured,
        _ => throw new AssertionException($"{nameof(ShortCommand)} does not know images in the place of '{data}'; add them."),
    };

    private static void Narrow(List<string> line)
    {
        if (ValueOf(line, "--model") is { } model)
            Set(line, "--model", Narrow(model));
    }

    private static string Narrow(string model) => Family().Match(model).Value switch
    {
        "lenet" => SmallLeNet,
        "resnet" => "resnet18-w4",
        "preact-resnet" => "preact-resnet18-w4",
        "vgg" => "vgg16-w4",
        "wrn" => "wrn-10-1",
        _ => throw new AssertionException($"{nameof(ShortCommand)} does not know a narrow '{model}'; add one."),
    };

    private static string? ValueOf(List<string> line, string option) =>
        line.IndexOf(option) is >= 0 and int index && index + 1 < line.Count ? line[index + 1] : null;

    private static void SetAll(List<string> line, IEnumerable<(string Option, string Value)> options)
    {
        foreach ((string option, string value) in options)
            Set(line, option, value);
    }

    private static void Set(List<string> line, string option, string value)
    {
        int index = line.IndexOf(option);
        if (index >= 0)
            line[index + 1] = value;
        else
            line.AddRange([option, value]);
    }

    [GeneratedRegex("^[a-z-]*[a-z]")]
    private static partial Regex Family();
}
