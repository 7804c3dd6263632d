using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>import</c>: networks that PyTorch programs saved.</summary>
internal static class ImportCommand
{
    private const string None = "none";

    private static readonly Dictionary<string, InputNormalizationConstants?> Known = new(
        DataSetCatalog.All.Where(set => set.Normalization is not null).OrderBy(set => set.Name, StringComparer.Ordinal)
            .Select(set => new KeyValuePair<string, InputNormalizationConstants?>(set.Name, set.Normalization))
            .Prepend(new(None, null)),
        StringComparer.Ordinal);

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var file = new Argument<string>("file")
        {
            HelpName = "FILE",
            Description = "file of a PyTorch program: safetensors, or of torch.save (.pt, .pth)",
        };
        var model = new Option<string?>("--model")
        {
            HelpName = "NAME",
            Description = "model of the file; by default recognised by its tensors",
        };
        var prefix = new Option<string?>("--prefix")
        {
            HelpName = "TEXT",
            Description = "prefix of the names of the network's tensors; by default found",
        };
        var normalization = new Option<string?>("--normalization")
        {
            HelpName = "NAME|MEANS/DEVIATIONS",
            Description = "constants that the network expects images to be normalised by; by default those in the file, or none",
        };
        var size = new Option<string?>("--image-size")
        {
            HelpName = "N",
            Description = "rows and columns of its images; by default 28 for grey images, 32 for colour images",
        };
        var command = new CommandLineCommand(
            "import",
            "Reads a network that a PyTorch program saved, makes the repairs that public checkpoints need, and writes a weights "
            + "file.", context)
        {
            Examples =
            [
                ("import trades.safetensors --model wrn-34-10 --out wrn.safetensors",
                    "a public checkpoint; every repair is reported"),
                ("import resnet.safetensors --out r.safetensors --normalization 0.4914,0.4822,0.4465/0.2023,0.1994,0.2010",
                    "a network with a normalisation that its file does not hold"),
                ("import checkpoint.pth --prefix state_dict.module. --out net.safetensors",
                    "one network of a training's checkpoint"),
                ("import both.safetensors --prefix ema. --out ema.safetensors --json", "one of two networks in a file"),
            ],
            Details =
            [
                "Repairs: prefixes of wrappers (module., model., basic_net., any other), num_batches_tracked, mu and sigma of "
                    + "normalisation wrappers, sub_block1 of TRADES, fc for linear, downsample for shortcut, features for "
                        + "feature, and "
                    + "float16, bfloat16 and float64. Tensors with fewer channels make the model narrower. "
                    + "evaluate, transfer, prune, retrain and inspect take the result.",
                "Files of torch.save are read without Python, and nothing in them can run: a file that asks for more than "
                + "tensors "
                    + "and dictionaries is refused.",
            ],
            Lists =
            [
                ("Normalizations",
                [
                    (None, "images stay as they are, in [0, 1]"),
                    ("cifar10", "mean and deviation of CIFAR-10"),
                    ("mnist", "mean and deviation of MNIST"),
                    ("MEANS/DEVIATIONS", "numbers for images in [0, 1], one for each channel, as in the example above"),
                ]),
            ],
        };
        command.Arguments.Add(file);
        foreach (Option option in new Option[] { model, prefix, normalization, size })
            command.Options.Add(option);
        return command.Executes(invocation =>
        {
            string path = invocation.Get(file)!;
            string target = invocation.Out
                ?? throw new ConfigurationException("import needs --out with the weights file to write.");
            invocation.RequireFile("--out", target);
            InputNormalizationConstants? constants = invocation.Get(normalization) is { } text ? Parse(text) : null;
            ImportedWeights imported = WeightImport.Read(path, new ImportOptions(
                invocation.Get(model), invocation.Get(size) is { } number ? ParseSize(number) : null, invocation.Get(prefix),
                constants,
                invocation.Get(normalization) is not null));
            WeightFile.Save(target, imported.State, ModelFileMetadata.Of(imported.Graph, imported.Normalization));
            return invocation.Print(
                new
                {
                    weights = Path.GetFullPath(target),
                    model = imported.Graph.Name,
                    input = imported.Graph.Input.Shape.ToString(),
                    classes = imported.Graph.Classes,
                    channels = imported.Graph.Channels,
                    normalization = imported.Normalization,
                    parameters = imported.Graph.Table.TrainedLength,
                    repairs = imported.Repairs,
                },
                writer => Write(writer, imported, target));
        });
    }

    private static void Write(TextWriter writer, ImportedWeights imported, string target)
    {
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{imported.Graph.Name} for {imported.Graph.Classes} classes of images of {imported.Graph.Input.Shape}, "
            + $"{imported.Graph.Table.TrainedLength:N0} parameters"));
        if (imported.Repairs.Count > 0)
        {
            var table = new TextTable("repair", ">tensors", "what was done");
            foreach (ImportRepair repair in imported.Repairs)
                table.Add(repair.Kind, repair.Tensors.Count.ToString("N0", CultureInfo.InvariantCulture), repair.Description);
            table.Write(writer);
        }
        writer.WriteLine(imported.Normalization is { } normalization
            ? $"Its first layer normalises images: mean {Numbers(normalization.Mean)}, deviation "
                + $"{Numbers(normalization.Deviation)}."
            : "It takes images in [0, 1] as they are; if it was trained behind a normalisation, give that with --normalization.");
        writer.WriteLine($"Weights: {AnswerText.Relative(Path.GetFullPath(target))}");
    }

    /// <summary>Numbers as options take them.</summary>
    public static string Numbers(IEnumerable<float> values) =>
        string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private static InputNormalizationConstants? Parse(string text)
    {
        if (Known.TryGetValue(text, out InputNormalizationConstants? known))
            return known;
        try
        {
            if (text.Split('/') is [string means, string deviations])
                return RequireUnitPixels(text, new InputNormalizationConstants(ParseNumbers(means), ParseNumbers(deviations)));
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            // Said below.
        }
        throw new ConfigurationException(
            $"--normalization is '{text}'; give {string.Join(", ", Known.Keys)}, or a mean and a positive deviation for each "
            + $"channel, such as 0.5,0.5,0.5/0.2,0.2,0.2.");
    }

    // What is typed is refused and not converted: whoever types it can say what is meant.
    private static InputNormalizationConstants RequireUnitPixels(string text, InputNormalizationConstants constants)
    {
        if (constants.AreForUnitPixels)
            return constants;
        string hint = constants.FromBytePixels is { } meant
            ? $"did you mean {Numbers(meant.Mean)}/{Numbers(meant.Deviation)}?"
            : "give a mean and a deviation of at most 1 for each channel.";
        throw new ConfigurationException($"--normalization is '{text}', which is not for images in [0, 1]; {hint}");
    }

    private static float[] ParseNumbers(string text) =>
        [.. text.Split(',').Select(value => float.Parse(value, CultureInfo.InvariantCulture))];

    private static int ParseSize(string text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int size))
            throw new ConfigurationException($"--image-size is '{text}'; give a whole number.");
        Require.InRange("imageSize", size, 1, 4096);
        return size;
    }
}
