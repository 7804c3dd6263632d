using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>One arm as a stage: trained, tested with its last and its best weights, its result kept.</summary>
/// <param name="files">Where it is kept.</param>
/// <param name="trainer">Trains it.</param>
/// <param name="tester">Tests it.</param>
/// <param name="network">The network of both.</param>
/// <param name="seed">The seed of both.</param>
internal sealed class ArmStage(StageFiles files, StageTrainer trainer, StageTester tester, Network network, ulong seed)
{
    /// <summary>Trains and tests one arm; reads the result of a stage that finished before.</summary>
    /// <param name="stage">Name of the stage.</param>
    /// <param name="arm">The arm.</param>
    /// <param name="job">Its training.</param>
    /// <param name="start">Weights to begin from.</param>
    /// <param name="ticket">What is trained of the model; null for all of it.</param>
    /// <param name="pruningSeconds">Seconds that its ticket took.</param>
    public ArmResult Execute(
        string stage, Arm arm, TrainingJob job, ModelState start, SubNetwork? ticket, double pruningSeconds)
    {
        string done = files.Result(stage);
        if (File.Exists(done))
        {
            // The process may have ended between the two.
            files.DeleteCheckpoint(stage);
            ArmResult kept = RunJson.Read<ArmResult>(StoredFiles.ReadText(done), done);
            trainer.Watch?.ArmDone(seed, stage, kept, examples: null);
            return kept;
        }
        TrainingState state = trainer.Train(stage, job, start, ticket?.TrainingMask);
        TestResult last = tester.Test(stage, "last");
        TestResult best = last;
        if (state.BestEpoch != state.Epoch && state.BestEpoch > 0)
        {
            files.LoadBest(stage, network.Graph).CopyTo(network.Parameters, network.Backend);
            best = tester.Test(stage, "best");
        }
        AdversarialExamples examples = tester.Examples();
        files.SaveExamples(stage, examples);
        var result = new ArmResult(
            arm, ticket?.Sparsity ?? 0, last, best, state.BestEpoch, state.Epoch, pruningSeconds, state.TrainingSeconds,
            [.. state.History])
        {
            Step = StepWork.Of(
                network.Backend, network.Graph, ticket?.TrainingMask, job,
                TrainingWork.Sum(state.History) is { Steps: > 0 } work ? state.TrainingSeconds / work.Steps : null),
            Warnings =
            [
                .. state.Warnings.Select(warning => $"{stage}: {warning}"), .. StageTester.Warnings(stage, "last", last),
                .. ReferenceEquals(best, last) ? [] : StageTester.Warnings(stage, "best", best),
            ],
        };
        AtomicFile.WriteAllText(done, RunJson.Write(result));
        files.DeleteCheckpoint(stage);
        trainer.Watch?.ArmDone(seed, stage, result, examples);
        return result;
    }
}
