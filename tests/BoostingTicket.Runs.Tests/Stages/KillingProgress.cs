using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Work ends as if it had been killed: nothing is saved.</summary>
internal sealed class KilledException() : Exception("killed");

/// <summary>Ends work when so many batches were done.</summary>
/// <param name="inner">Told how it goes until then.</param>
/// <param name="steps">Batches since the start of the process.</param>
internal sealed class KillingProgress(IRunProgress inner, int steps) : IRunProgress
{
    private long _done;

    public void StageStarted(string stage, long totalSteps, long doneSteps) => inner.StageStarted(stage, totalSteps, doneSteps);

    public void StepsDone(long doneSteps, double samplesPerSecond)
    {
        inner.StepsDone(doneSteps, samplesPerSecond);
        if ((_done = Math.Max(_done, doneSteps)) >= steps)
            throw new KilledException();
    }

    public void EpochDone(EpochRecord epoch, int totalEpochs) => inner.EpochDone(epoch, totalEpochs);

    public void StageFinished() => inner.StageFinished();

    public void Note(string text) => inner.Note(text);

    public void Warn(string text) => inner.Warn(text);
}
