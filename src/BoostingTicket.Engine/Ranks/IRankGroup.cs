namespace BoostingTicket.Engine.Ranks;

/// <summary>Values on their way from one process to another.</summary>
/// <param name="Peer">The other process's rank.</param>
/// <param name="Sends">Whether they go there; else they come from there.</param>
/// <param name="Address">Memory that stays where it is until the exchange is over.</param>
/// <param name="Bytes">Their number, the same on both sides.</param>
internal readonly record struct RankTransfer(int Peer, bool Sends, nint Address, long Bytes);

/// <summary>Processes that compute together, numbered from 0 on by their ranks. All of them make the same calls in the same
/// order. Not safe for use from several threads at once.</summary>
internal interface IRankGroup : IDisposable
{
    /// <summary>Number of this process.</summary>
    int Rank { get; }

    /// <summary>Processes.</summary>
    int Count { get; }

    /// <summary>What joins them, for people: name and version of the library.</summary>
    string Description { get; }

    /// <summary>Called again and again while this process waits for others; what it throws ends the wait.</summary>
    Action? WhileWaiting { get; set; }

    /// <summary>Copies rank 0's bytes to all.</summary>
    /// <param name="address">Memory that stays where it is.</param>
    /// <param name="bytes">Their number, the same everywhere.</param>
    void Broadcast(nint address, long bytes);

    /// <summary>Sends and receives. Between two processes, transfers come in the order of their lists.</summary>
    void Exchange(ReadOnlySpan<RankTransfer> transfers);

    /// <summary>Waits for all processes.</summary>
    void Barrier();

    /// <summary>Ends all processes at once, this one too, wherever they are.</summary>
    /// <param name="exitCode">Their exit code.</param>
    void Abort(int exitCode);
}
