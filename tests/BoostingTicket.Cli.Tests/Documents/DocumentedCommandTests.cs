using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests.Documents;

/// <summary>Every command of every page is executed as it stands there, scaled down. <see cref="GettingStartedTests"/> has a
/// page of its own.</summary>
[Long, NonParallelizable]
internal sealed class DocumentedCommandTests
{
    private string _examples = "";
    private string _programs = "";
    private string? _path;

    private static IEnumerable<string> Pages =>
        MarkdownBlock.Pages.Where(page => page != GettingStartedTests.Page && DocumentedCommand.OfPage(page).Any());

    [OneTimeSetUp]
    public void MakeExamples()
    {
        _examples = Directory.CreateTempSubdirectory("examples-").FullName;
        ExampleFiles.Make(_examples);
        _programs = Directory.CreateTempSubdirectory("slurm-").FullName;
        DocumentedWork.WriteSlurm(_programs);
        _path = Environment.GetEnvironmentVariable("PATH");
        Environment.SetEnvironmentVariable("PATH", $"{_programs}{Path.PathSeparator}{_path}");
    }

    [OneTimeTearDown]
    public void Delete()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        Directory.Delete(_examples, recursive: true);
        Directory.Delete(_programs, recursive: true);
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_command_of_a_page_works(string page)
    {
        using var folder = new PageFolder(_examples);
        foreach (DocumentedCommand command in DocumentedCommand.OfPage(page))
            DocumentedWork.Do(command);
    }
}
