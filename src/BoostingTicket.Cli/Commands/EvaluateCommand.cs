using System.CommandLine;
using System.Globalization;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>evaluate</c>: clean and robust accuracy of saved weights.</summary>
internal static class EvaluateCommand
{
    private const string Name = WeightsAttack.Command;

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var weights = new Argument<string>("weights")
        {
            HelpName = "WEIGHTS",
            Description = "weights file: safetensors, or of torch.save (.pt, .pth)",
        };
        var command = new CommandLineCommand(
            Name, "Measures clean and robust accuracy of saved weights on the test set.", context)
        {
            DefaultsFollowInput = true,
            Examples =
            [
                ("evaluate runs/donor/seed-0/train.best.safetensors",
                    "with the settings of the run that the weights come from, wherever the file lies"),
                ("evaluate w.safetensors --preset cifar10-resnet18 --steps 100 --restarts 5",
                    "a stronger attack on weights from elsewhere"),
                ("evaluate w.safetensors --preset cifar10-resnet18 --attack-loss cw --json",
                    "Carlini and Wagner's loss, for a script"),
                ("evaluate w.safetensors --preset cifar10-resnet18 --attack pgd-20,autoattack --save-adversarial found.npy",
                    "several attacks, and the images that fool the network in a file"),
                ("evaluate w.safetensors --dataset cifar10 --attack autoattack --out runs/robustness",
                    "all test images of CIFAR-10 at 8/255, unless the weights have settings for it; can be interrupted and "
                    + "resumed"),
                ("evaluate w.safetensors --attack autoattack --resume --out runs/robustness", "continue after an interruption"),
            ],
            Details =
            [
                "Every adversarial image is checked: it must lie in the ball and in [0, 1]. The largest perturbation is "
                    + "reported.",
                "Where the gradient of cross-entropy vanishes, as it does for large logits, PGD and apgd-ce continue with a "
                + "margin "
                    + "loss, and report it.",
                "With --attack, the result is kept beside weights of a run; run --resume then shows it in the run's report. "
                    + "Evaluations with other attacks, ε, samples or other settings stand beside each other.",
                "With --attack, each attack gets the samples that are classified correctly without attack; robust accuracies are "
                    + "shares of all samples. With --out too, its folder keeps the progress and then result.json, and --resume "
                        + "continues.",
                "The weights file decides on the normalisation and, if this program wrote it, on the model, unless settings name "
                    + "another.",
            ],
            Lists = [("Attacks", AttackCatalog.Names)],
        };
        var attack = new Option<string?>("--attack")
        {
            HelpName = "NAMES",
            Description = "attacks to run, separated by commas; without it, only PGD",
        };
        var adversarial = new Option<string?>("--save-adversarial")
        {
            HelpName = "FILE",
            Description = "NumPy file (.npy) for each sample's adversarial image, or its clean image where no attack succeeded",
        };
        command.Arguments.Add(weights);
        Completions.Add(attack, AttackCatalog.Names.Select(entry => entry.Name));
        command.Options.Add(attack);
        command.Options.Add(adversarial);
        var setup = new RunSetup(command, resumable: true, alwaysInFolder: false);
        return command.WithOptions("dataset", "test-samples", "normalize", "model", "width").WithEvaluationAttack().Executes(
            invocation =>
        {
            string path = invocation.Get(weights)!;
            if (invocation.Get(attack) is { } || invocation.Get(adversarial) is { })
                return Attack(invocation, setup, path, invocation.Get(attack) ?? "pgd", invocation.Get(adversarial));
            if (setup.IsResumed(invocation))
                throw new ConfigurationException(
                    "--resume continues an evaluation with --attack; give --attack and the --out that it was started with, or "
                    + "leave out --resume.");
            RunConfiguration configuration = setup.Configure(invocation, [path]);
            invocation.RequireAnswerFile();
            TestResult result = setup.Do(
                invocation, configuration, folder: null, StatedWork.Evaluate, (backend, data, progress) =>
            {
                OriginChecks.RequireNormalization(path, configuration, data, takesOwn: true);
                return new WeightsTest(configuration, backend, data, progress).Execute(path, invocation.Cancellation);
            });
            return invocation.Answer(
                new
                {
                    weights = Path.GetFullPath(path),
                    configuration.Model,
                    dataset = configuration.Data.Name,
                    settings = setup.Stated,
                    configuration.Evaluation.Attack,
                    result,
                },
                writer =>
                {
                    var table = new TextTable(">samples", ">clean %", $">{RunSummary.AttackName(configuration)} %",
                        ">largest perturbation", ">seconds");
                    table.Add(
                        result.Samples.ToString("N0", CultureInfo.InvariantCulture), AnswerText.Percent(result.Clean),
                        AnswerText.Percent(result.Robust),
                        $"{result.LargestPerturbation.ToString("0.#####", CultureInfo.InvariantCulture)} of "
                        + $"{configuration.Evaluation.Attack.Epsilon.ToString("0.#####", CultureInfo.InvariantCulture)}",
                        result.Seconds.ToString("F1", CultureInfo.InvariantCulture));
                    table.Write(writer);
                    AnswerText.WriteWarnings(writer, invocation, result.Warnings);
                });
        });
    }

    private static int Attack(Invocation invocation, RunSetup setup, string path, string attacks, string? adversarial)
    {
        string[] names = [.. attacks.Split(',', StringSplitOptions.TrimEntries).Distinct()];
        // Before data and device are opened.
        foreach (string name in names)
            AttackCatalog.Stages(name);
        if (adversarial is not null)
            WeightsAttack.RequireImageFile(adversarial);
        (RunConfiguration configuration, string? folder, bool resume) = Open(invocation, setup, path);
        invocation.RequireFile("--save-adversarial", adversarial, overwrite: resume);
        AttackOutcome Run() => setup.Do(
            invocation, configuration, folder, (composed, data) => RunStatement.Of(StatedWork.Evaluate, composed, data, names),
            (backend, data, progress) =>
        {
            OriginChecks.RequireNormalization(path, configuration, data, takesOwn: true);
            AttackOutcome found = new WeightsAttack(configuration, backend, data, progress).Execute(
                path, names, adversarial is not null, folder, resume, invocation.Cancellation);
            Keep(path, configuration, names, found.Result, progress);
            return found;
        });
        string[] command = [
            Name, path, "--attack", attacks, .. adversarial is null ? (string[])[] : ["--save-adversarial", adversarial]];
        AttackOutcome outcome = folder is null ? Run() : setup.Resumable(invocation, folder, command, Run);
        RobustnessResult result = outcome.Result;
        invocation.Print(
            new
            {
                weights = Path.GetFullPath(path),
                configuration.Model,
                dataset = configuration.Data.Name,
                settings = setup.Stated,
                configuration.Evaluation.Attack,
                adversarial = adversarial is null ? null : Path.GetFullPath(adversarial),
                folder = folder is null ? null : Path.GetFullPath(folder),
                result,
            },
            writer =>
            {
                Write(writer, result, configuration.Evaluation.Attack.Epsilon);
                AnswerText.WriteWarnings(writer, invocation, result.Warnings);
            });
        return invocation.Afterwards(() => invocation.Saving.Do(() => outcome.Finish(adversarial)));
    }

    private static (RunConfiguration Configuration, string? Folder, bool Resume) Open(
        Invocation invocation, RunSetup setup, string path)
    {
        if (invocation.Out is not null)
            return setup.Open(invocation, Name, [path]);
        if (setup.IsResumed(invocation))
            throw new ConfigurationException("--resume needs --out with the folder that the evaluation was started in.");
        return (setup.Configure(invocation, [path]), null, false);
    }

    // Beside weights of a run, whose report shows it when it is next written (run --resume). A folder that takes no file costs no
    // result.
    private static void Keep(
        string path, RunConfiguration configuration, string[] attacks, RobustnessResult result, IRunProgress progress)
    {
        if (!File.Exists(FileOrigin.ConfigurationBeside(path)))
            return;
        var settings = new RobustnessSettings(
            attacks, configuration.Evaluation.Attack, configuration.Data.Name, configuration.Data.Fingerprint, result.Samples,
            configuration.Seed, configuration.Precision);
        try
        {
            progress.Note($"kept in {new WeightsEvaluation(settings, result).KeepBeside(Path.GetFullPath(path))}");
        }
        catch (ConfigurationException error)
        {
            progress.Warn($"The evaluation is not kept for the run's report. {error.Message}");
        }
    }

    private static void Write(TextWriter writer, RobustnessResult result, double epsilon)
    {
        var table = new TextTable(
            "attack", ">attacked", ">accuracy %", "95 % interval", ">largest perturbation", ">zero gradients", ">samples/s",
            ">seconds");
        table.Add("none", "", AnswerText.Percent(result.Clean), AnswerText.Interval(result.CleanInterval), "", "", "", "");
        foreach (AttackResult attack in result.Attacks)
        {
            table.Add(
                attack.Attack, attack.Attacked.ToString("N0", CultureInfo.InvariantCulture), AnswerText.Percent(attack.Robust),
                AnswerText.Interval(attack.Interval),
                attack.LargestPerturbation.ToString("0.#####", CultureInfo.InvariantCulture),
                attack.ZeroGradients?.ToString("N0", CultureInfo.InvariantCulture) ?? "not used",
                attack.SamplesPerSecond.ToString("N1", CultureInfo.InvariantCulture),
                attack.Seconds.ToString("F1", CultureInfo.InvariantCulture));
        }
        table.Add(
            "all of them", "", AnswerText.Percent(result.WorstCase), AnswerText.Interval(result.WorstCaseInterval),
            "", "", "", "");
        table.Write(writer);
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Samples:N0} samples, ε = {epsilon:0.#####}"));
    }
}
