using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>The 95 % confidence interval of a share (Wilson, "Probable inference, the law of succession, and statistical
/// inference", 1927), which stays sensible where the share is 0 or 1.</summary>
/// <param name="Low">Lower end, in [0, 1].</param>
/// <param name="High">Upper end, in [0, 1].</param>
public readonly record struct WilsonInterval(double Low, double High) : IStoredRecord
{
    // The 97.5 % quantile of the normal distribution.
    private const double Z = 1.959963984540054;

    /// <summary>The interval of a share that was measured.</summary>
    /// <param name="successes">Samples that count.</param>
    /// <param name="samples">All samples, at least one.</param>
    public static WilsonInterval Of(int successes, int samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        double share = (double)successes / samples, square = Z * Z / samples;
        double middle = (share + square / 2) / (1 + square);
        double half = Z / (1 + square) * Math.Sqrt(share * (1 - share) / samples + square / (4 * samples));
        return new(Math.Max(middle - half, 0), Math.Min(middle + half, 1));
    }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("interval", StoredValues.IsShare(Low) && StoredValues.IsShare(High) && Low <= High));
}
