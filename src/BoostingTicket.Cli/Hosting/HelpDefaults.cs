using System.CommandLine;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Hosting;

/// <summary>What the settings of a command are where nothing else is said, for its help: those of the preset, file and options
/// that stand before <c>--help</c>, else of the usual data set.</summary>
internal sealed class HelpDefaults
{
    private readonly Dictionary<Option, string> _values = [];

    private HelpDefaults(string source) => Source = source;

    /// <summary>Where they come from.</summary>
    public string Source { get; }

    /// <summary>The default of an option, behind its description; empty where there is none.</summary>
    public string Of(Option option) => _values.TryGetValue(option, out string? value) ? $" (default: {value})" : "";

    /// <summary>Finds them.</summary>
    /// <returns>Null for a command without settings, for one whose defaults follow from what it is given, and where what stands
    /// on the command line cannot be used.</returns>
    public static HelpDefaults? Find(ParseResult parsed, CommandLineCommand command)
    {
        if (command.Settings.Count == 0 || command.Options.FirstOrDefault(option => option.Name == "--preset") is not
            Option<string?> preset)
            return null;
        bool named = parsed.GetValue(preset) is not null;
        if (command.DefaultsFollowInput && !named)
            return null;
        try
        {
            var file = command.Options.FirstOrDefault(option => option.Name == "--config") as Option<string?>;
            IReadOnlyList<(ConfigurationOption, string)> given = new Invocation(parsed, command).Settings();
            ComposedConfiguration composed = new ConfigurationSources(
                parsed.GetValue(preset), file is null ? null : parsed.GetValue(file), given).ComposeNamed();
            var defaults = new HelpDefaults(composed.Source);
            foreach ((Option<string?> option, ConfigurationOption setting) in command.Settings)
                defaults.Add(option, setting, composed.Configuration);
            defaults.Add(command.Context.Common.Seed, composed.Configuration);
            defaults.Add(command.Context.Common.Device, composed.Configuration);
            return defaults;
        }
        catch (Exception error) when (error is BoostingTicketException or InvalidOperationException)
        {
            // Help is for those whose command line does not work, too; an option without its value has none to ask for.
            return null;
        }
    }

    private void Add(Option option, RunConfiguration configuration) => Add(option, OptionNames.Find(option), configuration);

    private void Add(Option option, ConfigurationOption setting, RunConfiguration configuration)
    {
        if (setting.ValueIn(configuration) is { } value)
            _values.Add(option, value);
    }
}
