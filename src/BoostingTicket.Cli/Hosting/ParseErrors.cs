using System.CommandLine;
using System.CommandLine.Parsing;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Hosting;

/// <summary>Explains a command line that cannot be understood, in one sentence.</summary>
internal static class ParseErrors
{
    /// <summary>What an option calls its value that consists of another program's options.</summary>
    public const string OtherOptions = "OPTIONS";

    private const string FreeText = "TEXT";

    /// <summary>What is wrong; null when nothing is.</summary>
    public static string? Describe(ParseResult parsed)
    {
        // A mistyped option may have been taken for an argument.
        IEnumerable<string> arguments = parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens.Select(token => token.Value)).Where(IsOption);
        if (AsksForHelp(parsed))
            return null;
        Command command = parsed.CommandResult.Command;
        string path = PathOf(parsed.CommandResult);
        // An option without its value takes the next option for it.
        OptionResult? greedy = parsed.CommandResult.Children.OfType<OptionResult>()
            .FirstOrDefault(option => option.Option.HelpName != OtherOptions && option.Tokens.Any(token => token.Value.StartsWith(
                "--", StringComparison.Ordinal)));
        if (greedy is not null)
            return $"The option {greedy.Option.Name} needs a value; see '{path} --help'.";
        if (Empty(parsed.CommandResult) is { } empty)
            return $"{empty} is empty; give it a value, or leave it out.";
        if (parsed.Errors.Count == 0 && !arguments.Any())
            return null;
        foreach (string token in parsed.UnmatchedTokens.Concat(arguments))
        {
            if (IsOption(token))
                return Unknown($"There is no option '{token}' of '{path}'", token, OptionNames(parsed.CommandResult), path);
            if (command.Subcommands.Count > 0)
                return Unknown($"There is no command '{path} {token}'", token, command.Subcommands.Select(sub => sub.Name), path);
            return $"Unexpected argument '{token}'; see '{path} --help'.";
        }

        if (command.Subcommands.Count > 0)
            return $"'{path}' needs a command: {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}; see '{path} "
                + $"--help'.";
        ParseError error = parsed.Errors[0];
        if (error.SymbolResult is OptionResult { Tokens.Count: 0 } option)
            return $"The option {option.Option.Name} needs a value; see '{path} --help'.";
        if (error.SymbolResult is OptionResult { Tokens.Count: > 1 } repeated)
            return $"The option {repeated.Option.Name} is given more than once; give it once.";
        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0 } argument)
            return $"'{path}' needs {argument.Argument.HelpName ?? argument.Argument.Name}; see '{path} --help'.";
        return $"{error.Message.TrimEnd('.')}; see '{path} --help'.";
    }

    // An empty word comes from a variable of a shell that is not set. Only the beginnings of names may be empty.
    private static string? Empty(CommandResult result)
    {
        foreach (SymbolResult child in result.Children.Where(child => child.Tokens.Any(token => token.Value.Length == 0)))
        {
            if (child is OptionResult option && option.Option.HelpName != FreeText)
                return $"The value of {option.Option.Name}";
            if (child is ArgumentResult argument)
                return argument.Argument.HelpName ?? argument.Argument.Name;
        }

        return result.Parent is CommandResult parent ? Empty(parent) : null;
    }

    /// <summary>The words that lead to a command, with the program's name.</summary>
    public static string PathOf(CommandResult result) => result.Parent is CommandResult parent
        ? $"{PathOf(parent)} {result.Command.Name}"
        : ProgramContext.Name;

    private static bool IsOption(string token) => token.StartsWith('-') && token.Length > 1;

    private static bool AsksForHelp(ParseResult parsed) => parsed.Action is HelpWriter.HelpWriterAction;

    private static string Unknown(string what, string token, IEnumerable<string> known, string path) =>
        NearestName.Find(token, known) is { } nearest ? $"{what}; did you mean '{nearest}'?" : $"{what}; see '{path} --help'.";

    private static IEnumerable<string> OptionNames(CommandResult result)
    {
        IEnumerable<string> own = result.Command.Options.Select(option => option.Name);
        return result.Parent is CommandResult parent
            ? own.Concat(parent.Command.Options.Where(option => option.Recursive).Select(option => option.Name)).Concat(
                OptionNames(parent)).Distinct()
            : own;
    }
}
