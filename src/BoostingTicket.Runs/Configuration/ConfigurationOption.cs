using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Headings under which options are shown.</summary>
internal enum OptionGroup
{
    /// <summary>What is run.</summary>
    Run,

    /// <summary>Data set and its split.</summary>
    Data,

    /// <summary>The network.</summary>
    Model,

    /// <summary>The attack that is trained against.</summary>
    Attack,

    /// <summary>Training of donor, tickets and baseline.</summary>
    Training,

    /// <summary>Drawing the ticket.</summary>
    Pruning,

    /// <summary>Measurements.</summary>
    Evaluation,
}

/// <summary>A setting, or several at once, under one short name, as a command line offers it.</summary>
/// <param name="Name">The word for it, such as <c>epochs</c>.</param>
/// <param name="Group">Heading.</param>
/// <param name="Hint">What it takes, such as <c>N</c>.</param>
/// <param name="Description">What it does, in one line.</param>
/// <param name="Paths">The settings that it gives its value.</param>
internal sealed record ConfigurationOption(
    string Name, OptionGroup Group, string Hint, string Description, IReadOnlyList<string> Paths)
{
    /// <summary>Whether help lists it; a variant for a single training is explained once instead.</summary>
    public bool Listed { get; init; } = true;

    /// <summary>The words that it takes, with what they mean; empty where it takes something else.</summary>
    public IReadOnlyList<(string Word, string Description)> Words { get; init; } = [];

    /// <summary>What it does beyond giving <see cref="Paths"/> its value; null for nothing.</summary>
    internal Action<ConfigurationDraft, string>? Action { get; init; }

    /// <summary>The value of the settings behind the option in a configuration, as it would be typed; that of each where they
    /// differ.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <returns>Null for an option that stands for no single setting.</returns>
    public string? ValueIn(RunConfiguration configuration)
    {
        IReadOnlyList<string> shown = Shown ?? Paths;
        JsonNode settings = JsonSerializer.SerializeToNode(configuration, RunJson.Compact)!;
        (string Group, string Value)[] values =
            [.. shown.Select(path => (path.Split('.')[0], SettingText.Of(settings, path)))];
        return values.Length == 0 ? null
            : values.Select(value => value.Value).Distinct().Count() == 1 ? values[0].Value
            : string.Join(", ", values.Select(value => $"{value.Group} {value.Value}"));
    }

    /// <summary>The settings that show what it comes to, where they are not those that it gives its value.</summary>
    internal IReadOnlyList<string>? Shown { get; init; }

    /// <summary>Applies the option.</summary>
    /// <param name="draft">The configuration so far.</param>
    /// <param name="text">The option's value as it was typed.</param>
    /// <exception cref="ConfigurationException">The value cannot be used.</exception>
    public void Apply(ConfigurationDraft draft, string text)
    {
        ArgumentNullException.ThrowIfNull(draft);
        foreach (string path in Paths)
            draft.Set(path, text, Setting.Named(Name));
        Action?.Invoke(draft, text);
    }
}
