using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Tests.Reporting;

/// <summary>A finished run with made-up numbers, hostile names and several seeds.</summary>
internal static class SampleRun
{
    /// <summary>Of an epoch.</summary>
    public const int Steps = 43;

    /// <summary>Of an epoch.</summary>
    public const double Operations = 2.5e11, ProcessorSeconds = 8.5;

    public const string Warning = "The layer <conv9> & its \"bias\" | keeps none of its 64 weights.";

    public static RunResult Create(int seeds = 2, bool earlyStopping = false, params Arm[] arms)
    {
        RunConfiguration preset = Presets.Find("quick").Configuration;
        RunConfiguration configuration = preset with
        {
            Seeds = seeds,
            Arms = arms.Length == 0 ? [Arm.Dense, Arm.Ticket, Arm.Winning, Arm.Reinit, Arm.Shuffle] : arms,
            Retrain = preset.Retrain with { EarlyStopping = earlyStopping ? new EarlyStopping() : null },
        };
        return new RunResult(
            configuration, RunJson.Hash(configuration),
            new Dictionary<string, string> { ["device"] = "cpu: a <processor> & more", ["runtime"] = ".NET" },
            [.. Enumerable.Range(0, seeds).Select(seed => Seed(configuration, seed))]);
    }

    private static SeedResult Seed(RunConfiguration configuration, int seed) => new(
        (ulong)seed, History(6, 0.9, 0.01, seed), new TestResult(1_000, 0.91, 0.12, 0.1, 1.5),
        [new LayerSparsity("conv1.weight", 400, 260), new LayerSparsity("conv2.weight", 12_800, 2_400), new LayerSparsity(
            "fc1.weight", 65_536, 11_000)],
        seed == 0 ? [Warning] : [], [.. configuration.Arms.Select(arm => ArmOf(arm, seed))], new string('a', 64));

    private static ArmResult ArmOf(Arm arm, int seed)
    {
        double shift = (0.01 * (int)arm) + (0.003 * seed);
        var best = new TestResult(1_000, 0.80 - shift, 0.60 - shift, 0.1, 2.5);
        return new ArmResult(
            arm, arm == Arm.Dense ? 0 : 0.8, best with { Clean = 0.79 - shift, Robust = 0.58 - shift }, best, 5, 8,
            arm == Arm.Dense ? 0 : 10 + seed, 40, History(8, 0.8 - shift, 0.05, seed));
    }

    private static List<EpochRecord> History(int epochs, double accuracy, double rate, int seed) =>
    [
        .. Enumerable.Range(1, epochs).Select(epoch => new EpochRecord(
            epoch, epoch <= epochs / 2 ? rate : rate / 10, 2.2 / epoch + (0.05 * seed), accuracy * (1 - (1.0 / (epoch + 2))),
            accuracy * (1 - (1.0 / (epoch + 3))), epoch % 2 == 0 ? (accuracy - 0.2) * (1 - (1.0 / (epoch + 3))) : null,
            new PhaseTimes(0.1, 3.2, 1.1, 0.6))
        {
            Work = new TrainingWork(Steps, Operations, ProcessorSeconds, 4.5, 0),
        }),
    ];
}
