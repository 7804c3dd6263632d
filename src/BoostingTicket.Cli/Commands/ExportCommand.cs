using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>export</c>: networks for PyTorch programs.</summary>
internal static class ExportCommand
{
    private const string Safetensors = "safetensors", Torch = "pt", Onnx = "onnx";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var file = new Argument<string>("file") { HelpName = "FILE", Description = "weights or ticket file" };
        var style = new Option<string?>("--style")
        {
            HelpName = "NAME",
            Description = $"naming of the tensors; by default {PyTorchStyle.Usual}",
        };
        var prefix = new Option<string?>("--prefix")
        {
            HelpName = "TEXT",
            Description = "prefix of all names, such as module. for DataParallel",
        };
        var format = new Option<string?>("--format")
        {
            HelpName = "NAME",
            Description = "format of the file; by default as --out ends, else safetensors",
        };
        var command = new CommandLineCommand(
            "export",
            "Writes a network for PyTorch programs with the names of public code, or as ONNX; tickets with their mask applied.",
            context)
        {
            Examples =
            [
                ("export runs/cifar/seed-0/ticket.best.safetensors --style torchvision --out resnet.safetensors",
                    "a ResNet-18 with fc and downsample"),
                ("export wrn.safetensors --style trades --out trades.safetensors", "a WideResNet that the code of TRADES loads"),
                ("export wrn.safetensors --style robustbench --out wrn.pt", "the same for torch.load(weights_only=True)"),
                ("export runs/donor/ticket.safetensors --out ticket.onnx", "the sub-network for ONNX Runtime"),
                ("export runs/donor/ticket.safetensors --out subnetwork.safetensors --json",
                    "a ticket's initial weights, pruned ones zero"),
            ],
            Details =
            [
                "In Python: model.load_state_dict(safetensors.torch.load_file('resnet.safetensors')), or torch.load('wrn.pt'). "
                    + "Tensors are dense F32 in PyTorch's order of dimensions.",
                $"An ONNX file (opset {OnnxExport.Opset}) computes logits [batch, classes] from images [batch, channels, "
                    + "rows, columns] in [0, 1], for any batch. Its normalisation of images is inside.",
            ],
            Lists =
            [
                ("Styles", [.. PyTorchStyle.All.Select(known => (known.Name, known.Description))]),
                ("Formats", [("safetensors", "tensors in PyTorch's order of dimensions"), (
                    "pt", "a state_dict as torch.save writes it (.pt, .pth)"),
                    ("onnx", "layers and weights, for ONNX Runtime and others (.onnx)")]),
            ],
        };
        command.Arguments.Add(file);
        command.Options.Add(style);
        command.Options.Add(prefix);
        command.Options.Add(format);
        return command.Executes(invocation =>
        {
            string target = invocation.Out ?? throw new ConfigurationException("export needs --out with the file to write.");
            invocation.RequireFile("--out", target);
            string chosen = FormatOf(invocation.Get(format), target);
            if (chosen == Onnx)
            {
                RequireAbsent(style, invocation.Get(style));
                RequireAbsent(prefix, invocation.Get(prefix));
                return WriteOnnx(invocation, invocation.Get(file)!, target);
            }

            ExportReport report = WeightExport.Write(
                invocation.Get(file)!, target, invocation.Get(style) ?? PyTorchStyle.Usual, invocation.Get(prefix) ?? "",
                chosen == Torch ? ExportFormat.Torch : ExportFormat.Safetensors);
            return invocation.Print(new { file = Path.GetFullPath(target), report }, writer =>
            {
                string pruned = report.Pruned is { } count
                    ? string.Create(CultureInfo.InvariantCulture, $", {count:N0} weights pruned")
                    : "";
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{report.Model} in the style {report.Style}: {report.Tensors:N0} tensors{pruned}"));
                if (report.Normalization is { } normalization)
                {
                    string constants =
                        $"mean {ImportCommand.Numbers(normalization.Mean)}, deviation "
                        + $"{ImportCommand.Numbers(normalization.Deviation)}";
                    writer.WriteLine(report.NormalizationIncluded
                        ? $"The file holds its normalisation of images: {constants}."
                        : $"The network expects normalised images: subtract the mean and divide by the deviation first "
                            + $"({constants}).");
                }
                writer.WriteLine($"File: {AnswerText.Relative(Path.GetFullPath(target))}");
            });
        });
    }

    private static int WriteOnnx(Invocation invocation, string file, string target)
    {
        OnnxReport report = OnnxExport.Write(file, target);
        return invocation.Print(new { file = Path.GetFullPath(target), report }, writer =>
        {
            string pruned = report.Pruned is { } count
                ? string.Create(CultureInfo.InvariantCulture, $", {count:N0} weights pruned")
                : "";
            FeatureShape image = report.InputShape;
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{report.Model} as ONNX, opset {report.Opset}: {report.Nodes:N0} nodes, {report.Tensors:N0} tensors{pruned}"));
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Input: {report.Input} [batch, {image.Channels}, {image.Height}, {image.Width}] in [0, 1]"));
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Output: {report.Output} [batch, {report.Classes}]"));
            if (report.Normalization is { } normalization)
            {
                writer.WriteLine(
                    $"The file normalises the images itself: mean {ImportCommand.Numbers(normalization.Mean)}, deviation "
                    + $"{ImportCommand.Numbers(normalization.Deviation)}.");
            }
            writer.WriteLine($"File: {AnswerText.Relative(Path.GetFullPath(target))}");
        });
    }

    private static void RequireAbsent(Option<string?> option, string? value)
    {
        if (value is not null)
        {
            throw new ConfigurationException(
                $"{option.Name} names tensors for PyTorch programs, which an ONNX file is not for; leave it out.");
        }
    }

    private static string FormatOf(string? name, string target) => name switch
    {
        null => Path.GetExtension(target) switch
        {
            ".pt" or ".pth" => Torch,
            ".onnx" => Onnx,
            _ => Safetensors,
        },
        Torch or Safetensors or Onnx => name,
        _ => throw NearestName.Unknown("format", name, [Safetensors, Torch, Onnx]),
    };
}
