using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>completion</c>: lets a shell complete commands, options and values.</summary>
internal static class CompletionCommand
{
    // Each asks the program what may stand at the end of the line.
    private static readonly (string Shell, string Description, string Script)[] Shells =
    [
        ("bash", "source <(boosting-ticket completion bash), in ~/.bashrc",
            """
            _boosting_ticket() {
              local IFS=$'\n' line="${COMP_LINE:0:COMP_POINT}"
              line="${line#* }"
              local words="$(boosting-ticket "[suggest:${#line}]" "$line" 2>/dev/null)"
              COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _boosting_ticket boosting-ticket
            """),
        ("zsh", "source <(boosting-ticket completion zsh), in ~/.zshrc",
            """
            _boosting_ticket() {
              local line="${BUFFER[1,CURSOR]#* }"
              local -a found
              found=("${(@f)$(boosting-ticket "[suggest:${#line}]" "$line" 2>/dev/null)}")
              [[ -n "${found[1]}" ]] && compadd -a found || _files
            }
            compdef _boosting_ticket boosting-ticket
            """),
        ("fish", "boosting-ticket completion fish | source, in ~/.config/fish/config.fish",
            """
            function __boosting_ticket
              set -l line (commandline -cp | string replace -r '^\S+\s*' '')
              boosting-ticket "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
            end
            complete -c boosting-ticket -a '(__boosting_ticket)'
            """),
        ("pwsh", "boosting-ticket completion pwsh | Out-String | Invoke-Expression, in $PROFILE",
            """
            Register-ArgumentCompleter -Native -CommandName boosting-ticket -ScriptBlock {
              param($word, $command, $position)
              $line = "$command" -replace '^\S+\s*', ''
              if ($word -eq '') { $line = "$line " }
              boosting-ticket "[suggest:$($line.Length)]" "$line" 2>$null |
                Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """),
    ];

    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context)
    {
        var shell = new Argument<string>("shell")
        {
            HelpName = "SHELL",
            Description = "shell to print the script for; see the list above",
        };
        var command = new CommandLineCommand(
            "completion", "Prints a script that lets a shell complete commands, options and their values.", context)
        {
            Examples =
            [
                ("completion bash", "the script for bash; source it in ~/.bashrc"),
                ("completion pwsh", "the script for PowerShell"),
            ],
            Details = ["The script calls boosting-ticket, which must be on the path, as the .NET tool is."],
            Lists = [("Shells", [.. Shells.Select(entry => (entry.Shell, entry.Description))])],
        };
        Completions.Add(shell, Shells.Select(entry => entry.Shell));
        command.Arguments.Add(shell);
        return command.Executes(invocation =>
        {
            string name = invocation.Get(shell)!;
            string script = Shells.FirstOrDefault(entry => entry.Shell == name).Script
                ?? throw NearestName.Unknown("shell", name, [.. Shells.Select(entry => entry.Shell)]);
            return invocation.Answer(new { shell = name, script }, writer => writer.WriteLine(script));
        });
    }
}
