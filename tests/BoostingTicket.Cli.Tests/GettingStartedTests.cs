using System.Reflection;
using System.Text.RegularExpressions;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Models;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace BoostingTicket.Cli.Tests;

/// <summary>The newcomer's page, read as a newcomer reads it: its commands are executed in its order, its C# is compiled and
/// used.</summary>
internal sealed partial class GettingStartedTests
{
    // What makes a command take a moment; a value on the page is replaced.
    private static readonly Dictionary<string, string> Training = new()
    {
        ["--train-samples"] = "300",
        ["--validation-samples"] = "60",
        ["--test-samples"] = "60",
        ["--epochs"] = "1",
        ["--steps"] = "1",
        ["--probe-steps"] = "1",
        ["--evaluation-steps"] = "2",
        ["--threads"] = "1",
    };

    private static readonly Dictionary<string, Dictionary<string, string>> Smaller = new()
    {
        ["run"] = Training,
        ["train"] = Training,
        ["retrain"] = Training,
        ["evaluate"] = new() { ["--test-samples"] = "20", ["--threads"] = "1" },
    };

    private static string Page => File.ReadAllText(Path.Combine(Repository.Root, "docs", "getting-started.md"));

    [Test]
    public void Every_command_of_the_page_works_in_its_order()
    {
        string[] commands = [.. Blocks("sh").SelectMany(block => block.Split('\n', StringSplitOptions.RemoveEmptyEntries))];
        Assert.That(commands, Has.Length.GreaterThan(15).And.All.StartsWith("boosting-ticket "));
        string folder = Directory.CreateTempSubdirectory("getting-started-").FullName;
        try
        {
            foreach (string command in commands)
            {
                CommandResult result = CommandLine.Run(Shorten(command["boosting-ticket ".Length..], folder));
                Assert.That(result.Code, Is.Zero, $"{command}\n{result.Error}");
            }
            Assert.That(Path.Combine(folder, "runs", "first", "report.html"), Does.Exist);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void No_command_is_left_out()
    {
        string[] lines = [.. Blocks("").SelectMany(block => block.Split('\n'))];
        Assert.That(lines, Has.None.StartsWith("boosting-ticket "), "mark the block as sh");
        Assert.That(Inline().Matches(Page).Select(match => match.Value), Is.Empty, "put the command into a block of its own");
        foreach (Match project in Project().Matches(Page))
            Assert.That(Path.Combine(Repository.Root, project.Groups[1].Value), Does.Exist);
    }

    [Test]
    public void Its_network_and_its_attack_compile_and_work()
    {
        Assembly code = Compile([.. Blocks("csharp")]);
        var family = (IModelFamily)Activator.CreateInstance(Only<IModelFamily>(code))!;
        NetworkGraph graph = family.Build(family.Names.Single(), new ModelOptions(family.UsualInput, Classes: 10))!;
        Assert.That(family.Build("another", new ModelOptions(family.UsualInput)), Is.Null);
        var shapes = new Dictionary<string, IReadOnlyList<long>>();
        foreach (Parameter parameter in graph.Table.All)
            shapes.Add(parameter.Name, [.. parameter.Spec.Dimensions.Select(size => (long)size)]);
        Assert.That(
            family.Candidates(shapes).Single(), Is.EqualTo((family.Names.Single(), new ModelOptions(family.UsualInput, 10))));

        using IBackend backend = CpuBackend.Create(1);
        using var network = new Network(graph, backend);
        var context = new AttackContext(new NetworkModel(network, 4), new AttackSettings { Epsilon = 0.1 }, 7);
        using var attack = (IAttack)Activator.CreateInstance(Only<IAttack>(code), context)!;
        var batch = new AttackBatch(4, family.UsualInput);
        Array.Fill(batch.Clean, 0.5f);
        attack.Run(batch, 0);
        Assert.That(batch.Adversarial.Select(pixel => Math.Abs(pixel - 0.5)), Is.All.InRange(0.09, 0.1));
        Assert.That(batch.Adversarial.Distinct().Count(), Is.EqualTo(2));
        float[] first = [.. batch.Adversarial];
        attack.Run(batch, 1);
        Assert.That(batch.Adversarial, Is.Not.EqualTo(first), "a round draws its own corners");
    }

    private static IEnumerable<string> Blocks(string language) =>
        Fence().Matches(Page).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value);

    private static Type Only<T>(Assembly code) => code.GetTypes().Single(typeof(T).IsAssignableFrom);

    // With paths below a folder instead of the repository's, and in this process, where everything is compiled already.
    private static string[] Shorten(string command, string folder)
    {
        List<string> words = [.. command.Split(' ')
            .Select(word => word.StartsWith("runs/", StringComparison.Ordinal) ? Path.Combine(folder, word) : word)];
        if (!Smaller.TryGetValue(words[0], out Dictionary<string, string>? options) || words.Contains("--help"))
            return [.. words];
        foreach ((string option, string value) in options)
        {
            int index = words.IndexOf(option);
            if (index >= 0)
                words[index + 1] = value;
            else
                words.AddRange([option, value]);
        }
        return [.. words];
    }

    private static Assembly Compile(string[] sources)
    {
        const string Usings = "global using System; global using System.Collections.Generic; global using System.Linq;";
        string[] platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        IEnumerable<SyntaxTree> trees = sources.Append(Usings).Select(source => CSharpSyntaxTree.ParseText(source));
        IEnumerable<MetadataReference> references = platform
            .Where(path => path.EndsWith(".dll", StringComparison.Ordinal)).Select(path => MetadataReference.CreateFromFile(
                path));
        var options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);
        // The files belong to the library, so they see what is internal to it as its tests do.
        var compilation = CSharpCompilation.Create("BoostingTicket.Training.Tests", trees, references, options);
        using var stream = new MemoryStream();
        string[] complaints = [.. compilation.Emit(stream).Diagnostics
            .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).Select(diagnostic => diagnostic.ToString())];
        Assert.That(complaints, Is.Empty);
        return Assembly.Load(stream.ToArray());
    }

    [GeneratedRegex(@"^```([a-z]*)\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("`boosting-ticket [^`\n]+`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"--project (\S+)")]
    private static partial Regex Project();
}
