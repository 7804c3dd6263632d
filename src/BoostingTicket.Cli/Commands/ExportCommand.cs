using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>export</c>: networks for PyTorch programs.</summary>
internal static class ExportCommand
{
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
            "export", "Writes a network for PyTorch programs with the names of public code, tickets with their mask applied.",
            context)
        {
            Examples =
            [
                ("export runs/cifar/seed-0/ticket.best.safetensors --style torchvision --out resnet.safetensors",
                    "a ResNet-18 with fc and downsample"),
                ("export wrn.safetensors --style trades --out trades.safetensors", "a WideResNet that the code of TRADES loads"),
                ("export wrn.safetensors --style robustbench --out wrn.pt", "the same for torch.load(weights_only=True)"),
                ("export runs/donor/ticket.safetensors --out subnetwork.safetensors --json",
                    "a ticket's initial weights, pruned ones zero"),
            ],
            Details =
            [
                "In Python: model.load_state_dict(safetensors.torch.load_file('resnet.safetensors')), or torch.load('wrn.pt'). "
                    + "Tensors are dense F32 in PyTorch's order of dimensions.",
            ],
            Lists =
            [
                ("Styles", [.. PyTorchStyle.All.Select(known => (known.Name, known.Description))]),
                ("Formats", [("safetensors", "tensors in PyTorch's order of dimensions"), (
                    "pt", "a state_dict as torch.save writes it (.pt, .pth)")]),
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
            ExportReport report = WeightExport.Write(
                invocation.Get(file)!, target, invocation.Get(style) ?? PyTorchStyle.Usual, invocation.Get(prefix) ?? "",
                FormatOf(invocation.Get(format), target));
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

    private static ExportFormat FormatOf(string? name, string target) => name switch
    {
        null => Path.GetExtension(target) is ".pt" or ".pth" ? ExportFormat.Torch : ExportFormat.Safetensors,
        "pt" => ExportFormat.Torch,
        "safetensors" => ExportFormat.Safetensors,
        _ => throw NearestName.Unknown("format", name, ["safetensors", "pt"]),
    };
}
