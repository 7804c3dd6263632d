using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>transfer</c>: adversarial images of some networks, shown to others.</summary>
internal static class TransferCommand
{
    private const string UsualAttack = "pgd-20";
    private const int UsualSteps = 20;
    private const int MostNetworks = 1_000;

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var weights = new Argument<string[]>("weights")
        {
            HelpName = "WEIGHTS WEIGHTS...",
            Description = "weights files (safetensors), of one model or of several",
            Arity = new ArgumentArity(1, MostNetworks),
        };
        var attack = new Option<string?>("--attack")
        {
            HelpName = "NAME",
            Description =
                $"attack that makes the images; by default {UsualAttack}, or pgd where --steps is given or the settings have "
                + "more steps",
        };
        var command = new CommandLineCommand("transfer",
            "Measures the accuracy of saved networks on adversarial images made against each other: a matrix.", context)
        {
            DefaultsFollowInput = true,
            Examples =
            [
                ("transfer runs/mnist/seed-0/dense.best.safetensors runs/mnist/seed-0/ticket.best.safetensors",
                    "with data and attack of the run that the first comes from"),
                ("transfer vgg.safetensors resnet.safetensors wrn.safetensors --dataset cifar10 --json",
                    "three models on the whole test set of CIFAR-10, at 8/255"),
                ("transfer a.safetensors b.safetensors --attack apgd-ce --epsilon 4/255 --test-samples 1000",
                    "another attack, on the first 1,000 test images"),
            ],
            Details =
            [
                "Every test sample is attacked on every network. Accuracies are shares of all samples; the diagonal is the "
                + "white-box "
                    + "attack. Model and normalisation come from the files; import files of other programs first.",
            ],
            Lists = [("Attacks", AttackCatalog.Names)],
        };
        command.Arguments.Add(weights);
        command.Options.Add(attack);
        var setup = new RunSetup(command, resumable: false);
        return command.WithOptions("dataset", "test-samples").WithEvaluationAttack().Executes(invocation =>
        {
            string[] paths = invocation.Get(weights)!;
            if (paths.Length < 2)
                throw new ConfigurationException(
                    $"transfer needs at least 2 files, but got only {paths[0]}; to attack one network, use evaluate --attack.");
            RunConfiguration configuration = setup.Configure(invocation, [paths[0]]);
            string name = invocation.Get(attack) ?? Usual(invocation, configuration);
            // Before data and device are opened.
            invocation.RequireAnswerFile();
            AttackCatalog.Stages(name);
            TransferResult result = setup.Do(
                invocation, configuration, folder: null,
                (composed, data) => RunStatement.Of(StatedWork.Evaluate, composed, data, [name], $"of {paths.Length} networks"),
                (backend, data, progress) =>
                    new WeightsTransfer(configuration, backend, data, progress).Execute(paths, name, invocation.Cancellation));
            return invocation.Answer(
                new
                {
                    weights = paths.Select(Path.GetFullPath),
                    dataset = configuration.Data.Name,
                    settings = setup.Stated,
                    configuration.Evaluation.Attack,
                    result,
                },
                writer =>
                {
                    Write(writer, result, configuration.Evaluation.Attack.Epsilon);
                    AnswerText.WriteWarnings(writer, invocation, result.Warnings);
                });
        });
    }

    // Where a data set's ball takes more steps to cross, or steps were asked for, PGD takes those.
    private static string Usual(Invocation invocation, RunConfiguration configuration) =>
        configuration.Evaluation.Attack.Steps > UsualSteps
        || invocation.Settings().Any(given => given.Option.Paths.Contains("evaluation.attack.steps")) ? "pgd" : UsualAttack;

    private static void Write(TextWriter writer, TransferResult result, double epsilon)
    {
        var networks = new TextTable(
            ">#", ">clean %", "95 % interval", ">largest perturbation", ">samples/s", "model", "weights");
        var matrix = new TextTable(["source \\ target", .. result.Rows.Select((_, index) => ">" + Number(index))]);
        foreach ((int index, TransferRow row) in result.Rows.Index())
        {
            networks.Add(
                Number(index), AnswerText.Percent(row.Clean.Value), AnswerText.Interval(row.Clean.Interval),
                row.LargestPerturbation.ToString("0.#####", CultureInfo.InvariantCulture),
                row.SamplesPerSecond.ToString("N1", CultureInfo.InvariantCulture),
                row.Model, AnswerText.Relative(Path.GetFullPath(row.Name)));
            matrix.Add([Number(index), .. row.Accuracies.Select(
                share => $"{AnswerText.Percent(share.Value)} ({AnswerText.Interval(share.Interval)})")]);
        }
        networks.Write(writer);
        writer.WriteLine();
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Accuracy in % (95 % interval) on {result.Samples:N0} samples by {result.Attack}, ε = {epsilon:0.#####}, made "
            + $"against the source:"));
        matrix.Write(writer);
    }

    private static string Number(int index) => (index + 1).ToString(CultureInfo.InvariantCulture);
}
