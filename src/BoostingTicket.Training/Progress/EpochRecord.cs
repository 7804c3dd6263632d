using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Progress;

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
    PhaseTimes Times) : IStoredRecord
{
    /// <summary>Samples of the probe at which its attack's loss had no gradient; null when it was not measured.</summary>
    public long? ZeroGradients { get; init; }

    /// <summary>What its training took; null in what version 0.1.0 kept.</summary>
    public TrainingWork? Work { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("epoch", Epoch >= 1),
        ("learning rate", StoredValues.IsAmount(LearningRate)),
        ("training accuracy", StoredValues.IsShare(TrainAccuracy)),
        ("clean accuracy", StoredValues.IsShare(ValidationClean)),
        ("robust accuracy", ValidationRobust is null || StoredValues.IsShare(ValidationRobust.Value)));
}
