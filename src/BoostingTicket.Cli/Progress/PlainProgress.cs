using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Progress;

/// <summary>Writes lines for logs: one a stage, one an epoch, and in between at most one every few seconds.</summary>
/// <param name="writer">Where to.</param>
internal sealed class PlainProgress(TextWriter writer) : IProgressDisplay
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private StageClock _clock = new(0);
    private long _lastWrite;
    private double? _runLeft;

    /// <inheritdoc/>
    public T Show<T>(Func<T> work) => work();

    /// <inheritdoc/>
    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
        _clock = new StageClock(totalSteps);
        _lastWrite = Stopwatch.GetTimestamp();
        writer.WriteLine(doneSteps > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{stage}: resumed at step {doneSteps:N0} of {totalSteps:N0}")
            : string.Create(CultureInfo.InvariantCulture, $"{stage}: {totalSteps:N0} steps"));
    }

    /// <inheritdoc/>
    public void StepsDone(long doneSteps, double samplesPerSecond)
    {
        double left = _clock.SecondsLeft(doneSteps);
        if (Stopwatch.GetElapsedTime(_lastWrite) < Interval)
            return;
        _lastWrite = Stopwatch.GetTimestamp();
        double percent = _clock.Total > 0 ? 100.0 * doneSteps / _clock.Total : 0;
        string whole = _runLeft is { } run ? $", {Durations.Short(run)} of the whole run" : "";
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {percent,3:F0} %  step {doneSteps:N0}/{_clock.Total:N0}  {samplesPerSecond:N0} images/s  {Durations.Short(left)} "
            + $"left{whole}"));
    }

    /// <inheritdoc/>
    public void RunLeft(double seconds) => _runLeft = seconds;

    /// <inheritdoc/>
    public void EpochDone(EpochRecord epoch, int totalEpochs)
    {
        _lastWrite = Stopwatch.GetTimestamp();
        writer.WriteLine("  " + EpochLine.Of(epoch, totalEpochs));
    }

    /// <inheritdoc/>
    public void StageFinished()
    {
    }

    /// <inheritdoc/>
    public void Note(string text) => writer.WriteLine(text);

    /// <inheritdoc/>
    public void Warn(string text) => writer.WriteLine($"Warning: {text}");
}
