using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting;

/// <summary>A training's epochs, finished or not.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Name">What tables call it, such as <c>donor</c> or <c>ticket</c>.</param>
/// <param name="Epochs">Its epochs so far; iterative pruning begins again with epoch 1 in every round.</param>
internal sealed record StageHistory(ulong Seed, string Name, IReadOnlyList<EpochRecord> Epochs)
{
    /// <summary>The style of its curves: that of what it trains.</summary>
    public string Style { get; init; } = Name;

    /// <summary>The trainings of a run: of each seed the donors, then the arms.</summary>
    public static IReadOnlyList<StageHistory> Of(RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return
        [
            .. result.Seeds.SelectMany(seed => (StageHistory[])
            [
                new StageHistory(seed.Seed, ReportCharts.Donor, seed.Donor),
                new StageHistory(seed.Seed, ReportCharts.WinningDonor, seed.WinningDonor),
                .. seed.Arms.Select(arm => new StageHistory(seed.Seed, SettingNames.Of(arm.Arm), arm.History)),
            ]).Where(history => history.Epochs.Count > 0),
        ];
    }
}
