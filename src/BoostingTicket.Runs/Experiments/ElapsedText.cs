using System.Globalization;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Long times for people.</summary>
internal static class ElapsedText
{
    private const double Minute = 60, Hour = 3_600, Day = 86_400;

    /// <summary>In the unit that leaves two or three digits: <c>42 s</c>, <c>12 min</c>, <c>3.5 h</c>, <c>41 h</c>, <c>12
    /// days</c>.</summary>
    /// <param name="seconds">0 or more.</param>
    public static string Of(double seconds) => seconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s"),
        < 2 * Minute => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 2 * Hour => string.Create(CultureInfo.InvariantCulture, $"{seconds / Minute:0} min"),
        < 10 * Hour => string.Create(CultureInfo.InvariantCulture, $"{seconds / Hour:0.0} h"),
        < 3 * Day => string.Create(CultureInfo.InvariantCulture, $"{seconds / Hour:0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / Day:N0} days"),
    };
}
