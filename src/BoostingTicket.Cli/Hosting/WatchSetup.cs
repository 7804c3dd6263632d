using System.CommandLine;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting.Watching;

namespace BoostingTicket.Cli.Hosting;

/// <summary>What the commands that train have in common to be looked at while they train.</summary>
internal sealed class WatchSetup
{
    /// <summary>What turns TensorBoard's files off.</summary>
    public const string None = "none";

    /// <summary>What the help of these commands says about it.</summary>
    public const string Detail =
        "Watch the work in report.html of its folder, which a browser loads again by itself, in metrics.csv, which gains a line "
        + "every epoch, or with 'tensorboard --logdir FOLDER'.";

    private readonly RunSetup _setup;
    private readonly Option<string?> _tensorBoard = new("--tensorboard")
    {
        HelpName = "FOLDER",
        Description =
            $"folder for TensorBoard's event files; by default tensorboard in the run's folder; {None} for no such files",
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="setup">Its set-up, which can be resumed.</param>
    public WatchSetup(CommandLineCommand command, RunSetup setup)
    {
        Completions.Add(_tensorBoard, [None]);
        command.Options.Add(_tensorBoard);
        _setup = setup;
    }

    /// <summary>The words of a command line that continues, with what was asked for here.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="command">The command with what it needs besides its folder.</param>
    public string[] Repeated(Invocation invocation, params string[] command) =>
        invocation.Get(_tensorBoard) is { } folder ? [.. command, "--tensorboard", folder] : command;

    /// <summary>Who shows the work while it goes.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="command">The command with what it needs besides its folder.</param>
    public RunWatch Watch(Invocation invocation, string folder, params string[] command) => new(new WatchOptions(
        invocation.CommandLine, _setup.LineToContinue(invocation, folder, Repeated(invocation, command)),
        invocation.Get(_tensorBoard) switch
        {
            None => null,
            { } other => other,
            null => new RunFolder(folder).TensorBoard,
        }));
}
