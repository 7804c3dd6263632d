using System.CommandLine;
using System.Text.Json;
using BoostingTicket.Runs.Configuration;

namespace BoostingTicket.Cli.Hosting;

/// <summary>How the command line spells settings and other inputs. The libraries know none of it.</summary>
internal static class OptionNames
{
    private const string Dashes = "--";

    // Inputs whose option is not their name in kebab case.
    private static readonly Dictionary<string, string> Others = new()
    {
        ["dataFolder"] = "data",
        ["warmupBatches"] = "warmup",
    };

    /// <summary>The option of a setting or several.</summary>
    public static string Of(ConfigurationOption setting) => Dashes + setting.Name;

    /// <summary>The option that an input would have by its name: <c>saveAdversarial</c> is <c>--save-adversarial</c>.</summary>
    public static string Of(string input) =>
        Dashes + Others.GetValueOrDefault(input, JsonNamingPolicy.KebabCaseLower.ConvertName(input));

    /// <summary>The setting behind an option.</summary>
    public static ConfigurationOption Find(Option option) => ConfigurationOptions.Find(option.Name[Dashes.Length..]);
}
