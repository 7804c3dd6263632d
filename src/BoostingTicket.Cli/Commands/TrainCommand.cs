using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>train</c>: one training of the full network, such as a donor or a baseline.</summary>
internal static class TrainCommand
{
    private const string Name = "train";

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var command = new CommandLineCommand(
            Name, "Trains a full network, such as a donor or a baseline, from its initial weights or from given ones.", context)
        {
            Examples =
            [
                ("train --method fgsm --learning-rate 0.01 --epochs 3 --out runs/donor", "a donor on the built-in images"),
                ("train --preset cifar10-resnet18 --width 16 --method natural --out runs/natural",
                    "a narrow ResNet-18 on clean CIFAR-10"),
                ("train --weights public.pt --dataset cifar10 --method pgd --epochs 5 --learning-rate 0.01 --out runs/tuned",
                    "adversarial fine-tuning of a public checkpoint"),
                ("train --resume --out runs/donor", "continue after an interruption"),
            ],
            Details =
            [
                "The folder of --out receives initial, last and best weights; prune and evaluate read them.", WatchSetup.Detail,
            ],
        };
        var setup = new RunSetup(command, resumable: true);
        var watch = new WatchSetup(command, setup);
        var weights = new StartWeightsOptions(
            command, "weights to start from, of this program or of a PyTorch program, instead of random ones");
        return command.WithSettings(OptionGroup.Data, OptionGroup.Model, OptionGroup.Attack).WithTraining("dense").WithSettings(
            OptionGroup.Evaluation)
            .Executes(invocation =>
            {
                StartWeights? start = weights.Read(invocation);
                (RunConfiguration configuration, string folder, bool resume) =
                    setup.Open(invocation, Name, origin: start?.Origin);
                string[] line = [Name, .. weights.Repeated(invocation)];
                ArmResult result = setup.Resumable(
                    invocation, folder, watch.Repeated(invocation, line), () => setup.Do(
                    invocation, configuration, folder, StatedWork.Train, (backend, data, progress) =>
                    {
                        foreach (string note in start?.Notes ?? [])
                            progress.Note(note);
                        return new DenseTraining(configuration, backend, data, progress)
                        {
                            Watch = watch.Watch(invocation, folder, line),
                        }.Execute(folder, resume, invocation.Cancellation, start);
                    }));
                return AnswerText.Training(
                    invocation, configuration, setup.Stated!, new RunFolder(folder), DenseTraining.Stage, result);
            });
    }
}
