using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Told what the stages of a run find out, while it goes, so that others can look at it. Called on the run's thread, in
/// the order of the stages; a stage that finished in an earlier process is told of like a new one. What a watch throws ends the
/// run, so it throws nothing for files that cannot be written.</summary>
internal interface IRunWatch
{
    /// <summary>The folder is taken and the work begins or goes on.</summary>
    void Begin(WatchedRun run);

    /// <summary>A training begins or goes on.</summary>
    /// <param name="training">The training.</param>
    /// <param name="history">Its epochs of earlier processes.</param>
    void TrainingStarted(WatchedTraining training, IReadOnlyList<EpochRecord> history);

    /// <summary>An epoch ended, and a checkpoint holds it.</summary>
    void EpochDone(WatchedTraining training, EpochRecord epoch);

    /// <summary>A donor is trained, pruned and tested.</summary>
    void DonorDone(WatchedDonor donor);

    /// <summary>An arm is trained and tested.</summary>
    /// <param name="seed">Its seed.</param>
    /// <param name="stage">Its stage.</param>
    /// <param name="result">What it came to.</param>
    /// <param name="examples">Images before and after the attack; null where an earlier process finished the arm.</param>
    void ArmDone(ulong seed, string stage, ArmResult result, AdversarialExamples? examples);

    /// <summary>A seed was finished by an earlier process.</summary>
    void SeedDone(SeedResult result);

    /// <summary>The run ends before it is finished.</summary>
    /// <param name="error">Why; an <see cref="OperationCanceledException"/> where it was asked to save and stop.</param>
    void Ended(Exception error);
}

/// <summary>A run that is watched.</summary>
/// <param name="Folder">Its files.</param>
/// <param name="Configuration">What was asked for.</param>
/// <param name="ConfigurationHash">SHA-256 of it.</param>
/// <param name="Environment">Device, versions and data by name.</param>
/// <param name="SecondsLeft">About how long all of it still takes; null while nothing was measured.</param>
/// <param name="Progress">Warned of files that cannot be written.</param>
internal sealed record WatchedRun(
    RunFolder Folder, RunConfiguration Configuration, string ConfigurationHash, IReadOnlyDictionary<string, string> Environment,
    Func<double?> SecondsLeft, IRunProgress Progress)
{
    /// <summary>What <c>train</c> or <c>retrain</c> trains alone; null for a whole run.</summary>
    public Arm? Single { get; init; }
}

/// <summary>A training that is watched.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Stage">Its stage: what its files are called.</param>
/// <param name="Name">What tables call it: all rounds of iterative pruning have their donor's name.</param>
/// <param name="Method">What trains it.</param>
/// <param name="Epochs">Epochs at most.</param>
/// <param name="Layers">What its mask leaves of each layer; empty without a mask.</param>
internal sealed record WatchedTraining(
    ulong Seed, string Stage, string Name, TrainingMethod Method, int Epochs, IReadOnlyList<LayerSparsity> Layers);

/// <summary>A donor that is done.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Name">What tables call it.</param>
/// <param name="History">Its epochs, of all rounds.</param>
/// <param name="Test">Its test.</param>
/// <param name="Layers">Kept weights of its ticket by layer.</param>
/// <param name="Warnings">What the user should know.</param>
internal sealed record WatchedDonor(
    ulong Seed, string Name, IReadOnlyList<EpochRecord> History, TestResult Test, IReadOnlyList<LayerSparsity> Layers,
    IReadOnlyList<string> Warnings);

/// <summary>Tells a watch of the epochs of a training.</summary>
/// <param name="inner">Told of everything.</param>
/// <param name="watch">Told of epochs.</param>
/// <param name="training">The training.</param>
internal sealed class WatchedProgress(IRunProgress inner, IRunWatch watch, WatchedTraining training) : IRunProgress
{
    public void StageStarted(string stage, long totalSteps, long doneSteps) => inner.StageStarted(stage, totalSteps, doneSteps);

    public void StepsDone(long doneSteps, double samplesPerSecond) => inner.StepsDone(doneSteps, samplesPerSecond);

    public void RunLeft(double seconds) => inner.RunLeft(seconds);

    public void EpochDone(EpochRecord epoch, int totalEpochs)
    {
        inner.EpochDone(epoch, totalEpochs);
        watch.EpochDone(training, epoch);
    }

    public void StageFinished() => inner.StageFinished();

    public void Note(string text) => inner.Note(text);

    public void Warn(string text) => inner.Warn(text);
}
