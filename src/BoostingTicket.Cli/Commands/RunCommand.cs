using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>run</c>: the main job from the donor to the report.</summary>
internal static class RunCommand
{
    private const string Name = "run";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var command = new CommandLineCommand(
            Name, "Finds a boosting ticket, retrains it robustly and compares it with the dense baseline and controls.", context)
        {
            Examples =
            [
                ("run", "the preset quick: built-in images, in about two minutes on two cores"),
                ("run --preset mnist-lenet --data /srv/data --out runs/mnist",
                    "Table 5 of the paper on the real MNIST, three seeds"),
                ("run --preset cifar10-resnet18 --width 16 --epochs 8 --train-samples 10000 --test-samples 1000",
                    "a preset scaled down to what a processor can compute"),
                ("run --method natural --arms dense,winning,ticket,reinit --seeds 3",
                    "natural training, with the winning ticket"),
                ("run --weights donor.safetensors --reset none --out runs/pruned",
                    "pruning of a trained network that keeps its weights"),
                ("run --resume --out runs/mnist", "continue after an interruption, with the settings of that run"),
                ("run --json > result.json", "one JSON document with all numbers; progress goes to standard error"),
            ],
            Details =
            [
                "Stages for each seed: train a donor, prune it, reset the weights that are left, retrain them, test. The dense "
                + "network "
                    + "and controls are trained for comparison. The folder of --out (by default a new one under runs/) receives "
                        + "settings, weights, tickets, metrics and report.html.",
                WatchSetup.Detail,
            ],
            Lists = [("Presets", [.. Presets.All.Select(preset => (preset.Name, preset.Description))])],
        };
        var setup = new RunSetup(command, resumable: true);
        var watch = new WatchSetup(command, setup);
        var weights = new StartWeightsOptions(
            command, "weights that donor and dense network start from, of this program or of a PyTorch program, instead of "
                + "random ones; tickets are reset to them");
        return command.WithAllSettings().Executes(invocation => Execute(invocation, setup, watch, weights));
    }

    private static int Execute(Invocation invocation, RunSetup setup, WatchSetup watch, StartWeightsOptions weights)
    {
        StartWeights? start = weights.Read(invocation);
        (RunConfiguration configuration, string folder, bool resume) = setup.Open(invocation, name: null, origin: start?.Origin);
        string[] line = [Name, .. weights.Repeated(invocation)];
        RunResult result = setup.Resumable(
            invocation, folder, watch.Repeated(invocation, line), () => setup.Do(
            invocation, configuration, folder, StatedWork.Run, (backend, data, progress) =>
        {
            progress.Note(
                $"{configuration.Preset}: {configuration.Model} on {configuration.Data.Name}, {configuration.Seeds} seed(s), in "
                + $"{folder}");
            foreach (string note in start?.Notes ?? [])
                progress.Note(note);
            return new TicketRun(configuration, folder, backend, data, progress)
            {
                Watch = watch.Watch(invocation, folder, line),
            }.Execute(resume, invocation.Cancellation, start);
        }));
        var files = new RunFolder(folder);
        invocation.Print(
            new
            {
                folder = files.Root,
                settings = setup.Stated,
                report = files.Report,
                finding = RunSummary.Finding(result),
                rows = RunSummary.Of(result),
                result,
            },
            writer =>
            {
                TableText.Write(result, writer, invocation.Terminal.Width);
                // What the tables of reports always show, where it was chosen by it.
                if (configuration.Pruning.CountsCost)
                {
                    writer.WriteLine();
                    StepTable.Write(result, writer);
                    WriteWrapped(writer, StepTable.Caption, invocation.Terminal.Width);
                }
                writer.WriteLine();
                if (RunSummary.Finding(result) is { } finding)
                    WriteWrapped(writer, finding, invocation.Terminal.Width);
                foreach (string warning in result.Seeds.SelectMany(seed => seed.Warnings).Distinct())
                    WriteWrapped(writer, $"Warning: {warning}", invocation.Terminal.Width);
                writer.WriteLine($"Report: {Path.GetRelativePath(Environment.CurrentDirectory, files.Report)}");
            });
        return invocation.Afterwards(() => invocation.Saving.Do(() => RunReports.Write(files, result, invocation.CommandLine)));
    }

    private static void WriteWrapped(TextWriter writer, string text, int width)
    {
        foreach (string line in TextWrap.Lines(text, width))
            writer.WriteLine(line);
    }
}
