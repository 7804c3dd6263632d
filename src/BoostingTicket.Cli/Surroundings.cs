namespace BoostingTicket.Cli;

/// <summary>What an invocation of the program writes to, is stopped by and shares among its commands.</summary>
/// <param name="Terminal">Where to write.</param>
/// <param name="Cancellation">Asks the command to save and stop.</param>
internal sealed record Surroundings(Terminal Terminal, CancellationToken Cancellation)
{
    /// <summary>The options that every command has.</summary>
    public CommonOptions Common { get; } = new();
}
