using System.Diagnostics;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Tests a network as it is on the test samples, clean and under PGD.</summary>
/// <param name="settings">Attack and batches.</param>
/// <param name="seed">Seed of the attack.</param>
/// <param name="network">The network.</param>
/// <param name="data">The images.</param>
/// <param name="progress">Told how it goes.</param>
/// <param name="cancellation">Ends a test between batches.</param>
internal sealed class StageTester(
    EvaluationSettings settings, ulong seed, Network network, RunData data, IRunProgress progress,
    CancellationToken cancellation)
{
    /// <summary>Test images kept before and after the attack.</summary>
    private const int Shown = 8;

    /// <summary>What progress calls a test.</summary>
    public static string Title(ulong seed, string stage, string weights) => $"seed {seed} · {stage}, test of {weights} weights";

    /// <summary>Tests the network as it is.</summary>
    /// <param name="stage">Name of the stage that trained it.</param>
    /// <param name="weights">Which of its weights they are, such as <c>last</c>.</param>
    public TestResult Test(string stage, string weights)
    {
        using Evaluator evaluator = Open();
        int total = (data.TestCount + settings.BatchSize - 1) / settings.BatchSize;
        progress.StageStarted(Title(seed, stage, weights), total, 0);
        long last = Stopwatch.GetTimestamp();
        TestResult result = evaluator.Robust(
            AttackBudget.Pgd(settings.Attack), Key, data.TestCount,
            (batch, batches) =>
            {
                // Only what is classified correctly is attacked, so the last batches may not come.
                double rate = settings.BatchSize / Math.Max(Stopwatch.GetElapsedTime(last).TotalSeconds, 1e-9);
                last = Stopwatch.GetTimestamp();
                progress.StepsDone(batch == batches ? total : batch, rate);
            },
            cancellation);
        progress.StageFinished();
        foreach (string warning in Warnings(stage, weights, result))
            progress.Warn(warning);
        return result;
    }

    /// <summary>A few test images before and after the attack; the same samples for every stage and seed, so that arms can be
    /// compared by eye.</summary>
    public AdversarialExamples Examples()
    {
        using Evaluator evaluator = Open();
        return evaluator.Examples(AttackBudget.Pgd(settings.Attack), Key, Shown);
    }

    /// <summary>The reasons to distrust a test, with what was tested.</summary>
    public static IEnumerable<string> Warnings(string stage, string weights, TestResult result) =>
        result.Warnings.Select(warning => $"{stage}, {weights} weights: {warning}");

    private ulong Key => Philox.Key(seed, RandomStream.EvaluationAttack);

    private Evaluator Open() => new(network, data.Test, data.TestSamples, settings.BatchSize);
}
