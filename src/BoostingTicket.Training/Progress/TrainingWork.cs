using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Progress;

/// <summary>What an epoch's training took, validation left out. Steps and operations are the same on every machine; seconds of
/// processors count what this process used, or all that compute one training together, and do not grow while other work has the
/// processors.</summary>
/// <param name="Steps">Steps of the weights.</param>
/// <param name="Operations">Floating-point operations of convolutions and linear layers, two for a multiply-add, that kept
/// weights need; forward and backward passes of attacks included. A device may do more for its own reasons.</param>
/// <param name="ProcessorSeconds">Seconds of all processors that the process used, or the sum over all that compute together. On
/// a GPU it is the host's share alone.</param>
/// <param name="WallSeconds">Seconds that passed.</param>
/// <param name="DisturbedSeconds">Those of them in which other processes used processors that this one wanted
/// (<see cref="MachineLoad"/>); null where the system does not say, and where several processes compute together.</param>
public readonly record struct TrainingWork(
    long Steps, double Operations, double ProcessorSeconds, double WallSeconds, double? DisturbedSeconds) : IStoredRecord
{
    /// <summary>No work.</summary>
    public static TrainingWork None => new(0, 0, 0, 0, 0);

    /// <summary>Sum.</summary>
    public static TrainingWork operator +(TrainingWork left, TrainingWork right) => new(
        left.Steps + right.Steps, left.Operations + right.Operations, left.ProcessorSeconds + right.ProcessorSeconds,
        left.WallSeconds + right.WallSeconds, left.DisturbedSeconds + right.DisturbedSeconds);

    /// <summary>Sum.</summary>
    public static TrainingWork Add(TrainingWork left, TrainingWork right) => left + right;

    /// <summary>Sum over epochs; null if one does not have it, as those of version 0.1.0.</summary>
    public static TrainingWork? Sum(IEnumerable<EpochRecord> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        TrainingWork sum = None;
        foreach (EpochRecord epoch in history)
        {
            if (epoch.Work is not { } work)
                return null;
            sum += work;
        }

        return sum;
    }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("steps", Steps >= 0),
        ("operations", StoredValues.IsAmount(Operations)),
        ("seconds", StoredValues.IsAmount(ProcessorSeconds) && StoredValues.IsAmount(WallSeconds)
            && StoredValues.IsAmount(DisturbedSeconds ?? 0)));
}
