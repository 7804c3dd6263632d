using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Slurm;
using BoostingTicket.Figures;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Planning;
using BoostingTicket.Runs.Experiments.Reports;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>experiment</c>: a table or figure of the paper, or an experiment of the project's own.</summary>
internal static class ExperimentCommand
{
    private const string Name = "experiment";
    private const string Table4 = "table4";
    private const string UsualFolder = "experiments";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var name = new Argument<string>("name")
        {
            HelpName = "NAME",
            Description = "table or figure of the paper, or speed; see the list above",
        };
        var scale = new Option<string?>("--scale")
        {
            HelpName = "S",
            Description = "factor of samples, epochs and width, above 0 and up to 1; by default 1, the scale of the paper",
        };
        var arms = new Option<string?>("--arms")
        {
            HelpName = "NAMES",
            Description = "what speed compares with the full network, separated by commas: "
                + string.Join(", ", ExperimentCatalog.All.SelectMany(experiment => experiment.Arms).Select(arm => arm.Name))
                + "; by default all. A finished experiment may be continued with others",
        };
        var attacked = new Option<string?>("--autoattack-samples")
        {
            HelpName = "N",
            Description = "first test images that AutoAttack attacks at the end of speed's trainings, by default 256; 0 for none",
        };
        var plan = new Option<bool>("--plan")
        {
            Description =
                "list what would be computed and how long it would take here, from steps measured on this device, and stop",
        };
        var command = new CommandLineCommand(
            Name,
            "Computes a table or figure of the paper, with the paper's numbers beside its own, or the time to equal robustness.",
            context)
        {
            Examples =
            [
                ("experiment table5 --data /srv/data", "Table 5 on the real MNIST, three seeds"),
                ("experiment table2 --device cuda --plan",
                    "what Table 2 at full scale would compute, and how long it would take here"),
                ("experiment table2 --scale 0.1 --seeds 3", "Table 2 with a tenth of the samples, epochs and width"),
                ("experiment figure1 --dataset synthetic-32 --scale 0.05", "Figure 1 on built-in images"),
                ("experiment figure7 --scale 0.1 --steps 10 --step-size 0.075 --json",
                    "one JSON document; progress goes to standard error"),
                ("experiment table2 --share --out /shared/experiments",
                    "one of several processes, on any number of machines, that share the parts of Table 2"),
                ("experiment table2 --slurm '--partition=gpu --gpus=1 --time=4:00:00' --workers 8",
                    "eight such processes as jobs of Slurm"),
                ("experiment speed --model resnet18-w16 --epochs 6 --steps 7 --arms ticket,channel",
                    "how soon two kinds of tickets reach the full network's robustness"),
                ("experiment table4", "Table 4, which needs no training"),
            ],
            Details =
            [
                "Experiments under one --out (by default experiments/) share their parts, which are computed once. After any "
                    + "interruption, the same command continues. --out has a folder for each experiment, with report.html, "
                    + "results.csv, the figure as NAME.png and NAME.svg and its points in figure.csv, tickets.csv, metrics.csv, "
                    + "summary.md and result.json.",
                "--share lets any number of processes do one experiment: each takes a part that nobody has, and waits where "
                + "others "
                    + "have all that can be done. A process may join at any time; the part of one that was killed is continued "
                        + "by "
                    + "another after a minute. Equal settings and processors give equal files, however many take part.",
                "--scale S multiplies samples, epochs and width by S, so the cost falls by about the fourth power. --dataset, "
                + "--model, "
                    + "--width, --epochs and --*-samples change one of these only.",
            ],
            Lists = [("Experiments", [
                .. ExperimentCatalog.All.Select(experiment => (experiment.Name, $"{experiment.Title}. {experiment.Description}")),
                (Table4, "parameters and sizes of the networks; needs no training")])],
        };
        Completions.Add(name, [.. ExperimentCatalog.Names, Table4]);
        command.Arguments.Add(name);
        command.Options.Add(scale);
        command.Options.Add(arms);
        command.Options.Add(attacked);
        command.Options.Add(plan);
        var workers = new SharedWorkers(command);
        var setup = new RunSetup(command, resumable: false, configurable: false);
        return command
            .WithOptions(
                ConfigurationOptions.Find("model") with { Description = "network to use instead of all of the paper's" },
                ConfigurationOptions.Find("width") with
                {
                    Description = "channels of the first stage (VGG-16, ResNet-18), or factor of the widest WideResNet",
                },
                ConfigurationOptions.Find("epochs") with
                {
                    Description = "epochs of the experiment's longest training; those of the others change in proportion",
                })
            .WithOptions(
                "seeds", "precision", "deterministic", "dataset", "train-samples", "test-samples", "validation-samples",
                "epsilon", "step-size",
                "steps", "batch", "replicas", "patience", "ratio", "rounds", "evaluation-steps", "probe-steps", "probe-samples",
                "evaluation-batch")
            .Executes(invocation => Execute(
                invocation, setup, workers, new ExperimentSources(
                    invocation.Get(name)!, invocation.Get(scale), invocation.Settings())
                {
                    Arms = invocation.Get(arms),
                    AttackedSamples = invocation.Get(attacked),
                },
                invocation.Get(plan)));
    }

    private static int Execute(
        Invocation invocation, RunSetup setup, SharedWorkers workers, ExperimentSources sources, bool plan)
    {
        string name = sources.Experiment;
        bool submits = workers.Submits(invocation, plan);
        if (name == Table4)
        {
            if (invocation.Out is not { } root)
                return ModelsCommand.AnswerTable4(invocation, files: null);
            var table = new ExperimentFolder(root, Table4);
            table.RequireNoRun();
            return ModelsCommand.AnswerTable4(invocation, table);
        }
        if (!ExperimentCatalog.Names.Contains(name))
            throw NearestName.Unknown("experiment", name, [.. ExperimentCatalog.Names, Table4]);
        string folder = invocation.Out ?? UsualFolder;
        ExperimentConfiguration configuration = sources.Compose(), before = (sources with { TakesAttack = false }).Compose();
        if (ExperimentRun.Holds(before, folder))
            configuration = before;
        Invocation.CheckDevice(configuration.Base.Device);
        if (submits)
            return workers.Submit(invocation, new ExperimentFolder(folder, name));
        return plan
            ? Plan(invocation, setup, configuration, folder)
            : Run(invocation, setup, configuration, folder, workers.Share(invocation));
    }

    // The experiment decides on networks and methods, piece by piece.
    private static RunStatement State(ExperimentConfiguration configuration, DataSplit data)
    {
        string scale = configuration.Scale.ToString(CultureInfo.InvariantCulture);
        return RunStatement.Of(
            StatedWork.Retrain,
            new ComposedConfiguration(configuration.Base, $"experiment {configuration.Experiment} at scale {scale}"), data,
            model: configuration.Model ?? "of the paper");
    }

    private static int Plan(Invocation invocation, RunSetup setup, ExperimentConfiguration configuration, string folder)
    {
        ExperimentPlan plan = setup.Do(
            invocation, configuration.Base, folder: null, (_, data) => State(configuration, data), (backend, data, progress) =>
                new ExperimentRun(configuration, folder, backend, data, progress)
                {
                    OpenBeside = precision => RunSetup.OpenBeside(invocation, configuration.Base, precision),
                }
                .Plan(invocation.Cancellation));
        return invocation.Print(plan, writer => Write(writer, plan, invocation.Terminal.Width));
    }

    private static int Run(
        Invocation invocation, RunSetup setup, ExperimentConfiguration configuration, string folder, bool share)
    {
        var files = new ExperimentFolder(folder, configuration.Experiment);
        ExperimentOutcome outcome;
        try
        {
            outcome = setup.Do(
                invocation, configuration.Base, folder, (_, data) => State(configuration, data), (backend, data, progress) =>
            {
                progress.Note(
                    $"{configuration.Experiment} on {configuration.Base.Data.Name}, {configuration.Base.Seeds} seed(s), in "
                    + $"{folder}");
                return new ExperimentRun(configuration, folder, backend, data, progress)
                {
                    OpenBeside = precision => RunSetup.OpenBeside(invocation, configuration.Base, precision),
                }
                .Execute(
                    invocation.CommandLine, new FigureFiles(), invocation.Cancellation, share);
            }, share);
        }
        catch (OperationCanceledException cancellation)
        {
            throw new InterruptedException($"Interrupted and saved; to continue, repeat: {invocation.CommandLine}", cancellation);
        }

        ExperimentResult result = outcome.Result;
        var answer = new
        {
            folder = files.Own,
            settings = setup.Stated,
            report = files.Report,
            summary = files.Summary,
            result,
        };
        invocation.Print(answer, writer =>
        {
            if (result.Rows.Count > 0)
                WriteTable(writer, ExperimentTables.Comparison(result));
            if (result.Speed is { } speed)
            {
                foreach (SpeedTable table in SpeedReports.BriefTables(speed))
                {
                    writer.WriteLine($"{table.Heading}:");
                    WriteTable(writer, table.Content);
                }
                foreach (string line in TextWrap.Lines(SpeedReports.Note(speed), invocation.Terminal.Width))
                    writer.WriteLine(line);
            }
            foreach (string line in TextWrap.Lines(ExperimentTables.Caption(result), invocation.Terminal.Width))
                writer.WriteLine(line);
            if (result.Tickets.Count > 0)
            {
                writer.WriteLine();
                writer.WriteLine("Relative weight distance of tickets:");
                WriteTable(writer, ExperimentTables.Tickets(result));
            }
            foreach (string warning in result.Warnings)
            {
                foreach (string line in TextWrap.Lines($"Warning: {warning}", invocation.Terminal.Width))
                    writer.WriteLine(line);
            }
            writer.WriteLine($"Report: {Path.GetRelativePath(Environment.CurrentDirectory, files.Report)}");
        });
        return invocation.Afterwards(() =>
        {
            if (outcome.ReportFailure is { } failure)
                throw failure;
        });
    }

    private static void Write(TextWriter writer, ExperimentPlan plan, int width)
    {
        var steps = new TextTable(
            "model", "pruned", "format", "method", ">batch", ">measured with", ">s a step", ">clean images/s", ">attack steps/s");
        foreach (StepTime step in plan.Steps)
        {
            steps.Add(
                step.Model, step.Pruned ?? "–", step.Precision, step.Method, Number(step.Batch, "0"),
                Number(step.MeasuredBatch, "0"),
                Number(step.StepSeconds, "0.####"), Number(1 / step.CleanImageSeconds, "N0"),
                Number(1 / step.AttackedImageSeconds, "N0"));
        }
        steps.Write(writer);
        writer.WriteLine();
        var nodes = new TextTable("", ">seed", ">steps", ">estimate", "what");
        foreach (PlannedNode node in plan.Nodes)
            nodes.Add(node.Done ? "done" : "to do", node.Seed.ToString(CultureInfo.InvariantCulture), Number(
                node.Steps, "N0"), Durations.Short(node.Seconds), node.Label);
        nodes.Write(writer, width);
        writer.WriteLine();
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Experiment}, {plan.Seeds.Count} seed(s): {plan.Nodes.Count(node => !node.Done)} of {plan.Nodes.Count} parts "
            + $"to do, about {Durations.Short(plan.SecondsLeft)} (of {Durations.Short(plan.SecondsInAll)} in all)."));
    }

    private static void WriteTable(
        TextWriter writer, (IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows) cells)
    {
        var table = new TextTable(cells.Headers);
        foreach (IReadOnlyList<string> row in cells.Rows)
            table.Add(row);
        table.Write(writer);
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
