namespace BoostingTicket.Training.Attacks;

/// <summary>How often an attack met gradients that say nothing.</summary>
/// <param name="Starts">Samples attacked, counted in every round.</param>
/// <param name="Zero">Starts at which the attack's own loss had no gradient.</param>
/// <param name="ByMargin">Those of them that a margin loss attacked instead.</param>
/// <param name="Blind">Those of <paramref name="Zero"/> that no loss had a gradient for: nothing attacked them.</param>
internal readonly record struct GradientCounts(long Starts, long Zero, long ByMargin, long Blind)
{
    /// <summary>Largest value, in absolute terms, below which a gradient of cross-entropy has vanished: 2^-100. Values 10^-8
    /// times as large, which decide signs too, are then below what float32 can hold exactly.</summary>
    public const float Least = 7.8886091e-31f;

    /// <summary>The counts of both.</summary>
    public static GradientCounts operator +(GradientCounts a, GradientCounts b) =>
        new(a.Starts + b.Starts, a.Zero + b.Zero, a.ByMargin + b.ByMargin, a.Blind + b.Blind);

    /// <summary>Whether a sample's gradient is zero everywhere, or not finite somewhere.</summary>
    public static bool IsZero(ReadOnlySpan<float> gradient) => !(Largest(gradient) > 0);

    /// <summary>Whether a sample's gradient is below <see cref="Least"/> everywhere, or not finite somewhere.</summary>
    public static bool HasVanished(ReadOnlySpan<float> gradient) => !(Largest(gradient) >= Least);

    // NaN where a value is not finite.
    private static float Largest(ReadOnlySpan<float> gradient)
    {
        float largest = 0;
        foreach (float value in gradient)
        {
            float size = MathF.Abs(value);
            if (!(size <= float.MaxValue))
                return float.NaN;
            largest = MathF.Max(largest, size);
        }
        return largest;
    }
}
