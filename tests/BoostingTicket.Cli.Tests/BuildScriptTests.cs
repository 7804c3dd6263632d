using System.Management.Automation.Language;

namespace BoostingTicket.Cli.Tests;

internal sealed class BuildScriptTests
{
    private static readonly string[] Targets = ["restore", "build", "test", "pack", "kernels", "bench"];

    [Test]
    public void PowerShell_script_parses_and_has_every_target()
    {
        ScriptBlockAst script = Parser.ParseFile(Path.Combine(Repository.Root, "build.ps1"), out _, out ParseError[] errors);
        Assert.That(errors.Select(error => error.Message), Is.Empty);
        var cases = (SwitchStatementAst)script.Find(ast => ast is SwitchStatementAst, searchNestedScriptBlocks: true);
        Assert.That(cases.Clauses.Select(clause => ((StringConstantExpressionAst)clause.Item1).Value), Is.EqualTo(Targets));
        var offered = (AttributeAst)script.Find(
            ast => ast is AttributeAst { TypeName.Name: "ValidateSet" }, searchNestedScriptBlocks: true);
        Assert.That(
            offered.PositionalArguments.Select(argument => ((StringConstantExpressionAst)argument).Value), Is.EqualTo(Targets));
    }

    [Test]
    public void Parser_finds_mistakes()
    {
        Parser.ParseInput("foreach ($x in 1..3 { }", out _, out ParseError[] errors);
        Assert.That(errors, Is.Not.Empty);
    }

    [Test]
    public void Shell_script_has_every_target()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "build.sh"));
        foreach (string target in Targets)
            Assert.That(lines, Has.Some.StartsWith($"    {target})"));
    }
}
