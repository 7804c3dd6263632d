using System.CommandLine;
using System.Globalization;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Reporting;
using BoostingTicket.Training.Tickets;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>prune</c>: draws a ticket from trained weights.</summary>
internal static class PruneCommand
{
    private const string InitialName = "initial.safetensors";
    private const string TicketName = "ticket.safetensors";

    /// <summary>The command.</summary>
    public static Command Create(Surroundings surroundings)
    {
        var trained = new Argument<string>("weights") { HelpName = "WEIGHTS", Description = "weights of the donor after training" };
        var initial = new Option<string?>("--initial") { HelpName = "FILE", Description = $"weights of the donor before training; otherwise {InitialName} beside WEIGHTS" };
        var command = new CommandLineCommand("prune", "Prunes trained weights by magnitude and resets what is left to its initial values: a ticket.", surroundings)
        {
            Examples =
            [
                ("prune runs/donor/seed-0/train.last.safetensors --ratio 0.8 --out runs/donor/ticket.safetensors", "a ticket of a fifth of the weights"),
                ("prune donor.safetensors --initial initial.safetensors --scope layerwise --preset cifar10-resnet18", "the same share in every layer"),
            ],
            Details = [$"The ticket goes to the file of --out, otherwise to {TicketName} beside WEIGHTS. Settings of the run that WEIGHTS belongs to are used unless others are named."],
        };
        command.Arguments.Add(trained);
        command.Options.Add(initial);
        var workbench = new Workbench(command, resumable: false);
        return command.WithOptions(
            "--dataset", "--normalize", "--model", "--width", "--ratio", "--scope", "--minimum-kept", "--prune-hidden-linear").Executes(invocation =>
        {
            string weights = invocation.Get(trained)!;
            string beside = Path.GetDirectoryName(Path.GetFullPath(weights)) ?? ".";
            RunConfiguration configuration = workbench.Configure(invocation, EvaluateCommand.ConfigurationBeside(weights));
            string ticket = invocation.Out ?? Path.Combine(beside, TicketName);
            PruningReport report = workbench.Do(invocation, configuration, folder: null, (backend, data, progress) =>
                new SingleSteps(configuration, backend, data, progress).Prune(weights, invocation.Get(initial) ?? Path.Combine(beside, InitialName), ticket));
            return invocation.Print(new { ticket = Path.GetFullPath(ticket), report }, writer =>
            {
                var table = new TextTable("layer", ">weights", ">kept", ">pruned %");
                foreach (var layer in report.Layers)
                    table.Add(layer.Name, Count(layer.Total), Count(layer.Kept), StepAnswers.Percent(Share(layer.Total, layer.Kept)));
                long total = report.Layers.Sum(layer => (long)layer.Total), kept = report.Layers.Sum(layer => (long)layer.Kept);
                table.Add("all", Count(total), Count(kept), StepAnswers.Percent(Share(total, kept)));
                table.Write(writer);
                foreach (string warning in report.Warnings)
                    writer.WriteLine($"Warning: {warning}");
                writer.WriteLine($"Ticket: {StepAnswers.Relative(Path.GetFullPath(ticket))}");
            });
        });
    }

    private static double Share(long total, long kept) => total == 0 ? 0 : 1 - ((double)kept / total);

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
