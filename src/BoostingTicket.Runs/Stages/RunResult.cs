using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

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
internal sealed record ArmResult(
    Arm Arm, double Sparsity, TestResult Last, TestResult Best, int BestEpoch, int EpochsRun, double PruningSeconds,
    double TrainingSeconds, IReadOnlyList<EpochRecord> History) : IStoredRecord
{
    /// <summary>What happened in training that the user should worry about.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What a step of training is worth; null in results of earlier versions.</summary>
    public StepWork? Step { get; init; }

    /// <summary>Pruning and training, in seconds.</summary>
    public double TotalSeconds => PruningSeconds + TrainingSeconds;

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("sparsity", StoredValues.IsShare(Sparsity)),
        ("best epoch", BestEpoch >= 0 && BestEpoch <= EpochsRun),
        ("pruning seconds", StoredValues.IsAmount(PruningSeconds)),
        ("training seconds", StoredValues.IsAmount(TrainingSeconds)));
}

/// <summary>Kept weights of one layer.</summary>
/// <param name="Name">Parameter.</param>
/// <param name="Total">Weights.</param>
/// <param name="Kept">Weights that are not pruned.</param>
internal sealed record LayerSparsity(string Name, int Total, int Kept) : IStoredRecord
{
    /// <summary>What a mask leaves of each layer.</summary>
    internal static IReadOnlyList<LayerSparsity> Of(Mask mask) =>
        [.. PruningReport.Describe(mask, minimumKept: 0).Layers.Select(
            layer => new LayerSparsity(layer.Name, layer.Total, layer.Kept))];

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("number of kept weights", Kept >= 0 && Kept <= Total));
}

/// <summary>One seed of a run.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Donor">Training of the boosting ticket's donor; empty without ticket arms.</param>
/// <param name="DonorTest">Test result of the donor; null without one.</param>
/// <param name="Sparsity">Kept weights of the boosting ticket by layer.</param>
/// <param name="Warnings">What the user should know, such as a layer that lost all its weights.</param>
/// <param name="Arms">One result for each arm, in the configuration's order.</param>
/// <param name="SplitHash">SHA-256 of the split into training and validation samples; see
/// <see cref="TrainValidationSplit.Hash"/>.</param>
internal sealed record SeedResult(
    ulong Seed, IReadOnlyList<EpochRecord> Donor, TestResult? DonorTest, IReadOnlyList<LayerSparsity> Sparsity,
    IReadOnlyList<string> Warnings, IReadOnlyList<ArmResult> Arms, string SplitHash = "") : IStoredRecord
{
    /// <summary>Training of the winning ticket's donor; empty without that arm.</summary>
    public IReadOnlyList<EpochRecord> WinningDonor { get; init; } = [];

    /// <summary>Epoch at which Early-Bird ended the boosting ticket's donor; null where it did not.</summary>
    public int? EarlyBirdEpoch { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("epoch of Early-Bird", EarlyBirdEpoch is null or >= 1),
        ("arms", Arms.Count > 0));
}

/// <summary>A finished run.</summary>
/// <param name="Configuration">What was asked for.</param>
/// <param name="ConfigurationHash">SHA-256 of the configuration's canonical JSON.</param>
/// <param name="Environment">Device, versions and data set hash, by name.</param>
/// <param name="Seeds">One result for each seed.</param>
internal sealed record RunResult(
    RunConfiguration Configuration, string ConfigurationHash, IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<SeedResult> Seeds);
