using BoostingTicket.Cli.Hosting;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Runs.Configuration;


namespace BoostingTicket.Cli.Tests;

public sealed class DocumentationTests
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
    public void Readme_has_the_commands_and_exit_codes()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        Assert.That(readme, Does.Contain("dotnet run -c Release --project src/BoostingTicket.Cli -- run").And.Contain("dotnet test"));
        var root = Application.CreateRoot(new ProgramContext([], new Terminal(TextWriter.Null, TextWriter.Null, false, false, 100), default));
        foreach (string name in root.Subcommands.Select(command => command.Name))
            Assert.That(readme, Does.Contain($"| `{name}"));
        foreach (int code in new[] { 0, 2, 3, 4, 5, 6, 7, 130 })
            Assert.That(readme, Does.Contain($"\n| {code} | "));
    }
}
