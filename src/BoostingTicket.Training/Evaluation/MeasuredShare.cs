using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>A share of samples, with what a sample of that size says about it.</summary>
/// <param name="Value">The share, in [0, 1].</param>
/// <param name="Interval">Its 95 % confidence interval.</param>
internal readonly record struct MeasuredShare(double Value, WilsonInterval Interval) : IStoredRecord
{
    /// <summary>The share that was counted.</summary>
    /// <param name="count">Samples that count.</param>
    /// <param name="samples">All samples, at least one.</param>
    public static MeasuredShare Of(int count, int samples) => new((double)count / samples, WilsonInterval.Of(count, samples));

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("share", StoredValues.IsShare(Value)));
}
