using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting.Watching;

/// <summary>All that is known of a run while it goes.</summary>
/// <param name="run">The run.</param>
internal sealed class RunRecord(WatchedRun run)
{
    private readonly List<(ulong Seed, string Name, List<EpochRecord> Epochs)> _trainings = [];
    private readonly List<SeedResult> _seeds = [];

    /// <summary>Every training so far, in the order in which they began.</summary>
    public IReadOnlyList<StageHistory> Trainings =>
        [.. _trainings.Select(training => new StageHistory(training.Seed, training.Name, [.. training.Epochs]))];

    /// <summary>The run so far: seeds with the arms that are done.</summary>
    public RunResult Result => new(run.Configuration, run.ConfigurationHash, run.Environment, [.. _seeds]);

    /// <summary>Adds epochs to a training; begins it if it is new.</summary>
    public void Add(ulong seed, string name, IReadOnlyList<EpochRecord> epochs) => Epochs(seed, name).AddRange(epochs);

    /// <summary>Takes a donor that is done.</summary>
    public void Take(WatchedDonor donor)
    {
        Replace(donor.Seed, donor.Name, donor.History);
        SeedResult seed = Seed(donor.Seed);
        bool winning = donor.Name == ReportCharts.WinningDonor;
        Keep(seed with
        {
            Donor = winning ? seed.Donor : donor.History,
            DonorTest = winning ? seed.DonorTest : donor.Test,
            Sparsity = winning ? seed.Sparsity : donor.Layers,
            WinningDonor = winning ? donor.History : seed.WinningDonor,
            Warnings = [.. seed.Warnings, .. donor.Warnings],
        });
    }

    /// <summary>Takes an arm that is done.</summary>
    public void Take(ulong seed, string name, ArmResult arm)
    {
        Replace(seed, name, arm.History);
        SeedResult before = Seed(seed);
        Keep(before with { Arms = [.. before.Arms, arm], Warnings = [.. before.Warnings, .. arm.Warnings] });
    }

    /// <summary>Takes a seed that is done.</summary>
    public void Take(SeedResult seed)
    {
        if (seed.Donor.Count > 0)
            Replace(seed.Seed, ReportCharts.Donor, seed.Donor);
        if (seed.WinningDonor.Count > 0)
            Replace(seed.Seed, ReportCharts.WinningDonor, seed.WinningDonor);
        foreach (ArmResult arm in seed.Arms)
            Replace(seed.Seed, SettingNames.Of(arm.Arm), arm.History);
        Keep(seed);
    }

    private List<EpochRecord> Epochs(ulong seed, string name)
    {
        foreach ((ulong Seed, string Name, List<EpochRecord> Epochs) training in _trainings)
        {
            if (training.Seed == seed && training.Name == name)
                return training.Epochs;
        }
        _trainings.Add((seed, name, []));
        return _trainings[^1].Epochs;
    }

    private void Replace(ulong seed, string name, IReadOnlyList<EpochRecord> history)
    {
        List<EpochRecord> epochs = Epochs(seed, name);
        epochs.Clear();
        epochs.AddRange(history);
    }

    private SeedResult Seed(ulong seed) =>
        _seeds.FirstOrDefault(one => one.Seed == seed) ?? new SeedResult(seed, [], null, [], [], []);

    private void Keep(SeedResult seed)
    {
        int index = _seeds.FindIndex(one => one.Seed == seed.Seed);
        if (index < 0)
            _seeds.Add(seed);
        else
            _seeds[index] = seed;
    }
}
