using System.CommandLine;
using BoostingTicket.Cli.Hosting;

namespace BoostingTicket.Cli.Tests;

/// <summary>Options that are read before a command is parsed mean what they mean to the parser.</summary>
internal sealed class GivenOptionTests
{
    [TestCase("--word none")]
    [TestCase("--word=none")]
    [TestCase("--word:none")]
    [TestCase("--word= none")]
    [TestCase("--word:a=b")]
    [TestCase("--word=a:b")]
    [TestCase("--on --word none")]
    [TestCase("--on true")]
    [TestCase("--on=True")]
    [TestCase("--on:false")]
    [TestCase("--on false --word none")]
    [TestCase("--on operand")]
    [TestCase("--only --words none --Word none")]
    [TestCase("-- --on --word none")]
    [TestCase("")]
    public void Value_is_the_parser_s(string line)
    {
        string[] arguments = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var word = new Option<string?>("--word");
        var on = new Option<bool>("--on");
        var command = new RootCommand { word, on, new Argument<string[]>("rest") { Arity = ArgumentArity.ZeroOrMore } };
        ParseResult parsed = command.Parse(arguments);
        Assert.Multiple(() =>
        {
            Assert.That(GivenOption.Find(arguments, "--word").LastOrDefault().Value, Is.EqualTo(parsed.GetValue(word)));
            Assert.That(GivenOption.IsOn(arguments, "--on"), Is.EqualTo(parsed.GetValue(on)));
        });
    }

    [TestCase("run", "auto")]
    [TestCase("run --ranks none", "none")]
    [TestCase("run --ranks:none", "none")]
    [TestCase("run --ranks=mpi", "mpi")]
    [TestCase("experiment table2 --share", "none")]
    [TestCase("experiment table2 --share=true", "none")]
    [TestCase("experiment table2 --share:true", "none")]
    [TestCase("experiment table2 --share false", "auto")]
    [TestCase("experiment table2 --share --ranks:mpi", "mpi")]
    public void Processes_are_joined_as_the_options_say(string line, string word) =>
        Assert.That(RankedProgram.WordOf(line.Split(' ')), Is.EqualTo(word));
}
