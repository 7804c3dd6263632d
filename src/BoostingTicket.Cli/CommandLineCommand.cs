using System.CommandLine;
using BoostingTicket.Training.Tickets;

namespace BoostingTicket.Cli;

/// <summary>A command with what its help shows beyond its options.</summary>
/// <param name="name">The word.</param>
/// <param name="description">What it does, in one line.</param>
/// <param name="surroundings">What it writes to and is stopped by.</param>
internal sealed class CommandLineCommand(string name, string description, Surroundings surroundings) : Command(name, description)
{
    /// <summary>What it writes to and is stopped by.</summary>
    public Surroundings Surroundings => surroundings;

    /// <summary>Whole command lines, each with what it does. Never empty.</summary>
    public required IReadOnlyList<(string Line, string Meaning)> Examples { get; init; }

    /// <summary>Paragraphs that help shows below the description; may be empty.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>A list that help shows after the examples: heading and rows; null for none.</summary>
    public (string Heading, IReadOnlyList<(string Name, string Description)> Rows)? List { get; init; }

    /// <summary>Heading of each option that has one; others come first.</summary>
    public Dictionary<Option, string> Headings { get; } = [];

    /// <summary>The options that change a configuration, by what they change.</summary>
    public Dictionary<Option<string?>, ConfigurationOption> Settings { get; } = [];

    /// <summary>Adds the options of all settings.</summary>
    public CommandLineCommand WithAllSettings() => Add(ConfigurationOptions.All);

    /// <summary>Adds the options of some groups.</summary>
    /// <param name="groups">The groups.</param>
    public CommandLineCommand WithSettings(params OptionGroup[] groups) =>
        Add(ConfigurationOptions.All.Where(setting => setting.Listed && groups.Contains(setting.Group)));

    /// <summary>Adds the options of training, each changing one training alone.</summary>
    /// <param name="training"><c>dense</c> or <c>retrain</c>.</param>
    public CommandLineCommand WithTraining(string training) => Add(
        from setting in ConfigurationOptions.All
        where setting.Listed && setting.Group == OptionGroup.Training
        select ConfigurationOptions.Find($"--{training}-{setting.Name[2..]}") with { Name = setting.Name, Listed = true });

    private CommandLineCommand Add(IEnumerable<ConfigurationOption> settings)
    {
        // These two belong to every command.
        foreach (ConfigurationOption setting in settings.Where(setting => setting.Name is not ("--seed" or "--device")))
        {
            var option = new Option<string?>(setting.Name)
            {
                Description = setting.Description,
                HelpName = setting.Hint,
                Hidden = !setting.Listed,
                // A switch may be given without its value.
                Arity = setting.Hint == "true|false" ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            Options.Add(option);
            Settings.Add(option, setting);
            Headings.Add(option, setting.Group.ToString());
        }

        return this;
    }

    /// <summary>Sets what the command does.</summary>
    /// <param name="execute">Does it, and returns the exit code.</param>
    public CommandLineCommand Executes(Func<Invocation, int> execute)
    {
        SetAction(parsed => execute(new Invocation(parsed, this)));
        return this;
    }
}
