using System.Diagnostics;

namespace BoostingTicket.Cli.Progress;

/// <summary>How far a stage is and how long it still takes at its speed so far.</summary>
/// <param name="totalSteps">Steps at most.</param>
/// <param name="doneSteps">Steps done before the clock started.</param>
internal sealed class StageClock(long totalSteps, long doneSteps)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Steps at most.</summary>
    public long Total => totalSteps;

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Seconds left after so many steps in all; NaN while unknown.</summary>
    public double SecondsLeft(long steps) =>
        steps > doneSteps ? Elapsed.TotalSeconds / (steps - doneSteps) * Math.Max(totalSteps - steps, 0) : double.NaN;
}
