namespace BoostingTicket.Fuzz;

/// <summary>What an input did that none may.</summary>
/// <param name="Kind">Exception and place, or the limit that was passed: failures of one kind are reported once.</param>
/// <param name="Detail">All there is to know of the first.</param>
/// <param name="Input">The input.</param>
internal sealed record Failure(string Kind, string Detail, byte[] Input);

/// <summary>What a number of executions of a target showed.</summary>
/// <param name="target">Name of the target.</param>
internal sealed class FuzzSummary(string target)
{
    /// <summary>Name of the target.</summary>
    public string Target => target;

    /// <summary>Inputs executed.</summary>
    public long Executions { get; set; }

    /// <summary>Of them, those that the program refused as documented.</summary>
    public long Rejected { get; set; }

    /// <summary>Those that it took.</summary>
    public long Accepted { get; set; }

    /// <summary>Those that failed, of any kind.</summary>
    public long Failed { get; set; }

    /// <summary>Milliseconds of the slowest.</summary>
    public double SlowestMilliseconds { get; set; }

    /// <summary>Bytes that an execution allocated over those it may (see <see cref="FuzzRunner.Allowance"/>), at most.</summary>
    public double LargestAllocation { get; set; }

    /// <summary>Seconds of all.</summary>
    public double Seconds { get; set; }

    /// <summary>The first input of each kind of failure.</summary>
    public Dictionary<string, Failure> Failures { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds another part of the same target.</summary>
    public void Add(FuzzSummary part)
    {
        ArgumentNullException.ThrowIfNull(part);
        Executions += part.Executions;
        Rejected += part.Rejected;
        Accepted += part.Accepted;
        Failed += part.Failed;
        Seconds += part.Seconds;
        SlowestMilliseconds = Math.Max(SlowestMilliseconds, part.SlowestMilliseconds);
        LargestAllocation = Math.Max(LargestAllocation, part.LargestAllocation);
        foreach ((string kind, Failure failure) in part.Failures)
            Failures.TryAdd(kind, failure);
    }
}
