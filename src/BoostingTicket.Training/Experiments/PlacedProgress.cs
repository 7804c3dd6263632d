using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Experiments;

/// <summary>Says at each stage which piece of how many it belongs to.</summary>
/// <param name="inner">Shows the progress.</param>
/// <param name="place">Such as <c>3/27</c>.</param>
internal sealed class PlacedProgress(IRunProgress inner, string place) : IRunProgress
{
    public void StageStarted(string stage, long totalSteps, long doneSteps) => inner.StageStarted($"{place} {stage}", totalSteps, doneSteps);

    public void StepsDone(long doneSteps, double samplesPerSecond) => inner.StepsDone(doneSteps, samplesPerSecond);

    public void EpochDone(EpochRecord epoch, int totalEpochs) => inner.EpochDone(epoch, totalEpochs);

    public void StageFinished() => inner.StageFinished();

    public void Note(string text) => inner.Note(text);

    public void Warn(string text) => inner.Warn(text);
}
