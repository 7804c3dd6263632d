using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Tests.Reporting;

/// <summary>What a run's folder may hold besides its result, with made-up numbers.</summary>
internal static class SampleExtras
{
    /// <summary>Two colour images of 6 x 5 pixels; the second fools the network.</summary>
    public static AdversarialExamples Examples { get; } = new(
        3, 6, 5, 0.1, ["<cat>", "dog & wolf"], [Example(17, 0, 0), Example(23, 1, 0)]);

    public static RunExtras Create() => new(
        [
            new KeptEvaluation("ticket, best (seed 0)", new WeightsEvaluation(
                new RobustnessSettings(
                    ["pgd-20", "autoattack"], new AttackSettings { Restarts = 5 }, "cifar10", null, 200, 0, "auto"),
                Robustness)),
        ],
        [new KeptExamples("ticket", 0, Examples)]);

    /// <summary>An evaluation by two attacks.</summary>
    public static RobustnessResult Robustness => new(
        200, 0.8, WilsonInterval.Of(160, 200),
        [
            new AttackResult("pgd-20", 200, 160, 0.5, WilsonInterval.Of(100, 200), 0.1, 2, 80, 0),
            new AttackResult("autoattack: square", 200, 90, 0.4, WilsonInterval.Of(80, 200), 0.1, 9, 10, 0),
        ],
        0.395, WilsonInterval.Of(79, 200), ["Square found what gradients did not."]);

    private static AdversarialExample Example(int sample, int label, int after)
    {
        float[] clean = [.. Enumerable.Range(0, 90).Select(i => i % 11 / 10f)];
        return new AdversarialExample(sample, label, clean, label,
            [.. clean.Select((value, i) => Math.Clamp(value + (i % 2 == 0 ? 0.1f : -0.1f), 0, 1))], after);
    }
}
