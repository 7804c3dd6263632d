using System.Diagnostics;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Says beside the steps of each stage how long the whole run still takes.</summary>
/// <param name="inner">Told of everything.</param>
/// <param name="forecast">Estimates.</param>
internal sealed class ForecastProgress(IRunProgress inner, RunForecast forecast) : IRunProgress
{
    private long _start;
    private long _total;

    /// <summary>Seconds left; null while nothing was measured.</summary>
    public double? SecondsLeft => forecast.SecondsLeft();

    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
        _start = Stopwatch.GetTimestamp();
        _total = totalSteps;
        forecast.Started(stage, Share(doneSteps));
        inner.StageStarted(stage, totalSteps, doneSteps);
    }

    public void StepsDone(long doneSteps, double samplesPerSecond)
    {
        forecast.Reached(Share(doneSteps), Stopwatch.GetElapsedTime(_start).TotalSeconds);
        if (forecast.SecondsLeft() is { } left)
            inner.RunLeft(left);
        inner.StepsDone(doneSteps, samplesPerSecond);
    }

    public void RunLeft(double seconds) => inner.RunLeft(seconds);

    public void EpochDone(EpochRecord epoch, int totalEpochs) => inner.EpochDone(epoch, totalEpochs);

    public void StageFinished()
    {
        forecast.Reached(1, Stopwatch.GetElapsedTime(_start).TotalSeconds);
        inner.StageFinished();
    }

    public void Note(string text) => inner.Note(text);

    public void Warn(string text) => inner.Warn(text);

    private double Share(long steps) => _total > 0 ? Math.Clamp((double)steps / _total, 0, 1) : 1;
}
