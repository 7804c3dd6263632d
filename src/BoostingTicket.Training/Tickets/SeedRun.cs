using System.Diagnostics;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tickets;

/// <summary>One seed of a run, stage by stage: donor training, pruning, reset, then each arm's training and test. A stage
/// that finished before is read from its files; an unfinished one continues from its checkpoint.</summary>
internal sealed class SeedRun
{
    private const string DonorStage = "donor";
    private const string WinningDonorStage = "winning-donor";

    private readonly RunConfiguration _configuration;
    private readonly RunFolder _folder;
    private readonly ulong _seed;
    private readonly Network _network;
    private readonly IRunProgress _progress;
    private readonly StageRunner _stages;
    private readonly ModelState _initial;

    public SeedRun(
        RunConfiguration configuration, RunFolder folder, ulong seed, Network network, RunData data,
        IRunProgress progress, CancellationToken cancellation)
    {
        _configuration = configuration;
        _folder = folder;
        _seed = seed;
        _network = network;
        _progress = progress;
        _stages = new StageRunner(configuration, folder, seed, network, data, progress, cancellation);
        _initial = Initialization.Draw(network.Graph.Table, seed, Scheme);
    }

    private InitializationScheme Scheme => Initialization.ParseScheme(_configuration.Initialization);

    public SeedResult Execute()
    {
        string done = _folder.SeedResult(_seed);
        if (File.Exists(done))
            return RunJson.Read<SeedResult>(StoredFiles.ReadText(done), done);
        StoredFiles.CreateFolder(_folder.Seed(_seed));
        if (!File.Exists(_folder.Initial(_seed)))
            _stages.SaveInitial(_initial);

        DrawnTicket? boosting = _configuration.Arms.Any(arm => arm is Arm.Ticket or Arm.Reinit or Arm.Shuffle)
            ? DrawTicket(DonorStage, _configuration.Donor)
            : null;
        DrawnTicket? winning = _configuration.Arms.Contains(Arm.Winning)
            ? DrawTicket(WinningDonorStage, _configuration.WinningDonor)
            : null;
        var result = new SeedResult(
            _seed, boosting?.History ?? [], boosting?.Test, boosting?.Sparsity ?? [],
            [.. (boosting?.Warnings ?? []).Concat(winning?.Warnings ?? [])],
            [.. _configuration.Arms.Select(arm => RunArm(arm, arm == Arm.Winning ? winning : boosting))],
            _stages.SplitHash)
        {
            WinningDonor = winning?.History ?? [],
        };
        AtomicFile.WriteAllText(done, RunJson.Write(result));
        return result;
    }

    private ArmResult RunArm(Arm arm, DrawnTicket? ticket)
    {
        ModelState start = arm == Arm.Reinit ? Initialization.Redraw(_network.Graph.Table, _seed, Scheme) : _initial;
        Mask? mask = arm switch
        {
            Arm.Dense => null,
            Arm.Shuffle => ShuffledMask.Of(ticket!.Mask, _seed),
            _ => ticket!.Mask,
        };
        double pruningSeconds = arm == Arm.Dense ? 0 : ticket!.Seconds;
        TrainingSettings settings = arm == Arm.Dense ? _configuration.Dense : _configuration.Retrain;
        return _stages.TrainAndTest(SettingNames.Of(arm), arm, start, mask, settings, pruningSeconds);
    }

    // Iterative pruning trains, prunes and resets several times; the paper finds one round enough (Appendix B).
    private DrawnTicket DrawTicket(string donor, TrainingSettings settings)
    {
        string done = _folder.StageResult(_seed, donor);
        if (File.Exists(done))
        {
            DeleteCheckpoints(donor);
            DonorRecord record = RunJson.Read<DonorRecord>(StoredFiles.ReadText(done), done);
            return DrawnTicket.From(record, TicketFile.Load(_folder.Ticket(_seed, donor), _network.Graph).Mask);
        }
        PruningSettings pruning = _configuration.Pruning;
        Mask? mask = null;
        PruningReport? report = null;
        IReadOnlyList<double> ratios = PruningSchedule.CumulativeRatios(pruning.Ratio, pruning.Rounds);
        var history = new List<EpochRecord>();
        double seconds = 0;
        for (int round = 1; round <= pruning.Rounds; round++)
        {
            string stage = StageOf(donor, round);
            TrainingState state = _stages.Train(stage, _initial, mask, settings);
            long start = Stopwatch.GetTimestamp();
            ModelState trained = ModelState.Capture(_network.Parameters, _network.Backend);
            (mask, report) = PrunerCatalog.Find(pruning.Scope).Prune(
                trained, new PruningOptions(ratios[round - 1], pruning.MinimumKept), mask);
            seconds += state.TrainingSeconds + Stopwatch.GetElapsedTime(start).TotalSeconds;
            history.AddRange(state.History);
        }
        TestResult test = _stages.Test(donor, "last");
        _stages.SaveTicket(donor, _initial, mask!);
        var drawn = new DonorRecord(
            history, test, [.. report!.Layers.Select(layer => new LayerSparsity(layer.Name, layer.Total, layer.Kept))],
            report.Warnings, seconds);
        AtomicFile.WriteAllText(done, RunJson.Write(drawn));
        DeleteCheckpoints(donor);
        foreach (string warning in report.Warnings)
            _progress.Warn(warning);
        return DrawnTicket.From(drawn, mask!);
    }

    private void DeleteCheckpoints(string donor)
    {
        for (int round = 1; round <= _configuration.Pruning.Rounds; round++)
            _stages.DeleteCheckpoint(StageOf(donor, round));
    }

    private string StageOf(string donor, int round) =>
        _configuration.Pruning.Rounds == 1 ? donor : $"{donor}-{round}";

    /// <summary>What is kept of a donor besides its files.</summary>
    private sealed record DonorRecord(
        IReadOnlyList<EpochRecord> History, TestResult Test, IReadOnlyList<LayerSparsity> Sparsity,
        IReadOnlyList<string> Warnings, double Seconds);

    /// <summary>A mask and how it was found.</summary>
    private sealed record DrawnTicket(
        Mask Mask, IReadOnlyList<EpochRecord> History, TestResult Test, IReadOnlyList<LayerSparsity> Sparsity,
        IReadOnlyList<string> Warnings, double Seconds)
    {
        public static DrawnTicket From(DonorRecord record, Mask mask) =>
            new(mask, record.History, record.Test, record.Sparsity, record.Warnings, record.Seconds);
    }
}
