using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Cli.Tests.Documents;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Cli.Tests;

internal sealed partial class DocumentationTests
{
    private const string UpdateVariable = "BOOSTING_TICKET_UPDATE_DOCS";
    private const string Marker = "<!-- generated -->\n";
    private static readonly string[] Languages = [MarkdownBlock.Commands, "text", "csharp", "json"];

    private static IEnumerable<int> AllExitCodes =>
        typeof(ExitCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(code => (int)code.GetRawConstantValue()!);

    private static RootCommand Root => Application.CreateRoot(
        new ProgramContext([], new Terminal(TextWriter.Null, TextWriter.Null, false, false, 100), default));

    [Test]
    public void Configuration_reference_is_what_the_program_knows()
    {
        string path = Path.Combine(Repository.Root, "docs", "configuration.md");
        string document = File.ReadAllText(path).ReplaceLineEndings("\n");
        int start = document.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length;
        string expected = "\n" + ConfigurationReference.Markdown(OptionNames.Of).TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
            File.WriteAllText(path, document[..start] + expected);
        else
            Assert.That(document[start..], Is.EqualTo(expected), $"run this test once with {UpdateVariable}=1");
    }

    [Test]
    public void Readme_leads_to_two_commands_and_a_picture()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string[] screen = [.. readme.Split('\n').Take(30)];
        Assert.That(screen, Has.Member("dotnet run -c Release --project src/BoostingTicket.Cli -- run"));
        Assert.That(screen, Has.Member("dotnet test -c Release"));
        Assert.That(screen, Has.Some.StartsWith("!["));
    }

    [Test]
    public void Page_of_commands_has_all_commands_attacks_variables_and_exit_codes()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "commands.md"));
        foreach (string name in Root.Subcommands.Select(command => command.Name))
            Assert.That(page, Does.Contain($"| `{name}"));
        string attacks = page[page.IndexOf("\n## Attacks", StringComparison.Ordinal)..];
        foreach (string name in AttackCatalog.Names.Select(attack => attack.Name))
            Assert.That(attacks, Does.Contain($"`{name}`"));
        string[] sources = Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories);
        string[] variables = [.. sources.SelectMany(source => Variable().Matches(File.ReadAllText(source)))
            .Select(match => match.Groups[1].Value).Distinct()];
        Assert.That(variables, Has.Length.GreaterThan(5));
        foreach (string variable in variables)
            Assert.That(page, Does.Match($@"\n\| `{variable}(=.)?` \| "));
        foreach (int code in AllExitCodes)
            Assert.That(page, Does.Contain($"\n| {code} | "));
    }

    [Test]
    public void Help_has_all_exit_codes()
    {
        CommandResult help = CommandLine.Run("--help");
        foreach (int code in AllExitCodes)
            Assert.That(help.Out, Does.Match($@"\n +{code} "));
    }

    [Test]
    public void Links_between_pages_lead_somewhere()
    {
        foreach (string page in MarkdownBlock.Pages.Select(name => Path.Combine(Repository.Root, name)))
        {
            foreach (Match link in Regex.Matches(File.ReadAllText(page), @"\]\(([^)#\s]+)(?:#[^)]*)?\)"))
            {
                string target = link.Groups[1].Value;
                if (target.Contains("://", StringComparison.Ordinal))
                    continue;
                string path = Path.Combine(Path.GetDirectoryName(page)!, target);
                Assert.That(File.Exists(path) || Directory.Exists(path), Is.True, $"{page} links to {target}");
            }
        }
    }

    [TestCaseSource(typeof(MarkdownBlock), nameof(MarkdownBlock.Pages))]
    public void Blocks_say_what_they_hold_and_commands_are_understood(string page)
    {
        foreach (MarkdownBlock block in MarkdownBlock.Of(page))
        {
            string place = $"{page}:{block.Line}";
            Assert.That(
                Languages, Has.Member(block.Language), $"{place}: put {MarkdownBlock.Commands} behind the fence of a block of "
                + "commands, each of which a test executes, and text behind that of another");
            if (block.Language != MarkdownBlock.Commands)
                Assert.That(Programs().Matches(block.Text), Is.Empty, $"{place}: these are commands; mark the block as "
                    + MarkdownBlock.Commands);
        }
        foreach (DocumentedCommand command in DocumentedCommand.OfPage(page).Where(
            command => command.Words[0] == "boosting-ticket"))
            Assert.That(() => ShortCommand.Of([.. command.Words.Skip(1)]), Throws.Nothing, command.ToString());
    }

    [TestCaseSource(typeof(MarkdownBlock), nameof(MarkdownBlock.Pages))]
    public void Commands_within_sentences_know_their_options(string page)
    {
        foreach (Match line in Inline().Matches(File.ReadAllText(Path.Combine(Repository.Root, page))))
        {
            string[] words = line.Groups[1].Value.Split(' ');
            if (Root.Subcommands.FirstOrDefault(command => command.Name == words[0]) is not { } command)
                continue;
            string[] known = [.. command.Subcommands.Append(command).Append(Root).SelectMany(part => part.Options).SelectMany(
                option => option.Aliases.Append(option.Name))];
            foreach (string option in words.Where(word => word.StartsWith("--", StringComparison.Ordinal)))
                Assert.That(known, Has.Member(option.Split('=')[0]), $"{page}: {line.Value}");
        }
    }

    [GeneratedRegex(@"(?m)^(boosting-ticket|dotnet|python3|pip|mpirun|srun|sbatch|tools/|\./)\b.*$")]
    private static partial Regex Programs();

    [GeneratedRegex("\"(BOOSTING_TICKET_[A-Z_]+|NO_COLOR)\"")]
    private static partial Regex Variable();

    [GeneratedRegex("`(?:boosting-ticket )?([a-z]+ [^`\n]*)`")]
    private static partial Regex Inline();
}
