using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Experiments.Sweeps;

/// <summary>A setting with the values that a sweep gives it.</summary>
/// <param name="Name">Name of the option, as in <see cref="ConfigurationOptions"/>.</param>
/// <param name="Values">Its values as they would be typed, each once.</param>
internal sealed record SweptOption(string Name, IReadOnlyList<string> Values)
{
    private const int MostValues = 1_000;

    // What all points of a sweep share: one set of images on one device, and the seeds that each value is a mean of.
    private static readonly string[] Shared = ["seed", "seeds", "device", "precision", "deterministic", "arms"];

    /// <summary>Reads <c>NAME=VALUES</c>: values with commas between, semicolons where the setting is a list itself, or a range
    /// <c>FIRST:LAST:STEP</c>, its ends included.</summary>
    /// <exception cref="ConfigurationException">It is no such text, or the option cannot be swept.</exception>
    public static SweptOption Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int sign = text.IndexOf('=', StringComparison.Ordinal);
        if (sign <= 0 || sign == text.Length - 1)
            throw new ConfigurationException(
                $"'{text}' names no values; write NAME=VALUES, such as learning-rate=0.01,0.1 or ratio=0.5:0.9:0.1.");
        string name = text[..sign].TrimStart('-'), values = text[(sign + 1)..];
        ConfigurationOption option = ConfigurationOptions.Find(name);
        if (option.Group == OptionGroup.Data || Shared.Contains(name))
            throw new ConfigurationException(
                $"{Setting.Named(name)} is the same in all points of a sweep; give it as an option of its own, and sweep again "
                + $"in "
                + "the same folder for another value.");
        char separator = option.Paths.Any(path => ConfigurationSchema.Leaf(path).ItemType is not null) ? ';' : ',';
        string[] listed = values.Split(':') is [string first, string last, string step]
            ? Range(name, first, last, step)
            : values.Split(separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (listed.Length == 0 || listed.Distinct().Count() != listed.Length)
            throw new ConfigurationException(
                $"The values of {Setting.Named(name)} are '{values}'; give at least one, and each of them once.");
        return new SweptOption(name, listed);
    }

    /// <summary>All combinations of values, the first option's changing last.</summary>
    /// <exception cref="ConfigurationException">An option is named twice, or there are too many.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Grid(IReadOnlyList<SweptOption> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Select(option => option.Name).Distinct().Count() != options.Count)
            throw new ConfigurationException("A setting is swept twice; give all its values at once.");
        double points = options.Aggregate(1.0, (product, option) => product * option.Values.Count);
        if (points > MostValues)
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture, $"The sweep has {points:N0} points; give at most {MostValues:N0}."));
        IEnumerable<IReadOnlyList<string>> grid = [[]];
        foreach (SweptOption option in options)
            grid = [.. from point in grid from value in option.Values select (IReadOnlyList<string>)[.. point, value]];
        return [.. grid];
    }

    private static string[] Range(string name, string first, string last, string step)
    {
        if (!Fraction.TryParse(first, out double low) || !Fraction.TryParse(last, out double high)
            || !Fraction.TryParse(step, out double width) || width <= 0 || high < low || (high - low) / width > MostValues)
            throw new ConfigurationException(
                $"The range of {Setting.Named(name)} is '{first}:{last}:{step}'; give FIRST:LAST:STEP with a step above 0 and at "
                + $"most {MostValues} values, such as 0.5:0.9:0.1.");
        int count = (int)Math.Floor(((high - low) / width) + 1e-9) + 1;
        return [.. Enumerable.Range(0, count).Select(index => Math.Round(low + (index * width), 12).ToString(
            "0.############", CultureInfo.InvariantCulture))];
    }
}
