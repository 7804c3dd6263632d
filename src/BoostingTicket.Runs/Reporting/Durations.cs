using System.Globalization;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Times for people.</summary>
internal static class Durations
{
    /// <summary>Two units at most: <c>42 s</c>, <c>3 min 05 s</c>, <c>2 h 10 min</c>.</summary>
    public static string Short(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0)
            return "?";
        long whole = (long)Math.Min(Math.Round(seconds), int.MaxValue);
        return whole switch
        {
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{whole} s"),
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{whole / 60} min {whole % 60:00} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{whole / 3600} h {whole % 3600 / 60:00} min"),
        };
    }
}
