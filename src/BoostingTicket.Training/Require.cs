using System.Globalization;

namespace BoostingTicket.Training;

/// <summary>Checks of values; each failure is one sentence that names the setting and the allowed range.</summary>
internal static class Require
{
    /// <summary>Refuses a value outside [<paramref name="least"/>, <paramref name="most"/>], and NaN.</summary>
    /// <exception cref="ConfigurationException">The value is outside.</exception>
    public static void InRange(string path, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture,
                $"{Setting.Named(path)} is {value}; choose a value from {least} to {most}."));
    }

    /// <summary>Refuses a value outside (<paramref name="bound"/>, <paramref name="most"/>], and NaN.</summary>
    /// <exception cref="ConfigurationException">The value is outside.</exception>
    public static void Above(string path, double value, double bound, double most)
    {
        if (!(value > bound && value <= most))
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture,
                $"{Setting.Named(path)} is {value}; choose a value above {bound} and up to {most}."));
    }

    /// <summary>Refuses a distance between pixels outside [0, 1], and NaN; says what a distance on the scale of 0 to 255 would
    /// be.</summary>
    /// <exception cref="ConfigurationException">The distance is outside.</exception>
    public static void PixelDistance(string path, double value)
    {
        if (value is > 1 and <= 255)
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture,
                $"{Setting.Named(path)} is {value}; choose a value from 0 to 1, since pixels are in [0, 1] here; "
                + $"did you mean {value}/255?"));
        InRange(path, value, 0, 1);
    }
}
