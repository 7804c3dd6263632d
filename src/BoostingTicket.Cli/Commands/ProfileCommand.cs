using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Profiling;
using BoostingTicket.Training;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>profile</c>: what steps of training cost, and where.</summary>
internal static class ProfileCommand
{
    private const int UsualTop = 20;
    private static readonly FeatureShape Gray = new(1, 28, 28);

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var usual = new ProfileOptions();
        var batches = Number(
            "--batches",
            $"batches to time, by default {usual.Batches}; 0 for a whole epoch. As many are instrumented, at most "
            + $"{Profiler.MostObserved}");
        var warmup = Number("--warmup", $"batches of each kind to run before timing starts; by default {usual.WarmupBatches}");
        var sparsity = new Option<string?>("--sparsity")
        {
            HelpName = "SHARE",
            Description = "share to prune by magnitude first, as --ratio: of the prunable weights, or of multiply-adds with "
                + "--structure channel; by default 0",
        };
        var weights = new Option<string?>("--weights")
        {
            HelpName = "FILE",
            Description = "weights to start from (and to prune); by default initial weights",
        };
        var operations = new Option<bool>("--operations")
        {
            Description = "time each layer and operation too, waiting for the device after each",
        };
        var trace = new Option<string?>("--trace")
        {
            HelpName = "FILE",
            Description = "file for a timeline, for ui.perfetto.dev or chrome://tracing",
        };
        var top = Number("--top", $"layers and operations to show, the longest first; by default {UsualTop}");
        var plan = new Option<bool>("--plan")
        {
            Description =
                "count what a step asks of a GPU, without having one, and calculate the least time that GPUs need for it",
        };
        var command = new CommandLineCommand(
            "profile", "Measures the time of training steps by phase, layer and operation.", context)
        {
            DefaultsFollowInput = true,
            Examples =
            [
                ("profile --model resnet18-w16 --method pgd --steps 10", "phases of a PGD-10 training step on built-in images"),
                ("profile --model resnet18-w16 --sparsity 0.9 --operations --top 30",
                    "layers and operations too, of a network that is 90 % pruned"),
                ("profile --model resnet18-w16 --structure channel --sparsity 0.5",
                    "a network whose channels were pruned to half of the multiply-adds"),
                ("profile --model wrn-34-10 --device cuda --precision bf16 --batches 50 --json",
                    "one JSON document for a script"),
                ("profile --preset cifar10-wrn34 --precision bf16 --plan",
                    "the least time that an epoch of PGD-10 takes on GPUs"),
                ("profile --model vgg16 --operations --batches 2 --trace trace.json", "a timeline to open in ui.perfetto.dev"),
            ],
            Details =
            [
                "Times normal steps, then instrumented ones, in turns. Normal steps show how fast training is. Instrumented "
                + "steps wait "
                    + "for the device after each phase and, with --operations, after each operation; they show where the time "
                        + "goes. "
                    + "Every step is a real one: images, attack, forward and backward pass, SGD, mask.",
                "Without --preset, --config, --weights and a published --dataset: batches of 128, PGD of 10 steps, and "
                    + "the built-in images that the model takes, with crops and flips if they are colour images.",
                "Gop/s counts the operations of the unpruned network, a multiply-add as two. limit % is the time that the device "
                + "would "
                    + "need for that work at its measured peaks, divided by the time taken; pruning and fast algorithms can "
                        + "bring it "
                    + "above 100.",
            ],
        };
        foreach (Option option in new Option[] { batches, warmup, sparsity, weights, operations, trace, top, plan })
            command.Options.Add(option);
        var setup = new RunSetup(command, resumable: false);
        return command.WithOptions(
            "dataset", "train-samples", "validation-samples", "crop-flip", "normalize", "model", "width", "init", "precision",
            "deterministic", "method", "batch", "replicas", "epsilon", "step-size", "steps", "restarts", "attack-loss",
            "attack-bn", "structure", "channel-ratio", "channel-criterion", "channel-multiple", "scope", "cost-exponent",
            "minimum-kept", "prune-hidden-linear", "evaluation-batch").Executes(invocation =>
        {
            var options = new ProfileOptions(
                Parse(invocation, batches, usual.Batches), Parse(invocation, warmup, usual.WarmupBatches),
                Share(invocation, sparsity),
                invocation.Get(weights), invocation.Get(operations));
            options.Validate();
            int shown = Parse(invocation, top, UsualTop);
            Require.InRange("top", shown, 1, 1_000_000);
            RunConfiguration configuration = setup.Configure(
                invocation, options.Weights is { } file ? [file] : null, usual: Usual);
            invocation.RequireAnswerFile();
            invocation.RequireFile(trace.Name, invocation.Get(trace));
            if (invocation.Get(plan))
            {
                if (invocation.Device == DeviceCatalog.Cpu)
                    throw new ConfigurationException("--plan counts what a GPU would do; leave out --device cpu.");
                StepBudget budget = StepBudget.Count(configuration, options);
                return invocation.Answer(budget, budget.Write);
            }
            ProfileTrace? course = invocation.Get(trace) is null ? null : new ProfileTrace();
            ProfileReport report = setup.Do(
                invocation, configuration, folder: null, StatedWork.Profile, (backend, data, progress) =>
            {
                if (options.Weights is { } path)
                    OriginChecks.RequireNormalization(path, configuration, data);
                return new Profiler(configuration, options, backend, data, progress).Run(
                    () => MachinePeaks.Measure(backend, invocation.Threads), course, invocation.Cancellation);
            });
            report = report with { Settings = setup.Stated };
            invocation.Answer(report, writer => ProfileTables.Write(report, shown, writer, hint: "--top shows more, --json all"));
            return invocation.Afterwards(() => course?.Save(invocation.Get(trace)!));
        });
    }

    // What makes profiles of different models comparable, where nothing else was asked for.
    private static IEnumerable<(string Name, string Value)> Usual(RunConfiguration asked)
    {
        yield return ("batch", "128");
        yield return ("steps", "10");
        if (ModelCatalog.Describe(asked.Model).Input != Gray)
        {
            yield return ("dataset", "synthetic-32");
            yield return ("crop-flip", "true");
        }
    }

    private static Option<string?> Number(string name, string description) => new(name)
    {
        HelpName = "N",
        Description = description,
    };

    private static int Parse(Invocation invocation, Option<string?> option, int usual) =>
        invocation.Get(option) is not { } text ? usual
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number
        : throw new ConfigurationException($"{option.Name} is '{text}'; give a whole number.");

    private static double Share(Invocation invocation, Option<string?> option) => invocation.Get(option) is not { } text ? 0
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) ? share
        : throw new ConfigurationException($"{option.Name} is '{text}'; give a share such as 0.9.");
}
