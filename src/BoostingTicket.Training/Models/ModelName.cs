using System.Globalization;

namespace BoostingTicket.Training.Models;

/// <summary>Reads the numbers in the names of models.</summary>
internal static class ModelName
{
    /// <summary>The numbers of a name that is a prefix and then whole numbers parted by dashes; null for any other
    /// name.</summary>
    /// <param name="name">Such as <c>wrn-34-10</c>.</param>
    /// <param name="prefix">Such as <c>wrn-</c>.</param>
    /// <param name="count">How many numbers there must be.</param>
    public static int[]? Numbers(string name, string prefix, int count)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal))
            return null;
        string[] parts = name[prefix.Length..].Split('-');
        if (parts.Length != count)
            return null;
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++)
        {
            // One spelling a model: no sign, no leading zero.
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i])
                || (parts[i].Length > 1 && parts[i][0] == '0'))
            {
                return null;
            }
        }

        return numbers;
    }

    /// <summary>The channels of the first stage in the name of a model of any width: <c>vgg16</c> or <c>vgg16-w16</c>.</summary>
    /// <param name="name">The name.</param>
    /// <param name="model">The name of the usual width.</param>
    /// <param name="usual">Its channels.</param>
    /// <param name="largest">The most there may be.</param>
    /// <returns>The channels; null if the name is another model's.</returns>
    /// <exception cref="ConfigurationException">The width is out of range.</exception>
    public static int? Width(string name, string model, int usual, int largest)
    {
        if (name == model)
            return usual;
        if (Numbers(name, $"{model}-w", 1) is not { } numbers)
            return null;
        CheckRange(name, "width", numbers[0], 1, largest);
        return numbers[0];
    }

    /// <summary>The shortest name of a model of any width.</summary>
    public static string WithWidth(string model, int usual, int width) =>
        width == usual ? model : string.Create(CultureInfo.InvariantCulture, $"{model}-w{width}");

    /// <summary>Makes sure that a number of a name is possible.</summary>
    /// <exception cref="ConfigurationException">It is not.</exception>
    public static void CheckRange(string name, string what, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new ConfigurationException($"The model {name} has a {what} of {value}; choose one from {least} to {most}.");
    }
}
