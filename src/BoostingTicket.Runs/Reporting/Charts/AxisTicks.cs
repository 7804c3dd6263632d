namespace BoostingTicket.Runs.Reporting.Charts;

/// <summary>Round numbers for an axis.</summary>
internal static class AxisTicks
{
    // Below that, ticks would be as near to each other as numbers are.
    private const double LeastSpan = 1e-12;

    /// <summary>Multiples of 1, 2 or 5 times a power of ten that cover a range.</summary>
    /// <param name="least">Least value.</param>
    /// <param name="most">Largest value, not below <paramref name="least"/>.</param>
    /// <param name="count">About how many there should be, at least 2.</param>
    /// <returns>At least two numbers, ascending, the first not above the range and the last not below it.</returns>
    public static double[] Cover(double least, double most, int count)
    {
        double span = most - least;
        if (!(span > Math.Abs(most) * LeastSpan))
            span = Math.Max(Math.Abs(most), 1);
        double step = RoundStep(span / (count - 1));
        double first = Math.Floor(least / step + 1e-9);
        double last = Math.Max(Math.Ceiling(most / step - 1e-9), first + 1);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(index => (first + index) * step)];
    }

    /// <summary>Powers of ten that cover a range of positive numbers.</summary>
    public static double[] CoverLogarithmically(double least, double most)
    {
        int first = (int)Math.Floor(Math.Log10(least) + 1e-9), last = (int)Math.Ceiling(Math.Log10(most) - 1e-9);
        return [.. Enumerable.Range(first, Math.Max(last, first + 1) - first + 1).Select(power => Math.Pow(10, power))];
    }

    private static double RoundStep(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        return power * (raw / power) switch
        {
            <= 1 => 1,
            <= 2 => 2,
            <= 5 => 5,
            _ => 10,
        };
    }
}
