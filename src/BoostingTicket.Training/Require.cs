using System.Globalization;

namespace BoostingTicket.Training;

/// <summary>Checks of option values; each failure is one sentence that names the option and the allowed range.</summary>
public static class Require
{
    /// <summary>Refuses a value outside [<paramref name="least"/>, <paramref name="most"/>], and NaN.</summary>
    /// <exception cref="ConfigurationException">The value is outside.</exception>
    public static void InRange(string option, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture,
                $"--{option} is {value}; choose a value from {least} to {most}."));
    }

    /// <summary>Refuses a value outside (<paramref name="bound"/>, <paramref name="most"/>], and NaN.</summary>
    /// <exception cref="ConfigurationException">The value is outside.</exception>
    public static void Above(string option, double value, double bound, double most)
    {
        if (!(value > bound && value <= most))
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture,
                $"--{option} is {value}; choose a value above {bound} and up to {most}."));
    }
}
