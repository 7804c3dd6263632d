using BoostingTicket.Training;

namespace BoostingTicket.Cli.Streams;

/// <summary>The result is kept and was printed, but a file beside it could not be written (exit code 7).</summary>
/// <param name="message">One sentence that names the file and the remedy.</param>
/// <param name="inner">The failure.</param>
internal sealed class SideFileException(string message, Exception inner) : BoostingTicketException(message, inner)
{
    /// <inheritdoc/>
    internal override int ExitCode => ExitCodes.SideFile;
}
