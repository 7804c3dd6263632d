using BoostingTicket.Training;

namespace BoostingTicket.Cli.Signals;

/// <summary>The user stopped a command that saved what it had (exit code 130).</summary>
/// <param name="message">One sentence that says how to go on.</param>
/// <param name="inner">The cancellation.</param>
internal sealed class InterruptedException(string message, Exception inner) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.Interrupted;
}
