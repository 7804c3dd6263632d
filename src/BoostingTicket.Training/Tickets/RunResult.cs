using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tickets;

/// <summary>One epoch of a training.</summary>
/// <param name="Epoch">1 for the first.</param>
/// <param name="LearningRate">Rate of the epoch's last step.</param>
/// <param name="TrainLoss">Mean loss on what was trained on (adversarial images in adversarial training).</param>
/// <param name="TrainAccuracy">Share of it classified correctly, in [0, 1].</param>
/// <param name="ValidationClean">Clean accuracy on the validation set.</param>
/// <param name="ValidationRobust">Accuracy of the probe under PGD; null when it was not measured.</param>
/// <param name="Times">Where the epoch's seconds went.</param>
public sealed record EpochRecord(
    int Epoch, double LearningRate, double TrainLoss, double TrainAccuracy, double ValidationClean, double? ValidationRobust,
    PhaseTimes Times);

/// <summary>Seconds by phase.</summary>
/// <param name="Data">Gathering and augmenting images.</param>
/// <param name="Attack">Making adversarial images for training.</param>
/// <param name="Train">Forward, backward and optimizer step of training.</param>
/// <param name="Evaluate">Validation.</param>
public readonly record struct PhaseTimes(double Data, double Attack, double Train, double Evaluate)
{
    /// <summary>Seconds that count as training: all but validation.</summary>
    public double Training => Data + Attack + Train;

    /// <summary>Sum, phase by phase.</summary>
    public static PhaseTimes operator +(PhaseTimes left, PhaseTimes right) =>
        new(left.Data + right.Data, left.Attack + right.Attack, left.Train + right.Train, left.Evaluate + right.Evaluate);

    /// <summary>Sum, phase by phase.</summary>
    public static PhaseTimes Add(PhaseTimes left, PhaseTimes right) => left + right;
}

/// <summary>Accuracies on the test set.</summary>
/// <param name="Samples">Images evaluated.</param>
/// <param name="Clean">Share classified correctly, in [0, 1].</param>
/// <param name="Robust">Share classified correctly clean and under the evaluation's attack, in [0, 1].</param>
/// <param name="LargestPerturbation">Largest perturbation that the attack really used, in pixel units.</param>
/// <param name="Seconds">Seconds that it took.</param>
public sealed record TestResult(int Samples, double Clean, double Robust, double LargestPerturbation, double Seconds);

/// <summary>How one arm of one seed went.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Sparsity">Share of prunable weights that are pruned.</param>
/// <param name="Last">Test result of the last epoch's weights.</param>
/// <param name="Best">Test result of the weights that were best on validation (robust accuracy in adversarial training, clean
/// otherwise).</param>
/// <param name="BestEpoch">Their epoch; 0 for the initial weights.</param>
/// <param name="EpochsRun">Epochs until the end or early stopping.</param>
/// <param name="PruningSeconds">Seconds to find the ticket: donor training and pruning; 0 for the dense arm.</param>
/// <param name="TrainingSeconds">Seconds of training, without validation.</param>
/// <param name="History">Epoch by epoch.</param>
public sealed record ArmResult(
    Arm Arm, double Sparsity, TestResult Last, TestResult Best, int BestEpoch, int EpochsRun, double PruningSeconds,
    double TrainingSeconds, IReadOnlyList<EpochRecord> History)
{
    /// <summary>Pruning and training, in seconds.</summary>
    public double TotalSeconds => PruningSeconds + TrainingSeconds;
}

/// <summary>Kept weights of one layer.</summary>
/// <param name="Name">Parameter.</param>
/// <param name="Total">Weights.</param>
/// <param name="Kept">Weights that are not pruned.</param>
public sealed record LayerSparsity(string Name, int Total, int Kept);

/// <summary>One seed of a run.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Donor">Training of the boosting ticket's donor; empty without ticket arms.</param>
/// <param name="DonorTest">Test result of the donor; null without one.</param>
/// <param name="Sparsity">Kept weights of the boosting ticket by layer.</param>
/// <param name="Warnings">What the user should know, such as a layer that lost all its weights.</param>
/// <param name="Arms">One result for each arm, in the configuration's order.</param>
/// <param name="SplitHash">SHA-256 of the split into training and validation samples; see
/// <see cref="TrainValidationSplit.Hash"/>.</param>
public sealed record SeedResult(
    ulong Seed, IReadOnlyList<EpochRecord> Donor, TestResult? DonorTest, IReadOnlyList<LayerSparsity> Sparsity,
    IReadOnlyList<string> Warnings, IReadOnlyList<ArmResult> Arms, string SplitHash);

/// <summary>A finished run.</summary>
/// <param name="Configuration">What was asked for.</param>
/// <param name="ConfigurationHash">SHA-256 of the configuration's canonical JSON.</param>
/// <param name="Environment">Device, versions and data set hash, by name.</param>
/// <param name="Seeds">One result for each seed.</param>
public sealed record RunResult(
    RunConfiguration Configuration, string ConfigurationHash, IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<SeedResult> Seeds);
