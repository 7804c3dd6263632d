using System.CommandLine;
using System.Globalization;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Reporting;
using BoostingTicket.Training.Tickets;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>evaluate</c>: clean and robust accuracy of saved weights.</summary>
internal static class EvaluateCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Surroundings surroundings)
    {
        var weights = new Argument<string>("weights") { HelpName = "WEIGHTS", Description = "weights file (safetensors)" };
        var command = new CommandLineCommand("evaluate", "Measures clean and robust accuracy of saved weights on the test set.", surroundings)
        {
            Examples =
            [
                ("evaluate runs/donor/seed-0/train.best.safetensors", "with the settings of the run that the weights belong to"),
                ("evaluate w.safetensors --preset cifar10-resnet18 --steps 100 --restarts 5", "a stronger attack on weights from elsewhere"),
                ("evaluate w.safetensors --preset cifar10-resnet18 --attack-loss cw --json", "Carlini and Wagner's loss, for a script"),
            ],
            Details = ["Every adversarial image is checked to lie in the ball and in [0, 1]; the largest perturbation is reported."],
        };
        command.Arguments.Add(weights);
        var workbench = new Workbench(command, resumable: false);
        return command.WithOptions("--dataset", "--test-samples", "--normalize", "--model", "--width").WithEvaluationAttack().Executes(invocation =>
        {
            string path = invocation.Get(weights)!;
            RunConfiguration configuration = workbench.Configure(invocation, ConfigurationBeside(path));
            TestResult result = workbench.Do(invocation, configuration, folder: null, (backend, data, progress) =>
            {
                Origins.RequireNormalization(path, configuration, data);
                return new SingleSteps(configuration, backend, data, progress).Evaluate(path, invocation.Cancellation);
            });
            return invocation.Answer(
                new { weights = Path.GetFullPath(path), configuration.Model, dataset = configuration.Data.Name, configuration.Evaluation.Attack, result },
                writer =>
                {
                    var table = new TextTable(">samples", ">clean %", $">{RunSummary.AttackName(configuration)} %", ">largest perturbation", ">seconds");
                    table.Add(
                        result.Samples.ToString("N0", CultureInfo.InvariantCulture), StepAnswers.Percent(result.Clean), StepAnswers.Percent(result.Robust),
                        $"{result.LargestPerturbation.ToString("0.#####", CultureInfo.InvariantCulture)} of {configuration.Evaluation.Attack.Epsilon.ToString("0.#####", CultureInfo.InvariantCulture)}",
                        result.Seconds.ToString("F1", CultureInfo.InvariantCulture));
                    table.Write(writer);
                });
        });
    }

    /// <summary>Where the configuration of the run is that a seed's file belongs to; it need not exist.</summary>
    public static string ConfigurationBeside(string file)
    {
        string? seed = Path.GetDirectoryName(Path.GetFullPath(file));
        return new RunFolder(Path.GetDirectoryName(seed) ?? ".").Configuration;
    }
}
