using BoostingTicket.Figures;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Classifiers;
using Mono.Cecil;

namespace BoostingTicket.Cli.Tests.Structure;

/// <summary>What is public is the library. Its two packages record it in PublicAPI.*.txt, which an analyser compares.</summary>
internal sealed class PublicSurfaceTests
{
    [Test]
    public void Nothing_of_the_command_line_is_public()
    {
        Type[] assemblies = [typeof(RunConfiguration), typeof(FigureRenderer), typeof(Application)];
        Assert.That(assemblies.SelectMany(PublicTypes), Is.Empty);
    }

    [Test]
    public void The_library_is_its_classifier_and_what_that_takes_and_gives()
    {
        List<string> types = PublicTypes(typeof(Classifier));
        Assert.That(types, Has.Member(typeof(Classifier).FullName));
        Assert.That(types, Has.Count.LessThan(50), "a user can read all of it");
        Assert.That(types, Has.None.StartsWith("BoostingTicket.Training.Files."));
    }

    private static List<string> PublicTypes(Type member)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(member.Assembly.Location);
        return [.. assembly.MainModule.Types.Where(type => type.IsPublic).Select(type => type.FullName)];
    }
}
