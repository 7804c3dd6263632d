namespace BoostingTicket.Cli.Hosting;

/// <summary>An option as it stands on the command line, for what is decided before a command is parsed or from the words that
/// were typed. It is split as System.CommandLine splits it: <c>--option value</c>, <c>--option=value</c> or
/// <c>--option:value</c>.</summary>
/// <param name="Index">Number of the argument with its name.</param>
/// <param name="Count">Arguments that it takes, itself included.</param>
/// <param name="Value">Its value; null for none.</param>
internal readonly record struct GivenOption(int Index, int Count, string? Value)
{
    /// <summary>What no option comes behind.</summary>
    public const string EndOfOptions = "--";

    /// <summary>All places where an option with a value stands.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    /// <param name="name">The option.</param>
    public static IEnumerable<GivenOption> Find(IReadOnlyList<string> arguments, string name) =>
        Find(arguments, name, _ => true);

    /// <summary>All places where an option that may do without a value, or has <c>true</c> or <c>false</c>, stands.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    /// <param name="name">The option.</param>
    public static IEnumerable<GivenOption> FindSwitch(IReadOnlyList<string> arguments, string name) =>
        Find(arguments, name, value => bool.TryParse(value, out _));

    /// <summary>Whether an option without a value is given and is not <c>false</c>.</summary>
    /// <param name="arguments">The command line after the program's name.</param>
    /// <param name="name">The option.</param>
    public static bool IsOn(IReadOnlyList<string> arguments, string name) =>
        FindSwitch(arguments, name).Any(given => !bool.TryParse(given.Value, out bool on) || on);

    private static IEnumerable<GivenOption> Find(IReadOnlyList<string> arguments, string name, Func<string, bool> isValue)
    {
        int end = arguments.TakeWhile(argument => argument != EndOfOptions).Count();
        for (int index = 0; index < end; index++)
        {
            string argument = arguments[index];
            if (!argument.StartsWith(name, StringComparison.Ordinal)
                || (argument.Length > name.Length && argument[name.Length] is not ('=' or ':')))
                continue;
            if (argument.Length > name.Length + 1)
                yield return new GivenOption(index, 1, argument[(name.Length + 1)..]);
            else if (index + 1 < end && isValue(arguments[index + 1]))
                yield return new GivenOption(index, 2, arguments[++index]);
            else
                yield return new GivenOption(index, 1, null);
        }
    }
}
