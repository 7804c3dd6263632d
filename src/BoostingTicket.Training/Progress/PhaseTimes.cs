using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Progress;

/// <summary>Seconds by phase.</summary>
/// <param name="Data">Gathering and augmenting images.</param>
/// <param name="Attack">Making adversarial images for training.</param>
/// <param name="Train">Forward, backward and optimizer step of training.</param>
/// <param name="Evaluate">Validation.</param>
public readonly record struct PhaseTimes(double Data, double Attack, double Train, double Evaluate) : IStoredRecord
{
    /// <summary>Seconds that count as training: all but validation.</summary>
    public double Training => Data + Attack + Train;

    /// <summary>Sum, phase by phase.</summary>
    public static PhaseTimes operator +(PhaseTimes left, PhaseTimes right) =>
        new(left.Data + right.Data, left.Attack + right.Attack, left.Train + right.Train, left.Evaluate + right.Evaluate);

    /// <summary>Sum, phase by phase.</summary>
    public static PhaseTimes Add(PhaseTimes left, PhaseTimes right) => left + right;

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("seconds", StoredValues.IsAmount(Data) && StoredValues.IsAmount(Attack)
            && StoredValues.IsAmount(Train) && StoredValues.IsAmount(Evaluate)));
}
