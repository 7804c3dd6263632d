using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>retrain</c>: trains a ticket.</summary>
internal static class RetrainCommand
{
    private const string Name = "retrain";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var ticket = new Argument<string>("ticket")
        {
            HelpName = "TICKET",
            Description = "ticket file, as prune and run write it; with --mask, a weights file",
        };
        var maskFile = new Option<string?>("--mask")
        {
            HelpName = "FILE",
            Description = "mask file, as prune --mask-out writes it, for the initial weights in TICKET",
        };
        var command = new CommandLineCommand(Name, "Trains a ticket from its initial weights; pruned weights stay zero.", context)
        {
            DefaultsFollowInput = true,
            Examples =
            [
                ("retrain runs/donor/ticket.safetensors --epochs 3 --out runs/ticket",
                    "retraining with the settings of the run that the ticket comes from, but fewer epochs"),
                ("retrain runs/donor/ticket.safetensors --warmup-from none --out runs/cold", "the same without warm-up"),
                ("retrain runs/donor/ticket.safetensors --resume --out runs/ticket", "continue after an interruption"),
                ("retrain initial.safetensors --mask mask.safetensors --epochs 3 --out runs/ticket",
                    "a mask from one file on initial weights from another"),
                ("retrain runs/donor/ticket.safetensors --weights runs/donor/seed-0/train.last.safetensors --out runs/tuned",
                    "the ticket's mask on the donor's trained weights: fine-tuning"),
            ],
            Details = [WatchSetup.Detail],
        };
        command.Arguments.Add(ticket);
        command.Options.Add(maskFile);
        var setup = new RunSetup(command, resumable: true);
        var watch = new WatchSetup(command, setup);
        var weights = new StartWeightsOptions(
            command, "weights to start from under the mask of TICKET, instead of the ticket's own");
        // Initial weights come with the ticket.
        return command.WithSettings(OptionGroup.Data).WithOptions("model", "width", "prune-hidden-linear")
            .WithSettings(OptionGroup.Attack).WithTraining("retrain").WithSettings(OptionGroup.Evaluation)
            .Executes(invocation =>
            {
                string path = invocation.Get(ticket)!;
                string? mask = invocation.Get(maskFile);
                StartWeights? start = weights.Read(invocation);
                if (start is not null && mask is not null)
                    throw new ConfigurationException(
                        $"With --mask, {path} has the weights to start from, and --weights others; leave one of them out.");
                (RunConfiguration configuration, string folder, bool resume) =
                    setup.Open(invocation, Name, mask is null ? [path] : [path, mask]);
                string[] line =
                    [Name, path, .. mask is null ? (string[])[] : ["--mask", mask], .. weights.Repeated(invocation)];
                ArmResult result = setup.Resumable(
                    invocation, folder, watch.Repeated(invocation, line), () => setup.Do(
                    invocation, configuration, folder, StatedWork.Retrain, (backend, data, progress) =>
                {
                    OriginChecks.RequireNormalization(path, configuration, data, takesOwn: start is not null);
                    foreach (string note in start?.Notes ?? [])
                        progress.Note(note);
                    return new TicketTraining(configuration, backend, data, progress)
                    {
                        Watch = watch.Watch(invocation, folder, line),
                    }.Execute(path, mask, folder, resume, invocation.Cancellation, start);
                }));
                return AnswerText.Training(
                    invocation, configuration, setup.Stated!, new RunFolder(folder), TicketTraining.Stage, result);
            });
    }
}
