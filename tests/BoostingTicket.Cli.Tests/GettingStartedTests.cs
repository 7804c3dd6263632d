using System.Reflection;
using System.Text.RegularExpressions;
using BoostingTicket.Cli.Tests.Documents;
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
    /// <summary>The page.</summary>
    public const string Page = "docs/getting-started.md";

    private static string Text => File.ReadAllText(Path.Combine(Repository.Root, Page));

    [Test]
    public void Every_command_of_the_page_works_in_its_order()
    {
        DocumentedCommand[] commands = [.. DocumentedCommand.OfPage(Page)];
        Assert.That(commands, Has.Length.GreaterThan(15));
        using var folder = new PageFolder();
        foreach (DocumentedCommand command in commands)
            DocumentedWork.Do(command);
        Assert.That(Path.Combine("runs", "first", "report.html"), Does.Exist);
    }

    [Test]
    public void No_command_is_left_out() =>
        Assert.That(Inline().Matches(Text).Select(match => match.Value), Is.Empty, "put the command into a block of its own");

    [Test]
    public void Its_network_and_its_attack_compile_and_work()
    {
        Assembly code = Compile(
            [.. MarkdownBlock.Of(Page).Where(block => block.Language == "csharp").Select(block => block.Text)]);
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

    private static Type Only<T>(Assembly code) => code.GetTypes().Single(typeof(T).IsAssignableFrom);

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

    [GeneratedRegex("`boosting-ticket [^`\n]+`")]
    private static partial Regex Inline();
}
