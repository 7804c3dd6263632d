using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Streams;
using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Cli.Hosting;

/// <summary>What an invocation of the program writes to, is stopped by and shares among its commands.</summary>
/// <param name="Arguments">The command line after the program's name.</param>
/// <param name="Terminal">Where to write.</param>
/// <param name="Cancellation">Asks the command to save and stop.</param>
internal sealed record ProgramContext(IReadOnlyList<string> Arguments, Terminal Terminal, CancellationToken Cancellation)
{
    /// <summary>Name of the program in help and messages.</summary>
    public const string Name = "boosting-ticket";

    /// <summary>Told of work that saves itself when it is asked to stop.</summary>
    public SavingWork Saving { get; init; } = new();

    /// <summary>Processes that compute with this one; null for none.</summary>
    public RankTeam? Team { get; init; }

    /// <summary>What the command in use calls a setting that an error names by its path; the path itself before a command is
    /// known.</summary>
    public Func<string, string> NameOf { get; set; } = path => path;

    /// <summary>The options that every command has.</summary>
    public CommonOptions Common { get; } = new();
}
