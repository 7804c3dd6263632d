using System.Globalization;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Numbers as people of the field write them: <c>0.1</c>, <c>2e-4</c> or <c>8/255</c>.</summary>
internal static class Fraction
{
    private const int Levels = 255;
    private const int LongestDecimal = 8;

    /// <summary>Parses a decimal number or a quotient of two.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="value">The number, finite; 0 when the text is none.</param>
    /// <returns>Whether the text is a finite number.</returns>
    public static bool TryParse(string? text, out double value)
    {
        value = 0;
        string[] parts = (text ?? "").Split('/');
        if (parts.Length > 2 || !TryDecimal(parts[0], out double numerator))
            return false;
        double denominator = 1;
        if (parts.Length == 2 && !TryDecimal(parts[1], out denominator))
            return false;
        double quotient = numerator / denominator;
        if (!double.IsFinite(quotient))
            return false;
        value = quotient;
        return true;
    }

    /// <summary>A distance between pixels as the field writes it: <c>8/255</c> for a multiple of a grey level, else a decimal
    /// number.</summary>
    /// <param name="value">The distance, in pixel units of [0, 1].</param>
    public static string Text(double value)
    {
        string whole = value.ToString("R", CultureInfo.InvariantCulture);
        double levels = value * Levels;
        // 0.2 is 51/255 too, but nobody writes it so.
        bool isLevel = whole.Length > LongestDecimal && value is > 0 and < 1 && Math.Abs(levels - Math.Round(levels)) < 1e-9;
        return isLevel ? string.Create(CultureInfo.InvariantCulture, $"{Math.Round(levels)}/{Levels}")
            : whole.Length > LongestDecimal ? value.ToString("0.#####", CultureInfo.InvariantCulture)
            : whole;
    }

    private static bool TryDecimal(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}
