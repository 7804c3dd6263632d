using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
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
                boosting-ticket() { dotnet '{{Dll}}' "$@"; }
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

    // Zsh completes in its line editor alone, so that what the script calls there stands in for it.
    [TestCase("ru", "run runs")]
    [TestCase("run --preset mnist-", "mnist-lenet mnist-pgd")]
    [TestCase("run --warmup-f", "--warmup-from")]
    public void Zsh_is_told_what_fits(string line, string expected)
    {
        Shell.Require("zsh");
        Assert.That(Told("zsh", ["-f"], $$"""
            boosting-ticket() { dotnet '{{Dll}}' "$@"; }
            compdef() { [[ "$*" == '_boosting_ticket boosting-ticket' ]] }
            compadd() { [[ "$1" == -a ]] && print -l -- "${(@P)2}"; }
            _files() { print files; }
            {{CommandLine.Run("completion", "zsh").Out}}
            BUFFER='boosting-ticket {{line}}' CURSOR={{line.Length + "boosting-ticket ".Length}}
            _boosting_ticket

            """), Is.SupersetOf(expected.Split(' ')));
    }

    [TestCase("ru", "run runs")]
    [TestCase("run --preset mnist-", "mnist-lenet mnist-pgd")]
    [TestCase("run --warmup-f", "--warmup-from")]
    public void Fish_completes_commands_options_and_values(string line, string expected)
    {
        Shell.Require("fish");
        Assert.That(Told("fish", ["--no-config"], $$"""
            function boosting-ticket; dotnet '{{Dll}}' $argv; end
            {{CommandLine.Run("completion", "fish").Out}}
            complete -C 'boosting-ticket {{line}}'

            """), Is.SupersetOf(expected.Split(' ')));
    }

    [TestCase("ru", "run runs")]
    [TestCase("run --preset mnist-", "mnist-lenet mnist-pgd")]
    [TestCase("run --warmup-f", "--warmup-from")]
    [TestCase("completion ", "bash fish pwsh zsh")]
    public void PowerShell_completes_commands_options_and_values(string line, string expected)
    {
        // The engine of PowerShell is a package, so that no shell has to be installed.
        using var shell = PowerShell.Create(InitialSessionState.CreateDefault2());
        shell.AddScript($"function boosting-ticket {{ dotnet '{Dll}' @args }}").Invoke();
        shell.Commands.Clear();
        shell.AddScript(CommandLine.Run("completion", "pwsh").Out).Invoke();
        shell.Commands.Clear();
        string whole = $"boosting-ticket {line}";
        CommandCompletion found = CommandCompletion.CompleteInput(whole, whole.Length, null, shell);
        Assert.That(found.CompletionMatches.Select(match => match.CompletionText), Is.SupersetOf(expected.Split(' ')));
    }

    private static string Dll => Path.Combine(AppContext.BaseDirectory, "boosting-ticket.dll");

    // The lines that a shell prints for a script.
    private static string[] Told(string program, string[] arguments, string script)
    {
        using Process shell = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        shell.StandardInput.Write(script);
        shell.StandardInput.Close();
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
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
