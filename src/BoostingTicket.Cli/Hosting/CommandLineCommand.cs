using System.CommandLine;
using BoostingTicket.Runs.Configuration;

namespace BoostingTicket.Cli.Hosting;

/// <summary>A command with what its help shows beyond its options.</summary>
/// <param name="name">The word.</param>
/// <param name="description">What it does, in one line.</param>
/// <param name="context">What it writes to and is stopped by.</param>
internal sealed class CommandLineCommand(string name, string description, ProgramContext context) : Command(name, description)
{
    private static readonly (string Name, string Setting, string Description)[] EvaluationAttack =
    [
        ("epsilon", "evaluation-epsilon", "radius of the L∞ ball"),
        ("step-size", "evaluation-step-size", "size of a PGD step"),
        ("steps", "evaluation-steps", "number of PGD steps"),
        ("restarts", "evaluation-restarts", "random restarts of PGD"),
        ("attack-loss", "evaluation-loss", "loss that the attack maximises"),
        ("batch", "evaluation-batch", "samples per batch"),
    ];

    /// <summary>What it writes to and is stopped by.</summary>
    public ProgramContext Context => context;

    /// <summary>Whole command lines, each with what it does. Never empty.</summary>
    public required IReadOnlyList<(string Line, string Meaning)> Examples { get; init; }

    /// <summary>Paragraphs that help shows below the description; may be empty.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>Lists that help shows after the examples: heading and rows.</summary>
    public IReadOnlyList<(string Heading, IReadOnlyList<(string Name, string Description)> Rows)> Lists { get; init; } = [];

    /// <summary>Heading of each option that has one; others come first.</summary>
    public Dictionary<Option, string> Headings { get; } = [];

    /// <summary>The options that change a configuration, by what they change.</summary>
    public Dictionary<Option<string?>, ConfigurationOption> Settings { get; } = [];

    /// <summary>Whether its defaults follow from what it is given, such as the settings that weights come from.</summary>
    public bool DefaultsFollowInput { get; init; }

    /// <summary>The words that an option takes, with what they mean; empty where it takes something else.</summary>
    public IReadOnlyList<(string Word, string Description)> WordsOf(Option option) =>
        option == context.Common.Device ? OptionNames.Find(option).Words
        : option == context.Common.Ranks ? TeamDevice.Words
        : option is Option<string?> text && Settings.TryGetValue(text, out ConfigurationOption? setting) ? setting.Words
        : [];

    /// <summary>Adds the options of all settings.</summary>
    public CommandLineCommand WithAllSettings() => Add(ConfigurationOptions.All);

    /// <summary>Adds the options of some groups.</summary>
    /// <param name="groups">The groups.</param>
    public CommandLineCommand WithSettings(params OptionGroup[] groups) =>
        Add(ConfigurationOptions.All.Where(setting => setting.Listed && groups.Contains(setting.Group)));

    /// <summary>Adds the options of single settings.</summary>
    /// <param name="names">Their names.</param>
    public CommandLineCommand WithOptions(params string[] names) => Add(names.Select(ConfigurationOptions.Find));

    /// <summary>Adds options of settings as they are given here, with a description of their own for example.</summary>
    /// <param name="options">The options.</param>
    public CommandLineCommand WithOptions(params ConfigurationOption[] options) => Add(options);

    /// <summary>Adds the options of the attack of evaluation, under the short names that training's attack has elsewhere; the
    /// long ones are understood too.</summary>
    public CommandLineCommand WithEvaluationAttack() => Add(
        from option in EvaluationAttack
        from name in new[] { option.Name, option.Setting }
        select ConfigurationOptions.Find(option.Setting) with
        {
            Name = name,
            Description = option.Description,
            Listed = name == option.Name,
        });

    /// <summary>Adds the options of training, each changing one training alone.</summary>
    /// <param name="training"><c>dense</c> or <c>retrain</c>.</param>
    public CommandLineCommand WithTraining(string training) => Add(
        from setting in ConfigurationOptions.All
        where setting.Listed && setting.Group == OptionGroup.Training
        select ConfigurationOptions.Find($"{training}-{setting.Name}") with { Name = setting.Name, Listed = true });

    private CommandLineCommand Add(IEnumerable<ConfigurationOption> settings)
    {
        // These two belong to every command.
        foreach (ConfigurationOption setting in settings.Where(setting => setting.Name is not ("seed" or "device")))
        {
            var option = new Option<string?>(OptionNames.Of(setting))
            {
                Description = setting.Description,
                HelpName = setting.Hint,
                Hidden = !setting.Listed,
                // A switch may be given without its value.
                Arity = setting.Hint == "true|false" ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            Completions.Add(option, setting);
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
        SetAction(parsed =>
        {
            var invocation = new Invocation(parsed, this);
            context.NameOf = invocation.NameOf;
            if (invocation.Get(context.Common.Ranks) is { } ranks)
                TeamDevice.Check(ranks);
            return execute(invocation);
        });
        return this;
    }
}
