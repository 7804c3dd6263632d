using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>prune</c>: draws a ticket from trained weights.</summary>
internal static class PruneCommand
{
    private const string InitialName = "initial.safetensors";
    private const string TicketName = "ticket.safetensors";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var trained = new Argument<string>("weights")
        {
            HelpName = "WEIGHTS",
            Description = "weights of the donor after training",
        };
        var initial = new Option<string?>("--initial")
        {
            HelpName = "FILE",
            Description = $"weights that the ticket is reset to; by default as --reset says: {InitialName} beside WEIGHTS",
        };
        var maskOut = new Option<string?>("--mask-out")
        {
            HelpName = "FILE",
            Description = "file for the mask alone, in addition to the ticket",
        };
        var command = new CommandLineCommand("prune",
            "Draws a ticket: prunes trained weights by magnitude and resets the others to their initial values.", context)
        {
            DefaultsFollowInput = true,
            Examples =
            [
                ("prune runs/donor/seed-0/train.last.safetensors --ratio 0.8 --out runs/donor/ticket.safetensors",
                    "a ticket that keeps a fifth of the weights"),
                ("prune donor.safetensors --initial initial.safetensors --scope layerwise --preset cifar10-resnet18",
                    "the same share in every layer"),
                ("prune runs/donor/seed-0/train.last.safetensors --reset none --out pruned.safetensors",
                    "pruning that keeps the trained weights"),
                ("prune runs/donor/seed-0/train.last.safetensors --structure channel --ratio 0.5",
                    "a smaller dense network with half of the multiply-adds"),
                ("prune runs/donor/seed-0/train.last.safetensors --mask-out mask.safetensors",
                    "the mask in a file of its own too; inspect shows it"),
            ],
            Details =
            [
                $"The ticket goes to the file of --out, else to {TicketName} beside WEIGHTS. Settings are those of the run "
                    + "that WEIGHTS comes from, unless others are named.",
                "Weights that are exactly zero count as pruned and stay so; a --ratio below their share is refused. Of weights "
                    + "of equal magnitude the first are pruned first: layer by layer, within a layer in the order of PyTorch's "
                    + "tensors.",
            ],
        };
        command.Arguments.Add(trained);
        command.Options.Add(initial);
        command.Options.Add(maskOut);
        var setup = new RunSetup(command, resumable: false);
        return command.WithOptions(
            "dataset", "normalize", "model", "width", "structure", "ratio", "channel-ratio", "channel-criterion",
            "channel-multiple", "scope", "cost-exponent", "minimum-kept", "prune-hidden-linear", "reset").Executes(invocation =>
        {
            string weights = invocation.Get(trained)!;
            string beside = Path.GetDirectoryName(Path.GetFullPath(weights)) ?? ".";
            RunConfiguration configuration = setup.Configure(invocation, [weights]);
            string? mask = invocation.Get(maskOut);
            string ticket = invocation.Out ?? Path.Combine(beside, TicketName);
            invocation.RequireFile("--out", ticket);
            invocation.RequireFile(maskOut.Name, mask);
            (PruningReport report, Ticket? kept) = setup.Do(
                invocation, configuration, folder: null, StatedWork.Prune, (backend, data, progress) =>
            {
                string untrained = invocation.Get(initial) ?? ResetFile(configuration.Pruning, weights, beside);
                OriginChecks.RequireNormalization(weights, configuration, data);
                OriginChecks.RequireNormalization(untrained, configuration, data);
                PruningReport drawn = new TicketPruning(configuration, data, progress).Execute(weights, untrained, ticket);
                return (drawn, mask is null ? null : TicketFile.Load(ticket, TicketRun.BuildModel(configuration, data)));
            });
            var answer = new
            {
                ticket = Path.GetFullPath(ticket),
                mask = mask is null ? null : Path.GetFullPath(mask),
                settings = setup.Stated,
                report,
            };
            invocation.Print(answer, writer =>
            {
                var table = new TextTable("layer", ">weights", ">kept", ">pruned %");
                foreach (var layer in report.Layers)
                    table.Add(
                        layer.Name, Count(layer.Total), Count(layer.Kept), AnswerText.Percent(Share(layer.Total, layer.Kept)));
                long total = report.Layers.Sum(layer => (long)layer.Total), kept = report.Layers.Sum(layer => (long)layer.Kept);
                table.Add("all", Count(total), Count(kept), AnswerText.Percent(Share(total, kept)));
                table.Write(writer);
                double share = report.MultiplyAdds == 0 ? 1 : (double)report.KeptMultiplyAdds / report.MultiplyAdds;
                writer.WriteLine(
                    $"Multiply-adds of an image: {Count(report.KeptMultiplyAdds)} of {Count(report.MultiplyAdds)} kept "
                    + $"({AnswerText.Percent(share)} %)");
                foreach (string warning in report.Warnings)
                    writer.WriteLine($"Warning: {warning}");
                writer.WriteLine($"Ticket: {AnswerText.Relative(Path.GetFullPath(ticket))}");
                if (mask is not null)
                    writer.WriteLine($"Mask: {AnswerText.Relative(Path.GetFullPath(mask))}");
            });
            return invocation.Afterwards(() =>
            {
                if (mask is not null)
                    SaveMask(mask, kept!);
            });
        });
    }

    private static string ResetFile(PruningSettings pruning, string weights, string beside)
    {
        ResetPoint reset = ResetPoint.Parse(pruning.Reset);
        if (reset.Epoch is not { } epoch)
            return weights;
        if (reset.IsInitial)
            return Path.Combine(beside, InitialName);
        string stage = Path.GetFileName(weights).Split('.')[0];
        return Path.Combine(beside, FormattableString.Invariant($"{stage}.epoch-{epoch}.safetensors"));
    }

    private static void SaveMask(string path, Ticket ticket) => MaskFile.Save(
        path, ticket.Network,
        ticket.Metadata ?? throw new InvalidOperationException("a ticket that was just written says where it comes from"));

    private static double Share(long total, long kept) => total == 0 ? 0 : 1 - ((double)kept / total);

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
