using System.CommandLine;
using System.CommandLine.Help;
using System.Text.RegularExpressions;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Streams;

namespace BoostingTicket.Cli.Tests;

/// <summary>Reads the help of every command, with those below it.</summary>
internal sealed class HelpTextTests
{
    private static readonly string[] Switch = ["true", "false"];

    private static IEnumerable<TestCaseData> Commands()
    {
        var root = Application.CreateRoot(new ProgramContext(
            [], new Terminal(TextWriter.Null, TextWriter.Null, false, false, 100), default));
        Option[] common = [.. root.Options.Where(option => option is not (HelpOption or VersionOption))];
        return Walk(root, "");

        IEnumerable<TestCaseData> Walk(Command command, string path) =>
            command.Subcommands.SelectMany(sub => Walk(sub, $"{path} {sub.Name}".Trim()))
                .Prepend(new TestCaseData(command, common, path).SetArgDisplayNames(path.Length == 0 ? "root" : path));
    }

    [TestCaseSource(nameof(Commands))]
    public void Every_option_and_argument_is_described_in_its_own_words(Command command, Option[] common, string path)
    {
        Option[] listed = [.. Listed(command, common)];
        foreach (Option option in listed)
        {
            Assert.That(option.Description, Is.Not.Null.And.Length.GreaterThan(10), option.Name);
            Assert.That(
                Regex.IsMatch(option.Description!, $"{Regex.Escape(option.Name)}(?![a-z-])"), Is.False,
                $"{option.Name} is explained by itself: {option.Description}");
        }
        foreach (Argument argument in command.Arguments)
            Assert.That(argument.Description, Is.Not.Null.And.Length.GreaterThan(10), argument.Name);
        Assert.That(listed.Select(option => option.Description), Is.Unique, path);
    }

    [TestCaseSource(nameof(Commands))]
    public void Help_shows_each_description_and_each_word_with_its_meaning(Command command, Option[] common, string path)
    {
        CommandResult help = CommandLine.Run([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        string text = OnOneLine(help.Out);
        var known = command as CommandLineCommand;
        foreach (Option option in Listed(command, common))
        {
            Assert.That(text, Does.Contain(
                OnOneLine($"{option.Name} {(option is Option<bool> ? "" : option.HelpName)} {option.Description}")));
            string[] words = [.. (option.HelpName ?? "").TrimEnd('…', ',').Split('|').Where(word => word.Any(char.IsLower))];
            if (words.Length < 2 || words.SequenceEqual(Switch) || known is null)
                continue;
            IReadOnlyList<(string Word, string Description)> meanings = known.WordsOf(option);
            Assert.That(meanings.Select(entry => entry.Word), Is.EqualTo(words), option.Name);
            foreach ((string word, string meaning) in meanings)
            {
                Assert.That(meaning, Has.Length.GreaterThan(10), word);
                Assert.That(text, Does.Contain(OnOneLine($"{word}: {meaning}")), option.Name);
            }
        }
        foreach ((string heading, IReadOnlyList<(string Name, string Description)> rows) in known?.Lists ?? [])
        {
            foreach ((string name, string description) in rows)
            {
                Assert.That(description, Has.Length.GreaterThan(10), $"{heading}: {name}");
                Assert.That(text, Does.Contain(OnOneLine($"{name} {description}")));
            }
        }
        foreach (Command sub in command.Subcommands)
            Assert.That(sub.Description, Is.Not.Null.And.Length.GreaterThan(10), sub.Name);
    }

    // The program's own words for what is chosen by name, and who lists them.
    [TestCase("run", "mnist-lenet")]
    [TestCase("train", "n-fgsm")]
    [TestCase("retrain", "trades")]
    [TestCase("profile", "yopo")]
    [TestCase("prune", "layerwise")]
    [TestCase("evaluate", "fab-t")]
    [TestCase("transfer", "autoattack")]
    [TestCase("experiment", "table4")]
    [TestCase("experiment", "figure9")]
    [TestCase("sweep", "n-fgsm")]
    [TestCase("completion", "fish")]
    [TestCase("models", "lenet-A-B-C[-p2]")]
    [TestCase("data fetch", "cifar10")]
    [TestCase("data info", "synthetic-28")]
    [TestCase("export", "torchvision")]
    [TestCase("import", "none")]
    public void Help_lists_the_words_that_a_command_takes(string path, string word)
    {
        CommandResult help = CommandLine.Run([.. path.Split(' '), "--help"]);
        Assert.That(help.Out.Split('\n').Select(line => line.Trim()), Has.Some.Matches<string>(
            line => line!.StartsWith($"{word}: ", StringComparison.Ordinal)
                || line.StartsWith($"{word}  ", StringComparison.Ordinal)
                || line == word));
    }

    private static IEnumerable<Option> Listed(Command command, Option[] common) =>
        command.Options.Concat(common).Distinct().Where(option => !option.Hidden && option is not (HelpOption or VersionOption));

    private static string OnOneLine(string text) => Regex.Replace(text, @"\s+", " ").Trim();
}
