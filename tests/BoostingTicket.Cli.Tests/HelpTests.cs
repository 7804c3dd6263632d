using System.CommandLine;
using System.Text.RegularExpressions;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Streams;

namespace BoostingTicket.Cli.Tests;

internal sealed partial class HelpTests
{
    private static IEnumerable<string> Paths()
    {
        var root = Application.CreateRoot(new ProgramContext(
            [], new Terminal(TextWriter.Null, TextWriter.Null, false, false, 100), default));
        return Walk(root, "");

        static IEnumerable<string> Walk(Command command, string path) =>
            command.Subcommands.SelectMany(sub => Walk(sub, $"{path} {sub.Name}".Trim())).Prepend(path);
    }

    [TestCaseSource(nameof(Paths))]
    public void Every_command_has_help_with_examples_and_the_common_options(string path)
    {
        CommandResult result = CommandLine.Run([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.That(result.Code, Is.Zero);
        Assert.That(result.Error, Is.Empty);
        string[] lines = result.Out.Split('\n');
        int examples = Array.FindIndex(lines, line => line.TrimEnd() == "Examples:");
        Assert.That(examples, Is.Positive);
        Assert.That(lines[examples + 1], Does.StartWith($"  boosting-ticket {path}".TrimEnd()));
        foreach (string option in new[] { "--seed", "--threads", "--device", "--out", "--json" })
            Assert.That(lines, Has.Some.StartsWith($"  {option}"));
        Assert.That(lines.Select(line => line.TrimEnd().Length), Is.All.LessThanOrEqualTo(130));
    }

    [TestCaseSource(nameof(Paths))]
    public void Examples_are_command_lines_that_parse(string path)
    {
        CommandResult help = CommandLine.Run([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        foreach (string line in help.Out.Split('\n').SkipWhile(line => line.TrimEnd() != "Examples:").TakeWhile(
            line => line.Length > 1)
            .Where(line => line.StartsWith("  boosting-ticket ", StringComparison.Ordinal) && !line.Contains(
                "--help", StringComparison.Ordinal)))
        {
            string[] arguments = [.. Words().Matches(line.Split('>')[0]).Skip(1).Select(
                word => word.Value.Replace("'", "", StringComparison.Ordinal))];
            CommandResult parsed = CommandLine.Run([.. arguments, "--surely-not-an-option"]);
            Assert.That(parsed.Error, Does.Contain("'--surely-not-an-option'"), line);
        }
    }

    [Test]
    public void Version_is_printed()
    {
        CommandResult result = CommandLine.Run("--version");
        Assert.That(result.Code, Is.Zero);
        Assert.That(result.Out, Does.Match(@"^\d+\.\d+\.\d+"));
    }

    [Test]
    public void Help_wins_over_a_mistake() => Assert.That(CommandLine.Run("run", "--epohcs", "3", "--help").Code, Is.Zero);

    // As a shell splits a line: spaces between single quotes belong to a word.
    [GeneratedRegex("(?:[^ ']|'[^']*')+")]
    private static partial Regex Words();
}
