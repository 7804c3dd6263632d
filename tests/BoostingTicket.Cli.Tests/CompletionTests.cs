using System.Diagnostics;
using System.Text.Json;

namespace BoostingTicket.Cli.Tests;

/// <summary>What the command line tells before anything is computed: defaults in help, what a shell may complete.</summary>
internal sealed class CompletionTests
{
    [TestCase("run --preset mnist-lenet", "--learning-rate", "0.03", "preset mnist-lenet")]
    [TestCase("run --preset cifar10-resnet18", "--epsilon", "8/255", "preset cifar10-resnet18")]
    [TestCase("run --dataset mnist", "--epsilon", "0.3", "defaults of mnist")]
    [TestCase("run --epochs 7", "--epochs", "donor 6, retrain 7, dense 11", "defaults of synthetic-28")]
    [TestCase("train", "--method", "pgd", "defaults of synthetic-28")]
    [TestCase("run", "--patience", "none", "defaults of synthetic-28")]
    [TestCase("retrain --preset mnist-lenet", "--method", "natural", "preset mnist-lenet")]
    public void Help_shows_the_defaults_in_force(string line, string option, string value, string source)
    {
        string help = CommandLine.Run([.. line.Split(' '), "--help"]).Out;
        string flat = string.Join(' ', help.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));
        Assert.That(flat, Does.Contain($"The defaults below are: {source}."));
        flat = flat[flat.IndexOf("The defaults below", StringComparison.Ordinal)..];
        string row = flat[flat.IndexOf($" {option} ", StringComparison.Ordinal)..];
        Assert.That(row[..(row.IndexOf(')', row.IndexOf("(default: ", StringComparison.Ordinal)) + 1)], Does.EndWith(
            $"(default: {value})"));
    }

    [TestCase("retrain")]
    [TestCase("evaluate")]
    [TestCase("run --preset nonsense")]
    [TestCase("run --epsilon x")]
    public void Help_shows_no_defaults_that_are_not_known(string line)
    {
        CommandResult help = CommandLine.Run([.. line.Split(' '), "--help"]);
        Assert.That(help.Code, Is.Zero);
        Assert.That(help.Out, Does.Not.Contain("(default:").And.Contain("Usage:"));
    }

    [TestCase("run --method p", "pgd")]
    [TestCase("run --preset mnist", "mnist-lenet mnist-pgd")]
    [TestCase("train --dataset cif", "cifar10")]
    [TestCase("evaluate w --attack fab", "fab-t")]
    [TestCase("run --device cu", "cuda")]
    [TestCase("experiment figure9", "figure9")]
    [TestCase("comp", "compare completion")]
    public void The_program_offers_values(string line, string expected)
    {
        CommandResult result = CommandLine.Run($"[suggest:{line.Length}]", line);
        string[] offered = result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(offered.Select(word => word.Trim()), Is.SupersetOf(expected.Split(' ')), result.Error);
    }

    [Test]
    public void Bash_completes_commands_options_and_values()
    {
        Shell.Require("bash");
        string script = CommandLine.Run("completion", "bash").Out;
        string program = Path.Combine(AppContext.BaseDirectory, "boosting-ticket.dll");
        Assert.That(Complete("ru"), Is.EqualTo("run runs"));
        Assert.That(Complete("run --presets"), Is.Empty);
        Assert.That(Complete("run --preset mnist-"), Is.EqualTo("mnist-lenet mnist-pgd"));
        Assert.That(Complete("run --warmup-f"), Is.EqualTo("--warmup-from"));

        string Complete(string line)
        {
            string whole = $"boosting-ticket {line}";
            string[] words = whole.Split(' ');
            var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardInput = true };
            start.ArgumentList.Add("--norc");
            using Process bash = Process.Start(start)!;
            bash.StandardInput.Write($$"""
                boosting-ticket() { dotnet '{{program}}' "$@"; }
                {{script}}
                COMP_LINE='{{whole}}' COMP_POINT={{whole.Length}} COMP_CWORD={{words.Length - 1}}
                COMP_WORDS=({{string.Join(' ', words.Select(word => $"'{word}'"))}})
                _boosting_ticket
                echo "${COMPREPLY[@]}" | tr '\n' ' '

                """);
            bash.StandardInput.Close();
            string output = bash.StandardOutput.ReadToEnd();
            bash.WaitForExit();
            return string.Join(' ', output.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        }
    }

    [Test]
    public void An_unknown_shell_is_refused_and_every_script_asks_the_program()
    {
        CommandResult refused = CommandLine.Run("completion", "tcsh");
        Assert.That(refused.Code, Is.EqualTo(2));
        Assert.That(refused.Error, Does.Contain("bash"));
        foreach (string shell in (string[])["bash", "zsh", "fish", "pwsh"])
            Assert.That(CommandLine.Run("completion", shell, "--json").Json().GetProperty("script").GetString(), Does.Contain(
                "[suggest:"));
    }

    [Test]
    public void The_environment_names_processor_commit_and_libraries()
    {
        string folder = Directory.CreateTempSubdirectory("environment-").FullName;
        try
        {
            string[] tiny = [.. CommandLine.Tiny.Where((_, index) => index is < 10 or > 13)];
            Assert.That(CommandLine.Run(["train", .. tiny, "--out", Path.Combine(folder, "t")]).Code, Is.Zero);
            using var facts = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "t", "environment.json")));
            string Fact(string name) => facts.RootElement.GetProperty(name).GetString()!;
            Assert.That(Fact("processor"), Does.Match(@".+, \d+ threads$"));
            Assert.That(Fact("commit"), Does.Match("^([0-9a-f]{40}|unknown)$"));
            Assert.That(Fact("libraries"), Does.Match(@"Google\.Protobuf 3\.\d+\.\d+").And.Match(@"Iced 1\.\d+\.\d+"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
