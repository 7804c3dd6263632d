using System.Text.RegularExpressions;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace BoostingTicket.Cli.Tests.Structure;

/// <summary>Only the command line spells options: its users are not the only ones who read messages of the libraries.</summary>
internal sealed class LibraryWordsTests
{
    private static readonly Type[] Libraries = [typeof(IBackend), typeof(ConfigurationException), typeof(RunConfiguration)];

    [Test]
    public void No_string_of_a_library_spells_an_option([ValueSource(nameof(Libraries))] Type library)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(library.Assembly.Location);
        (string Where, string Text)[] strings = [.. assembly.Modules.SelectMany(module => module.GetTypes()).SelectMany(Strings)];

        Assert.That(strings, Has.Length.GreaterThan(100), "else nothing was read");
        Assert.That(strings.Where(entry => SpellsOption(entry.Text)).Select(entry => $"{entry.Where}: {entry.Text}"), Is.Empty);
    }

    [TestCase("choose another --out.", true)]
    [TestCase("--device cuda cannot be used", true)]
    [TestCase("a{color:var(--ticket)} :root{--page:#fff}", false)]
    public void Options_are_told_from_variables_of_style_sheets(string text, bool spelled) =>
        Assert.That(SpellsOption(text), Is.EqualTo(spelled));

    private static bool SpellsOption(string text) => Regex.IsMatch(text, @"(?<!var\()--[a-z][a-z0-9-]*(?![a-z0-9:-])");

    private static IEnumerable<(string Where, string Text)> Strings(TypeDefinition type)
    {
        foreach (FieldDefinition field in type.Fields.Where(field => field.HasConstant && field.Constant is string))
            yield return (field.FullName, (string)field.Constant);
        foreach (MethodDefinition method in type.Methods.Where(method => method.HasBody))
        {
            foreach (Instruction instruction in method.Body.Instructions.Where(
                instruction => instruction.OpCode == OpCodes.Ldstr))
                yield return (method.FullName, (string)instruction.Operand);
        }
    }
}
