using System.Globalization;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A ratio measured once for each seed. Its mean is the geometric one, so that twice and half as much cancel out, and
/// that of the inverse ratios is its inverse.</summary>
/// <param name="Mean">Geometric mean.</param>
/// <param name="Factor">Multiplicative standard deviation, 1 or more: e to the sample standard deviation (divisor n - 1) of the
/// logarithms; 1 for a single seed.</param>
/// <param name="Count">Seeds.</param>
internal readonly record struct RatioSpread(double Mean, double Factor, int Count)
{
    /// <summary>The spread of ratios.</summary>
    /// <param name="ratios">One a seed, at least one, each above 0.</param>
    public static RatioSpread Of(IReadOnlyList<double> ratios)
    {
        ArgumentNullException.ThrowIfNull(ratios);
        var logarithms = Spread.Of([.. ratios.Select(ratio => Math.Log(ratio))]);
        return new RatioSpread(Math.Exp(logarithms.Mean), Math.Exp(logarithms.Deviation), logarithms.Count);
    }

    /// <summary>The mean, and the deviation where there are several seeds: <c>2.41 ×/÷ 1.07</c>.</summary>
    /// <param name="format">Numeric format of both.</param>
    public string Text(string format)
    {
        string mean = Mean.ToString(format, CultureInfo.InvariantCulture);
        return Count < 2 ? mean : $"{mean} ×/÷ {Factor.ToString(format, CultureInfo.InvariantCulture)}";
    }
}
