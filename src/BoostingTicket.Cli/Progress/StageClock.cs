using System.Diagnostics;

namespace BoostingTicket.Cli.Progress;

/// <summary>How far a stage is and how long it still takes at its speed so far. A stage that is resumed is measured from the
/// first step that it reports.</summary>
/// <param name="totalSteps">Steps at most.</param>
internal sealed class StageClock(long totalSteps)
{
    private readonly long _created = Stopwatch.GetTimestamp();
    private long _start = Stopwatch.GetTimestamp();
    private long? _firstSteps;

    /// <summary>Steps at most.</summary>
    public long Total => totalSteps;

    /// <summary>Time since the stage began here.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_created);

    /// <summary>Seconds left after so many steps in all; NaN while unknown.</summary>
    public double SecondsLeft(long steps)
    {
        if (_firstSteps is not { } first)
        {
            _firstSteps = steps;
            _start = Stopwatch.GetTimestamp();
            return double.NaN;
        }

        return steps > first
            ? Stopwatch.GetElapsedTime(_start).TotalSeconds / (steps - first) * Math.Max(totalSteps - steps, 0)
            : double.NaN;
    }
}
