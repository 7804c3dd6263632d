using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Testing;

/// <summary>Counts steps and can stop a run after a given number of reports.</summary>
internal sealed class CountingProgress(int cancelAfter = int.MaxValue) : IRunProgress, IDisposable
{
    private readonly CancellationTokenSource _source = new();

    public CancellationToken Token => _source.Token;

    public int Reports { get; private set; }

    public List<string> Stages { get; } = [];

    public List<long> Done { get; } = [];

    public List<string> Warnings { get; } = [];

    public List<string> Notes { get; } = [];

    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
        Stages.Add(stage);
        Done.Add(doneSteps);
        Count();
    }

    public void StepsDone(long doneSteps, double samplesPerSecond) => Count();

    public void EpochDone(EpochRecord epoch, int totalEpochs) => Count();

    public void StageFinished() => Count();

    public void Note(string text) => Notes.Add(text);

    public void Warn(string text) => Warnings.Add(text);

    public void Dispose() => _source.Dispose();

    private void Count()
    {
        Reports++;
        if (Reports >= cancelAfter)
            _source.Cancel();
    }
}
