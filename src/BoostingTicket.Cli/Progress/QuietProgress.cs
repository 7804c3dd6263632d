using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Progress;

/// <summary>Shows warnings alone.</summary>
/// <param name="writer">Where to.</param>
internal sealed class QuietProgress(TextWriter writer) : IProgressDisplay
{
    /// <inheritdoc/>
    public T Show<T>(Func<T> work) => work();

    /// <inheritdoc/>
    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
    }

    /// <inheritdoc/>
    public void StepsDone(long doneSteps, double samplesPerSecond)
    {
    }

    /// <inheritdoc/>
    public void EpochDone(EpochRecord epoch, int totalEpochs)
    {
    }

    /// <inheritdoc/>
    public void StageFinished()
    {
    }

    /// <inheritdoc/>
    public void Note(string text)
    {
    }

    /// <inheritdoc/>
    public void Warn(string text) => writer.WriteLine($"Warning: {text}");
}
