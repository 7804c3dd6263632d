using System.Text.RegularExpressions;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Runs.Configuration;

namespace BoostingTicket.Cli.Tests;

internal sealed class DocumentationTests
{
    private const string UpdateVariable = "BOOSTING_TICKET_UPDATE_DOCS";
    private const string Marker = "<!-- generated -->\n";

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
    public void Page_of_commands_has_all_commands_and_exit_codes()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "commands.md"));
        var nowhere = new Terminal(TextWriter.Null, TextWriter.Null, false, false, 100);
        var root = Application.CreateRoot(new ProgramContext([], nowhere, default));
        foreach (string name in root.Subcommands.Select(command => command.Name))
            Assert.That(page, Does.Contain($"| `{name}"));
        foreach (int code in new[] { 0, 2, 3, 4, 5, 6, 7, 130 })
            Assert.That(page, Does.Contain($"\n| {code} | "));
    }

    [Test]
    public void Links_between_pages_lead_somewhere()
    {
        foreach (string page in Pages())
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

    private static string[] Pages() =>
    [
        .. Directory.GetFiles(Repository.Root, "*.md"),
        .. new[] { "docs", "tests", "kernels", "benchmarks", "tools" }.SelectMany(folder =>
            Directory.GetFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Contains("bin")),
    ];
}
