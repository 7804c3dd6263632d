using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Experiments.Paper;

/// <summary>What the paper's experiments have in common.</summary>
internal static class PaperSettings
{
    /// <summary>Epochs of the paper's longest trainings, donors and baselines.</summary>
    public const int Epochs = 100;

    /// <summary>Rate of tickets and baselines after the warm-up.</summary>
    public const double Rate = 0.1;

    /// <summary>Rate of VGG-16's boosting donors (section 3.1).</summary>
    public const double VggDonorRate = 0.01;

    /// <summary>Rate of ResNet-18's boosting donors (section 3.1), and of WideResNet's, for which the paper says
    /// nothing.</summary>
    public const double ResNetDonorRate = 0.05;

    /// <summary>CIFAR-10, 45,000 to train on and 5,000 to validate on (appendix A), PGD-10 with steps of 2/255 in a ball of 8/255
    /// (section 4.1), 80 % pruned.</summary>
    public static RunConfiguration Cifar10 { get; } = new()
    {
        Preset = ExperimentRun.Command,
        Data = new DataSettings { Name = "cifar10", CropFlip = true },
    };

    /// <summary>MNIST for natural training (appendix C): no rate drops, early stopping. The patience is the preset's.</summary>
    public static RunConfiguration MnistNatural { get; } = Presets.Find(
        "mnist-lenet").Configuration with
    { Preset = ExperimentRun.Command };

    /// <summary>MNIST with ε = 0.3 (section 4.1). Steps of 2/255 cannot cross that ball: 40 steps of 0.01, as Madry et al. train
    /// on MNIST.</summary>
    public static RunConfiguration MnistAdversarial { get; } = new()
    {
        Preset = ExperimentRun.Command,
        Seeds = 3,
        Data = new DataSettings { Name = "mnist" },
        Attack = new AttackSettings { Epsilon = 0.3, StepSize = 0.01, Steps = 40 },
        Evaluation = new EvaluationSettings
        {
            Attack = new AttackSettings { Epsilon = 0.3, StepSize = 0.01, Steps = 40 },
            ProbeSteps = 40,
        },
    };

    /// <summary>Percent, as axes call it.</summary>
    public const string ValidationAxis = "validation accuracy (%)";

    /// <summary>Epochs, as axes call them.</summary>
    public const string EpochAxis = "epoch";
}
