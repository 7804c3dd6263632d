using System.Globalization;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Cli.Tests;

/// <summary>The packages as their users get them: packed, then used in a folder of their own.</summary>
[Parallelizable]
internal sealed partial class PackageTests
{
    private static readonly string[] Libraries = ["BoostingTicket.Engine", "BoostingTicket.Training"];
    private static readonly Dictionary<string, string> Nothing = [];

    // Custom debug information of the Portable PDB format: the source of a document.
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    private string _folder = "";

    private string Packages => Path.Combine(_folder, "packages");

    [OneTimeSetUp]
    public void Pack()
    {
        _folder = Directory.CreateTempSubdirectory("packages-").FullName;
        foreach (string library in Libraries)
            DotNet.Run(
                Repository.Root, Nothing, "pack", Path.Combine("src", library), "--no-build", "-c", DotNet.Configuration, "-o",
                Packages);
    }

    [OneTimeTearDown]
    public void Delete() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_example_of_the_packages_page_compiles_against_them_and_prints_a_robust_accuracy()
    {
        string project = Directory.CreateDirectory(Path.Combine(_folder, "example")).FullName;
        string page = File.ReadAllText(Path.Combine(Repository.Root, "src", "BoostingTicket.Training", "README.md"));
        string example = Example().Matches(page).Single().Groups[1].Value;
        Assert.That(example.Split('\n'), Has.Length.LessThan(30), "about twenty lines");
        File.WriteAllText(Path.Combine(project, "Program.cs"), example);
        File.WriteAllText(Path.Combine(project, "example.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="BoostingTicket.Training" Version="{VersionOf("BoostingTicket.Training")}" />
              </ItemGroup>
            </Project>
            """);
        // What the packages need is here already; they themselves go into a folder that is deleted afterwards.
        string known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(Path.Combine(project, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="packed" value="{Packages}" /></packageSources>
              <fallbackPackageFolders><add key="known" value="{known}" /></fallbackPackageFolders>
            </configuration>
            """);
        var own = new Dictionary<string, string>
        {
            ["NUGET_PACKAGES"] = Path.Combine(_folder, "installed"),
            ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1",
        };
        DotNet.Run(project, own, "build", "-o", Path.Combine(project, "out"), "-p:UseSharedCompilation=false");
        Assert.That(Path.Combine(_folder, "installed", "boostingticket.training"), Does.Exist, "not from elsewhere");
        string answer = DotNet.Run(project, own, Path.Combine(project, "out", "example.dll"));
        Match numbers = Numbers().Match(answer);
        Assert.That(numbers.Success, answer);
        double gone = Number(1), clean = Number(2), robust = Number(3);
        Assert.That(gone, Is.EqualTo(80));
        Assert.That(clean, Is.InRange(50, 100), "far above chance, which is ten percent");
        Assert.That(robust, Is.GreaterThan(25).And.LessThan(clean), answer);
        TestContext.Out.WriteLine(answer);

        double Number(int group) => double.Parse(numbers.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    [TestCase("BoostingTicket.Engine", "Iced")]
    [TestCase(
        "BoostingTicket.Training",
        "BoostingTicket.Engine Google.Protobuf Microsoft.Extensions.Logging.Abstractions Razorvine.Pickle System.IO.Hashing")]
    public void A_package_has_documentation_its_own_page_and_needs_what_it_must(string library, string needs)
    {
        using ZipArchive package = ZipFile.OpenRead(PathOf(library, "nupkg"));
        string[] entries = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.That(entries, Is.SupersetOf((string[])[
            $"lib/net10.0/{library}.dll", $"lib/net10.0/{library}.xml", "README.md"]));
        Assert.That(
            Text(package, "README.md"),
            Is.EqualTo(File.ReadAllText(Path.Combine(Repository.Root, "src", library, "README.md"))));
        var specification = XDocument.Parse(Text(package, $"{library}.nuspec"));
        IEnumerable<string> named = specification.Descendants().Where(element => element.Name.LocalName == "dependency")
            .Select(element => element.Attribute("id")!.Value);
        Assert.That(named, Is.EquivalentTo(needs.Split(' ')));
        var documentation = XDocument.Parse(Text(package, $"lib/net10.0/{library}.xml"));
        Assert.That(documentation.Descendants("member").Count(), Is.GreaterThan(100));
    }

    [TestCase("BoostingTicket.Engine")]
    [TestCase("BoostingTicket.Training")]
    public void Symbols_hold_the_sources_and_no_path_of_the_machine(string library)
    {
        using ZipArchive package = ZipFile.OpenRead(PathOf(library, "snupkg"));
        using Stream entry = package.GetEntry($"lib/net10.0/{library}.pdb")!.Open();
        var content = new MemoryStream();
        entry.CopyTo(content);
        content.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(content);
        MetadataReader reader = provider.GetMetadataReader();
        Assert.That(reader.Documents, Has.Count.GreaterThan(50));
        foreach (DocumentHandle handle in reader.Documents)
        {
            string name = reader.GetString(reader.GetDocument(handle).Name);
            Assert.That(name, Does.StartWith("/_/"));
            Assert.That(
                reader.GetCustomDebugInformation(handle)
                    .Select(information => reader.GetGuid(reader.GetCustomDebugInformation(information).Kind)),
                Has.Member(EmbeddedSource), name);
        }
    }

    [Test, Long]
    public void The_tool_is_packed_for_a_platform_installed_from_the_folder_and_runs()
    {
        string folder = Path.Combine(_folder, "tool"), runtime = RuntimeInformation.RuntimeIdentifier;
        // The analysers of the source, which take longest, run in the solution's own build.
        DotNet.Run(
            Repository.Root, Nothing, "pack", "src/BoostingTicket.Cli", "-c", "Release", "-o", folder, "-p:RunAnalyzers=false",
            $"-p:ToolPackageRuntimeIdentifiers={runtime}", "--artifacts-path", Path.Combine(_folder, "artifacts"));
        string[] packages = [.. Directory.GetFiles(folder, "*.nupkg").Order(StringComparer.Ordinal)];
        Assert.That(packages, Has.Length.EqualTo(2), "one for the platform, one that points to it");
        Assert.That(
            packages.Sum(package => new FileInfo(package).Length), Is.LessThan(25_000_000), "one platform's drawing libraries");
        DotNet.Run(
            _folder, new Dictionary<string, string> { ["NUGET_PACKAGES"] = Path.Combine(_folder, "installed") },
            "tool", "install", "BoostingTicket.Cli", "--tool-path", Path.Combine(_folder, "tools"), "--add-source", folder);
        CommandResult version = Shell.Run($"'{Path.Combine(_folder, "tools", "boosting-ticket")}' --version", _folder);
        Assert.That(version.Out, Does.StartWith(VersionOf("BoostingTicket.Training")), version.Error);
    }

    private string PathOf(string library, string extension) =>
        Directory.GetFiles(Packages, $"{library}.*.{extension}").Single();

    private string VersionOf(string library) =>
        Path.GetFileNameWithoutExtension(PathOf(library, "nupkg"))[(library.Length + 1)..];

    private static string Text(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^(\d+)\s?% of the weights are gone; clean ([\d.]+)\s?%, robust ([\d.]+)\s?%$", RegexOptions.Multiline)]
    private static partial Regex Numbers();
}
