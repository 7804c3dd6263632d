using BoostingTicket.Cli.Streams;

namespace BoostingTicket.Cli.Progress;

/// <summary>Chooses the display for where the program runs.</summary>
internal static class ProgressDisplays
{
    /// <summary>Nothing but warnings if quiet, a live display on a terminal, lines otherwise. It says so when the work is asked
    /// to stop.</summary>
    /// <param name="terminal">Where to show it.</param>
    /// <param name="isQuiet">Whether only results and errors are wanted.</param>
    /// <param name="cancellation">Asks the work to save and stop.</param>
    public static IProgressDisplay Create(Terminal terminal, bool isQuiet, CancellationToken cancellation)
    {
        IProgressDisplay display = isQuiet ? new QuietProgress(terminal.Error)
            : terminal.IsErrorInteractive ? new LiveProgress(terminal)
            : new PlainProgress(terminal.Error);
        cancellation.Register(() => display.Warn(
            "interrupted; finishing this step and saving. Interrupt again to stop at once."));
        return display;
    }
}
