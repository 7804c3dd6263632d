namespace BoostingTicket.Engine.Ranks;

/// <summary>Processes cannot compute together, or no longer. The message is a sentence with the remedy.</summary>
/// <param name="message">What is wrong, with rank and host, and what to do.</param>
/// <param name="exitCode">Exit code with which all processes end.</param>
/// <param name="inner">The cause; null for none.</param>
internal sealed class TeamException(string message, int exitCode, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>A process ended, fell silent or could not be reached.</summary>
    public const int Lost = 8;

    /// <summary>The processes were started in a way that cannot work.</summary>
    public const int Misused = 2;

    /// <summary>Exit code with which all processes end.</summary>
    public int ExitCode { get; } = exitCode;
}
