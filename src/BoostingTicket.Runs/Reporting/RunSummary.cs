using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;


namespace BoostingTicket.Runs.Reporting;

/// <summary>One arm over all seeds: a row of the final table.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Sparsity">Share of prunable weights that is pruned.</param>
/// <param name="Clean">Clean test accuracy in [0, 1], of the weights that were best on validation.</param>
/// <param name="Robust">Test accuracy under the evaluation's attack, of the same weights.</param>
/// <param name="LastClean">Clean test accuracy of the last epoch's weights.</param>
/// <param name="LastRobust">Their accuracy under the attack.</param>
/// <param name="BestEpoch">Epoch of the best weights.</param>
/// <param name="EpochsRun">Epochs until the end or early stopping.</param>
/// <param name="PruningSeconds">Seconds to find the ticket.</param>
/// <param name="TrainingSeconds">Seconds of training.</param>
/// <param name="TotalSeconds">Sum of both.</param>
/// <param name="TimeRatio">Total seconds over those of the dense arm of the same seed; null without a dense arm, and for one
/// seed, which has no spread.</param>
internal sealed record ArmSummary(
    Arm Arm, double Sparsity, Spread Clean, Spread Robust, Spread LastClean, Spread LastRobust, Spread BestEpoch,
    Spread EpochsRun,
    Spread PruningSeconds, Spread TrainingSeconds, Spread TotalSeconds, Spread? TimeRatio)
{
    /// <summary>Steps of finding and training the ticket; null where it was not counted.</summary>
    public Spread? Steps { get; init; }

    /// <summary>Floating-point operations of finding and training the ticket, those of kept weights; null where they were not
    /// counted.</summary>
    public Spread? Operations { get; init; }

    /// <summary>Operations over those of the dense arm of the same seed: the same on every machine. Null without a dense
    /// arm.</summary>
    public Spread? OperationRatio { get; init; }

    /// <summary>Seconds of processors that finding and training the ticket used; null where they were not counted.</summary>
    public Spread? ProcessorSeconds { get; init; }
}

/// <summary>What a run found, over all its seeds.</summary>
internal static class RunSummary
{
    /// <summary>One row for each arm that any seed has done, in the configuration's order.</summary>
    public static IReadOnlyList<ArmSummary> Of(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return
        [
            .. from arm in result.Configuration.Arms
               let seeds = result.Seeds.Where(seed => seed.Arms.Any(done => done.Arm == arm)).ToList()
               where seeds.Count > 0
               select Summarize(arm, seeds),
        ];
    }

    /// <summary>Name of the evaluation's attack: <c>PGD-20</c>.</summary>
    public static string AttackName(RunConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var attack = configuration.Evaluation.Attack;
        return attack.Loss == Engine.Backends.LossKind.CrossEntropy ? $"PGD-{attack.Steps}" : $"C&W-{attack.Steps}";
    }

    /// <summary>The main finding in a sentence: ticket against dense baseline. Null without both.</summary>
    public static string? Finding(RunResult result)
    {
        IReadOnlyList<ArmSummary> rows = Of(result);
        ArmSummary? dense = rows.FirstOrDefault(row => row.Arm == Arm.Dense);
        ArmSummary? ticket = rows.FirstOrDefault(row => row.Arm == Arm.Ticket);
        if (dense is null || ticket is null)
            return null;
        string cost = ticket.OperationRatio is { } ratio
            ? $" Finding and training it took {ratio.Text("F2")} times the baseline's operations." : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The ticket ({ticket.Sparsity:P1} pruned) reaches {ticket.Clean.Text("F2", 100)} % clean and "
            + $"{ticket.Robust.Text("F2", 100)} % under {AttackName(result.Configuration)}; the dense baseline "
            + $"{dense.Clean.Text("F2", 100)} % and {dense.Robust.Text("F2", 100)} %.{cost}");
    }

    /// <summary>Where the numbers come from, by name: device, versions, data, and the hashes of the settings and of each seed's
    /// split into training and validation samples.</summary>
    public static IEnumerable<(string Name, string Value)> Provenance(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return
        [
            .. result.Environment.Select(pair => (pair.Key, pair.Value)),
            ("configuration", "SHA-256 " + result.ConfigurationHash),
            // A result of an earlier version has none.
            .. result.Seeds.Where(seed => !string.IsNullOrEmpty(seed.SplitHash))
                .Select(seed => ($"split of seed {seed.Seed}", "SHA-256 " + seed.SplitHash)),
        ];
    }

    private static ArmSummary Summarize(Arm arm, List<SeedResult> seeds)
    {
        List<ArmResult> results = [.. seeds.Select(seed => seed.Arms.Single(result => result.Arm == arm))];
        List<ArmResult?> dense = [.. seeds.Select(seed => seed.Arms.FirstOrDefault(result => result.Arm == Arm.Dense))];
        bool comparable = dense.All(result => result is not null), timed = dense.All(result => result?.TotalSeconds > 0);
        List<TrainingWork?> work = [.. results.Select((result, seed) => Work(seeds[seed], result))];
        List<TrainingWork?> denseWork = [.. dense.Select((result, seed) => result is null ? null : Work(seeds[seed], result))];
        bool counted = work.All(done => done is not null);
        return new ArmSummary(
            arm, results.Average(result => result.Sparsity), Over(result => result.Best.Clean),
            Over(result => result.Best.Robust),
            Over(result => result.Last.Clean), Over(result => result.Last.Robust), Over(result => result.BestEpoch),
            Over(result => result.EpochsRun), Over(result => result.PruningSeconds), Over(result => result.TrainingSeconds),
            Over(result => result.TotalSeconds),
            timed && seeds.Count > 1
                ? Spread.Of([.. results.Select((result, seed) => result.TotalSeconds / dense[seed]!.TotalSeconds)])
                : null)
        {
            Steps = counted ? Spread.Of([.. work.Select(done => (double)done!.Value.Steps)]) : null,
            Operations = counted ? Spread.Of([.. work.Select(done => done!.Value.Operations)]) : null,
            ProcessorSeconds = counted ? Spread.Of([.. work.Select(done => done!.Value.ProcessorSeconds)]) : null,
            OperationRatio = counted && comparable && denseWork.All(done => done?.Operations > 0)
                ? Spread.Of([.. work.Select((done, seed) => done!.Value.Operations / denseWork[seed]!.Value.Operations)])
                : null,
        };

        Spread Over(Func<ArmResult, double> value) => Spread.Of([.. results.Select(value)]);
    }

    // Of the donor and of the arm.
    private static TrainingWork? Work(SeedResult seed, ArmResult arm) => TrainingWork.Sum(arm.Arm switch
    {
        Arm.Dense => arm.History,
        Arm.Winning => [.. seed.WinningDonor, .. arm.History],
        _ => [.. seed.Donor, .. arm.History],
    });
}
