using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace BoostingTicket.Cli.Tests;

/// <summary>The version is written in Directory.Build.props and follows from there.</summary>
internal sealed class VersionTests
{
    private static readonly string[] Excluded = ["bin", "obj", "artifacts", ".git"];

    private static string Version =>
        XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    [Test]
    public void Program_says_the_version()
    {
        CommandResult result = Shell.Run("$program --version", Repository.Root);
        Assert.That(result.Out.Trim().Split('+')[0], Is.EqualTo(Version));
    }

    [Test]
    public void Newest_heading_of_the_changelog_is_the_version()
    {
        string changelog = File.ReadAllText(Path.Combine(Repository.Root, "CHANGELOG.md"));
        Match heading = Regex.Match(changelog, "^## (\\S+)", RegexOptions.Multiline);
        Assert.That(heading.Groups[1].Value, Is.EqualTo(Version));
    }

    [Test]
    public void No_project_has_a_version_of_its_own()
    {
        string[] names =
        [
            "Version", "VersionPrefix", "VersionSuffix", "PackageVersion", "AssemblyVersion", "FileVersion",
            "InformationalVersion",
        ];
        foreach (string project in Projects().Append(Path.Combine(Repository.Root, "tests", "Directory.Build.props")))
        {
            IEnumerable<string> properties = XDocument.Load(project).Descendants("PropertyGroup").Elements()
                .Select(element => element.Name.LocalName);
            Assert.That(properties.Intersect(names), Is.Empty, project);
        }
    }

    [Test]
    public void Every_project_is_built_in_CI_from_locked_packages()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "BoostingTicket.sln")).Replace('\\', '/');
        string[] steps = File.ReadAllText(Path.Combine(Repository.Root, ".ci", "run")).Split([' ', ';', '\n']);
        foreach (string project in Projects())
        {
            string path = Path.GetRelativePath(Repository.Root, project).Replace('\\', '/'),
            folder = path[..path.LastIndexOf('/')];
            bool isBuilt = solution.Contains($"\"{path}\"", StringComparison.Ordinal) || steps.Contains(folder);
            Assert.That(isBuilt, Is.True, $"{path} is neither in BoostingTicket.sln nor built by .ci/run");
            string locked = Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json");
            Assert.That(locked, Does.Exist, $"run dotnet restore {path}, and commit {Path.GetFileName(locked)}");
            Assert.That(File.ReadAllText(locked), Does.Not.Contain("://"), "a lock file names no feed");
        }
    }

    private static string[] Projects()
    {
        string[] projects = [.. Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories).Where(
            path => !Path.GetRelativePath(Repository.Root, path).Split(Path.DirectorySeparatorChar).Intersect(Excluded).Any())];
        Assert.That(projects, Has.Length.GreaterThan(15));
        return projects;
    }
}
