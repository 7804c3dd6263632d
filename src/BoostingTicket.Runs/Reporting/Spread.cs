using System.Globalization;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A quantity measured once for each seed.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Deviation">Sample standard deviation (divisor n - 1); 0 for a single seed.</param>
/// <param name="Count">Seeds.</param>
internal readonly record struct Spread(double Mean, double Deviation, int Count)
{
    /// <summary>The spread of measurements.</summary>
    /// <param name="values">One a seed, at least one.</param>
    public static Spread Of(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        double mean = values.Average();
        double squares = values.Sum(value => (value - mean) * (value - mean));
        return new Spread(mean, values.Count > 1 ? Math.Sqrt(squares / (values.Count - 1)) : 0, values.Count);
    }

    /// <summary>The mean, and the deviation where there are several seeds: <c>52.3 ± 0.4</c>.</summary>
    /// <param name="format">Numeric format of both.</param>
    /// <param name="scale">What both are multiplied by first.</param>
    public string Text(string format, double scale = 1)
    {
        string mean = (Mean * scale).ToString(format, CultureInfo.InvariantCulture);
        return Count < 2 ? mean : $"{mean} ± {(Deviation * scale).ToString(format, CultureInfo.InvariantCulture)}";
    }
}
