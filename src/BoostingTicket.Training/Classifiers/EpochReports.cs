using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Classifiers;

/// <summary>Passes epochs on to whoever wants to know of them. Results carry their warnings themselves.</summary>
/// <param name="receiver">Told of every epoch; null for nobody.</param>
internal sealed class EpochReports(IProgress<EpochRecord>? receiver) : IRunProgress
{
    /// <inheritdoc/>
    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
    }

    /// <inheritdoc/>
    public void StepsDone(long doneSteps, double samplesPerSecond)
    {
    }

    /// <inheritdoc/>
    public void EpochDone(EpochRecord epoch, int totalEpochs) => receiver?.Report(epoch);

    /// <inheritdoc/>
    public void StageFinished()
    {
    }

    /// <inheritdoc/>
    public void Note(string text)
    {
    }

    /// <inheritdoc/>
    public void Warn(string text)
    {
    }
}
