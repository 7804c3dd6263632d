using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Progress;

/// <summary>Shows how work goes while it goes.</summary>
internal interface IProgressDisplay : IRunProgress
{
    /// <summary>Does the work with the display up; what the work throws comes through.</summary>
    T Show<T>(Func<T> work);
}

/// <summary>Chooses the display for where the program runs.</summary>
internal static class ProgressDisplays
{
    /// <summary>Nothing but warnings with <c>--quiet</c>, a live display on a terminal, lines otherwise. It says so when the
    /// work is asked to stop.</summary>
    public static IProgressDisplay Create(Invocation invocation)
    {
        IProgressDisplay display = invocation.Quiet ? new QuietProgress(invocation.Terminal.Error)
            : invocation.Terminal.IsErrorInteractive ? new LiveProgress(invocation.Terminal)
            : new PlainProgress(invocation.Terminal.Error);
        invocation.Cancellation.Register(() => display.Warn("interrupted; finishing this step and saving. Interrupt again to stop at once."));
        return display;
    }
}
