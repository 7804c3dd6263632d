using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>inspect</c>: what a file holds.</summary>
internal static class InspectCommand
{
    // A checkpoint's history is metadata too, but nothing to read.
    private const int LongestMetadata = 200;

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var file = new Argument<string>("file")
        {
            HelpName = "FILE",
            Description = "weights, mask, ticket or checkpoint file: safetensors, or of torch.save (.pt, .pth)",
        };
        var command = new CommandLineCommand("inspect",
            "Describes a weights, mask, ticket or checkpoint file: its kind, tensors, sizes and sparsity by layer.", context)
        {
            Examples =
            [
                ("inspect runs/donor/ticket.safetensors", "kind, model, metadata, tensors and sparsity by layer"),
                ("inspect runs/donor/seed-0/train.best.safetensors --json", "the same for a script"),
            ],
        };
        command.Arguments.Add(file);
        return command.Executes(invocation =>
        {
            FileReport report = FileInspector.Inspect(invocation.Get(file)!);
            return invocation.Answer(report, writer => Write(writer, report));
        });
    }

    private static void Write(TextWriter writer, FileReport report)
    {
        writer.WriteLine(
            $"{report.Path}: {SettingNames.Of(report.Kind)}{(report.Model is { } model ? $" of {PlainText.Name(model)}" : "")}");
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{report.Bytes:N0} bytes, {report.Tensors.Count:N0} tensors, "
            + $"{(report.HasChecksum ? "checksum right" : "no checksum")}, "
            + $"{(report.IsOwn ? "written by this program" : "written elsewhere")}"));
        if (report.NonFinite > 0)
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"Warning: {report.NonFinite:N0} values are NaN or infinite."));
        foreach ((string name, string value) in report.Metadata.Where(entry => entry.Value.Length <= LongestMetadata))
            writer.WriteLine($"  {PlainText.Name(name)}: {PlainText.Escape(value)}");
        if (report.Channels.Count > 0)
        {
            writer.WriteLine();
            var channels = new TextTable("channels made by", ">channels", ">kept", ">removed %");
            foreach (TensorSparsity group in report.Channels)
                channels.Add(group.Name, Count(group.Total), Count(group.Kept), AnswerText.Percent(group.Sparsity));
            channels.Write(writer);
        }

        if (report.Layers.Count > 0)
        {
            writer.WriteLine();
            var sparsity = new TextTable("layer", ">weights", ">kept", ">pruned %");
            foreach (TensorSparsity layer in report.Layers)
                sparsity.Add(layer.Name, Count(layer.Total), Count(layer.Kept), AnswerText.Percent(layer.Sparsity));
            sparsity.Add("all", Count(report.Total), Count(report.Kept), AnswerText.Percent(report.Sparsity));
            sparsity.Write(writer);
        }

        writer.WriteLine();
        var tensors = new TextTable("tensor", "type", "shape", ">bytes");
        foreach (TensorReport tensor in report.Tensors)
            tensors.Add(tensor.Name, tensor.Type.ToString(), string.Join('x', tensor.Shape), Count(tensor.Bytes));
        tensors.Write(writer);
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
