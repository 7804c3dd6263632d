using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Slurm;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Sweeps;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>sweep</c>: a grid of settings.</summary>
internal static class SweepCommand
{
    private const string Name = SweepRun.Command;
    private const string UsualFolder = "experiments";

    // One and the same thing may go wrong at every point.
    private const int MostWarnings = 6;

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var grid = new Argument<string[]>("grid")
        {
            HelpName = "NAME=VALUES…",
            Description = "settings with their values: an option's name without dashes, then values with commas between, or a "
                + "range FIRST:LAST:STEP",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new CommandLineCommand(
            Name, "Runs a grid of settings: what run does, for every combination of the given values.", context)
        {
            Examples =
            [
                ("sweep learning-rate=0.01,0.03,0.1 --arms dense --epochs 5", "three learning rates of the full network"),
                ("sweep ratio=0.5:0.9:0.1 donor-epochs=2,5 --arms ticket --seeds 3",
                    "five ratios by two lengths of the donor; a donor is trained once for all ratios"),
                ("sweep epsilon=2/255,4/255,8/255 --preset cifar10-resnet18 --width 16 --out sweeps --json",
                    "one JSON document; progress goes to standard error"),
            ],
            Details =
            [
                "The parts of a sweep (trainings, tickets, tests) lie in the folder of --out (by default experiments/), which "
                    + "sweeps and experiments share. What is there is not computed again, and what two points need alike is "
                    + "computed once. After any interruption, the same command continues. A folder in it named after the sweep "
                    + "has report.html, results.csv and result.json.",
                "Data, seeds, device and arms are the same in all points and are given as options. Where a setting is a list "
                    + "itself, put semicolons between its values: 'learning-rate-drops=0.5;0.5,0.75'.",
            ],
        };
        Completions.Add(grid, ConfigurationOptions.All.Where(option => option.Listed).Select(option => option.Name + "="));
        command.Arguments.Add(grid);
        var workers = new SharedWorkers(command);
        var setup = new RunSetup(command, resumable: false);
        return command.WithAllSettings().Executes(invocation => Execute(
            invocation, setup, workers, invocation.Get(grid)!));
    }

    private static int Execute(Invocation invocation, RunSetup setup, SharedWorkers workers, string[] grid)
    {
        SweptOption[] options = [.. grid.Select(SweptOption.Parse)];
        foreach (SweptOption option in options)
        {
            if (invocation.Settings().Any(given => given.Option.Name == option.Name))
                throw new ConfigurationException(
                    $"{Setting.Named(option.Name)} is swept and given as an option; leave one of them out.");
        }
        SweepPoint[] points = [.. SweptOption.Grid(options).Select(values => new SweepPoint(values, setup.Configure(
            invocation, swept: [.. options.Select((option, index) => (
                ConfigurationOptions.Find(option.Name), values[index]))])))];
        string folder = invocation.Out ?? UsualFolder;
        if (workers.Submits(invocation, planned: false))
            return workers.Submit(invocation, SweepRun.FolderOf(points, folder));
        SweepOutcome outcome;
        try
        {
            outcome = setup.Do(
                invocation, points[0].Configuration, folder, StatedWork.Run, (backend, data, progress) =>
            {
                progress.Note(
                    $"sweep of {string.Join(", ", grid)}: {points.Length} points, {points[0].Configuration.Seeds} seed(s) each, "
                    + $"in "
                    + $"{folder}");
                return new SweepRun(options, points, folder, backend, data, progress).Execute(
                    invocation.CommandLine, invocation.Cancellation, workers.Share(invocation));
            }, workers.Share(invocation));
        }
        catch (OperationCanceledException cancellation)
        {
            throw new InterruptedException($"Interrupted and saved; to continue, repeat: {invocation.CommandLine}", cancellation);
        }

        SweepResult result = outcome.Result;
        invocation.Print(
            new { folder = outcome.Folder.Own, settings = setup.Stated, report = outcome.Folder.Report, result }, writer =>
        {
            (IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows) = SweepReports.Cells(result);
            var table = new TextTable(headers);
            foreach (IReadOnlyList<string> row in rows)
                table.Add(row);
            table.Write(writer);
            foreach (string line in TextWrap.Lines(SweepReports.Caption(result), invocation.Terminal.Width))
                writer.WriteLine(line);
            AnswerText.WriteWarnings(writer, invocation, result.Warnings.Take(MostWarnings));
            if (result.Warnings.Count > MostWarnings)
                writer.WriteLine(FormattableString.Invariant(
                    $"The report has {result.Warnings.Count - MostWarnings} more warnings."));
            writer.WriteLine($"Report: {AnswerText.Relative(outcome.Folder.Report)}");
        });
        return invocation.Afterwards(() =>
        {
            if (outcome.ReportFailure is { } failure)
                throw failure;
        });
    }
}
