using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Names at each stage the piece of work that it belongs to.</summary>
/// <param name="inner">Shows the progress.</param>
/// <param name="title">Which piece of how many, and what it is.</param>
internal sealed class PlacedProgress(IRunProgress inner, string title) : IRunProgress
{
    // Stages of trainings and tickets name their seed, as the title does.
    private const string Seed = "seed ";

    public void StageStarted(string stage, long totalSteps, long doneSteps) =>
        inner.StageStarted(stage.StartsWith(Seed, StringComparison.Ordinal) ? title : $"{title}: {stage}", totalSteps, doneSteps);

    public void StepsDone(long doneSteps, double samplesPerSecond) => inner.StepsDone(doneSteps, samplesPerSecond);

    public void RunLeft(double seconds) => inner.RunLeft(seconds);

    public void EpochDone(EpochRecord epoch, int totalEpochs) => inner.EpochDone(epoch, totalEpochs);

    public void StageFinished() => inner.StageFinished();

    public void Note(string text) => inner.Note(text);

    public void Warn(string text) => inner.Warn(text);
}
