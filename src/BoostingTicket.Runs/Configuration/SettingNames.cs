using System.Text.Json;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Configuration;

/// <summary>The words that stand for the values of an enumeration in options and files: <c>CrossEntropy</c> is
/// <c>cross-entropy</c>.</summary>
internal static class SettingNames
{
    private static readonly Dictionary<string, string> Abbreviations = new()
    {
        ["ce"] = "cross-entropy",
        ["cw"] = "carlini-wagner",
    };

    /// <summary>The word for a value.</summary>
    public static string Of<TEnum>(TEnum value) where TEnum : struct, Enum => Word(value.ToString());

    /// <summary>All words of an enumeration, in the order of its values.</summary>
    public static IReadOnlyList<string> All(Type enumeration) => [.. Enum.GetNames(enumeration).Select(Word)];

    /// <summary>The value that a word stands for, whatever its case.</summary>
    /// <param name="enumeration">The enumeration.</param>
    /// <param name="word">What was written.</param>
    /// <param name="where">What errors call the setting.</param>
    /// <exception cref="ConfigurationException">The word stands for no value; the message names the nearest.</exception>
    public static object Parse(Type enumeration, string word, string where)
    {
        ArgumentNullException.ThrowIfNull(enumeration);
        ArgumentNullException.ThrowIfNull(word);
        string lower = word.ToLowerInvariant();
        if (Abbreviations.TryGetValue(lower, out string? full))
            lower = full;
        IReadOnlyList<string> words = All(enumeration);
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i] == lower)
                return Enum.Parse(enumeration, Enum.GetNames(enumeration)[i]);
        }

        throw new ConfigurationException($"{where} has no value '{word}'; {NearestName.Remedy(word, words)}");
    }

    private static string Word(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
