using System.CommandLine;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Hosting;

/// <summary>The values that a shell may offer for an option.</summary>
internal static class Completions
{
    /// <summary>Lets a shell offer what a setting takes: its words, data sets, models, <c>true</c> and <c>false</c>.</summary>
    public static void Add(Option<string?> option, ConfigurationOption setting) => option.CompletionSources.Add(
        _ => Words(setting).Select(word => new System.CommandLine.Completions.CompletionItem(word)));

    /// <summary>Lets a shell offer names.</summary>
    public static void Add(Option<string?> option, IEnumerable<string> names) => option.CompletionSources.Add(
        _ => names.Select(word => new System.CommandLine.Completions.CompletionItem(word)));

    /// <summary>Lets a shell offer names.</summary>
    public static void Add<T>(Argument<T> argument, IEnumerable<string> names) => argument.CompletionSources.Add(
        _ => names.Select(word => new System.CommandLine.Completions.CompletionItem(word)));

    private static IEnumerable<string> Words(ConfigurationOption setting) => setting.Name switch
    {
        "dataset" => DataSetCatalog.Names,
        "model" => ModelCatalog.Names,
        _ when setting.Words.Count > 0 => setting.Words.Select(word => word.Word),
        _ when setting.Hint.Contains('|', StringComparison.Ordinal) => setting.Hint.TrimEnd('…', ',').Split('|'),
        _ => [],
    };
}
