using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>One seed of a run, stage by stage: donor training, pruning, reset, then each arm's training and test. A stage
/// that finished before is read from its files; an unfinished one continues from its checkpoint.</summary>
internal sealed class SeedRun
{
    internal const string DonorStage = "donor";
    internal const string WinningDonorStage = "winning-donor";

    private readonly RunConfiguration _configuration;
    private readonly RunFolder _folder;
    private readonly ulong _seed;
    private readonly Network _network;
    private readonly IRunProgress _progress;
    private readonly StageFiles _files;
    private readonly StageTrainer _trainer;
    private readonly StageTester _tester;
    private readonly ArmStage _arms;
    private readonly ModelState _initial;
    private readonly TrainingStart _start;

    public SeedRun(
        RunConfiguration configuration, RunFolder folder, ulong seed, Network network, RunData data,
        IRunProgress progress, IRunWatch? watch, RunOwner owner, StartWeights? start, CancellationToken cancellation)
    {
        _configuration = configuration;
        _folder = folder;
        _seed = seed;
        _network = network;
        _progress = progress;
        _files = new StageFiles(
            folder, seed, StageFiles.Describe(configuration, network.Graph, data.Train.Set, seed, start), owner);
        _trainer = new StageTrainer(_files, seed, network, data, progress, cancellation)
        {
            PathOf = configuration.PathOf,
            Watch = watch,
        };
        _tester = new StageTester(configuration.Evaluation, seed, network, data, progress, cancellation);
        _arms = new ArmStage(_files, _trainer, _tester, network, seed);
        _start = start is null ? TrainingStart.Initial : TrainingStart.Given;
        _initial = start?.For(network.Graph) ?? Job(configuration.Donor).DrawStart(network.Graph.Table);
    }

    public SeedResult Execute()
    {
        string done = _folder.SeedResult(_seed);
        if (File.Exists(done))
        {
            SeedResult kept = ReadFinished(done);
            _trainer.Watch?.SeedDone(kept);
            return kept;
        }
        StoredFiles.CreateFolder(_folder.Seed(_seed));
        _files.KeepInitial(_initial);

        DrawnTicket? boosting = _configuration.Arms.Any(arm => arm is Arm.Ticket or Arm.Reinit or Arm.Shuffle)
            ? DrawTicket(DonorStage, _configuration.Donor)
            : null;
        DrawnTicket? winning = _configuration.Arms.Contains(Arm.Winning)
            ? DrawTicket(WinningDonorStage, _configuration.WinningDonor)
            : null;
        ArmResult[] arms = [.. _configuration.Arms.Select(arm => RunArm(arm, arm == Arm.Winning ? winning : boosting))];
        var result = new SeedResult(
            _seed, boosting?.History ?? [], boosting?.Test, boosting?.Sparsity ?? [],
            [.. (boosting?.Warnings ?? []).Concat(winning?.Warnings ?? []), .. arms.SelectMany(arm => arm.Warnings)],
            arms, _trainer.SplitHash)
        {
            EarlyBirdEpoch = boosting?.Record.EarlyBirdEpoch,
            WinningDonor = winning?.History ?? [],
        };
        AtomicFile.WriteAllText(done, RunJson.Write(result));
        return result;
    }

    // Reports rely on it that a result is this seed's, with every arm.
    private SeedResult ReadFinished(string path)
    {
        SeedResult kept = RunJson.Read<SeedResult>(StoredFiles.ReadText(path), path);
        if (kept.Seed != _seed || !kept.Arms.Select(result => result.Arm).SequenceEqual(_configuration.Arms))
            throw new DamagedFileException(
                $"The file {path} is damaged (its seed or its arms are not those of the run); delete it and run the command that "
                + "wrote it again.");
        return kept;
    }

    private ArmResult RunArm(Arm arm, DrawnTicket? ticket)
    {
        TrainingJob job = arm == Arm.Dense
            ? Job(_configuration.Dense)
            : Job(_configuration.Retrain) with
            {
                Start = arm == Arm.Reinit ? TrainingStart.Redrawn : ticket!.IsReset ? _start : TrainingStart.Given,
                Ticket = arm == Arm.Winning ? WinningDonorStage : DonorStage,
                Shuffled = arm == Arm.Shuffle,
            };
        ModelState start = job.Start == TrainingStart.Redrawn ? job.DrawStart(_network.Graph.Table)
            : job.Ticket is null ? _initial
            : ticket!.Start;
        Mask? mask = job.Ticket is null ? null : job.Shuffled ? ShuffledMask.Of(ticket!.Mask, _seed) : ticket!.Mask;
        double pruningSeconds = job.Ticket is null ? 0 : ticket!.Seconds;
        return _arms.Execute(SettingNames.Of(arm), arm, job, start, mask, pruningSeconds);
    }

    private TrainingJob Job(TrainingSettings settings) => TrainingJob.Of(_configuration, settings, _seed) with { Start = _start };

    // Iterative pruning trains, prunes and resets several times; the paper finds one round enough (Appendix B).
    private DrawnTicket DrawTicket(string donor, TrainingSettings settings)
    {
        string done = _folder.StageResult(_seed, donor);
        if (File.Exists(done))
        {
            DeleteCheckpoints(donor);
            DonorRecord record = RunJson.Read<DonorRecord>(StoredFiles.ReadText(done), done);
            Tell(donor, record);
            Ticket kept = TicketFile.Load(_folder.Ticket(_seed, donor), _network.Graph);
            return new DrawnTicket(kept.Mask, kept.Initial, IsReset, record);
        }
        ResetPoint reset = ResetPoint.Parse(_configuration.Pruning.Reset);
        ModelState begin = _initial;
        PruningSettings pruning = _configuration.Pruning;
        Mask? mask = null;
        PruningReport? report = null;
        IReadOnlyList<double> ratios = PruningSchedule.CumulativeRatios(pruning.Ratio, pruning.Rounds);
        var history = new List<EpochRecord>();
        var warnings = new List<string>();
        int? earlyBirdEpoch = null;
        double seconds = 0;
        for (int round = 1; round <= pruning.Rounds; round++)
        {
            string stage = StageOf(donor, round);
            IPruner pruner = PrunerCatalog.Find(pruning.Scope);
            var options = new PruningOptions(ratios[round - 1], pruning.MinimumKept);
            EarlyBird? earlyBird = pruning.EarlyBird is { } distance
                ? new EarlyBird(pruner, options, mask, _network.Graph.Table, distance)
                : null;
            TrainingJob job = Job(settings) with { Ticket = round == 1 ? null : StageOf(donor, round - 1) };
            IEpochRule? keeper = round == 1 ? _files.KeepEpoch(donor, reset.Epoch) : null;
            TrainingState state = _trainer.Train(stage, job, begin, mask, EpochRules.Of(keeper, earlyBird), donor);
            long start = Stopwatch.GetTimestamp();
            ModelState trained = ModelState.Capture(_network.Parameters, _network.Backend);
            (mask, report) = pruner.Prune(trained, options, mask);
            if (reset.Epoch is null)
                begin = trained;
            else if (!reset.IsInitial && round == 1)
                begin = Rewound(donor, reset.Epoch.Value, state, trained, warnings);
            seconds += state.TrainingSeconds + state.RuleSeconds + Stopwatch.GetElapsedTime(start).TotalSeconds;
            history.AddRange(state.History);
            warnings.AddRange(state.Warnings.Select(warning => $"{stage}: {warning}"));
            if (state.MaskDistance is { } settled)
            {
                earlyBirdEpoch = state.Epoch;
                _progress.Note(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{stage}: the mask settled in epoch {state.Epoch} of {TrainingMethodCatalog.EpochsOf(settings)} (largest "
                        + $"distance {settled:F4})"));
            }
        }
        TestResult test = _tester.Test(donor, "last");
        _files.SaveTicket(donor, begin, mask!, pruning);
        var drawn = new DonorRecord(
            history, test, [.. report!.Layers.Select(layer => new LayerSparsity(layer.Name, layer.Total, layer.Kept))],
            [.. warnings, .. StageTester.Warnings(donor, "last", test), .. report.Warnings], seconds)
        {
            EarlyBirdEpoch = earlyBirdEpoch,
        };
        AtomicFile.WriteAllText(done, RunJson.Write(drawn));
        DeleteCheckpoints(donor);
        Tell(donor, drawn);
        foreach (string warning in report.Warnings)
            _progress.Warn(warning);
        return new DrawnTicket(mask!, begin, IsReset, drawn);
    }

    // Whether tickets start from what their donor started from.
    private bool IsReset => ResetPoint.Parse(_configuration.Pruning.Reset).IsInitial;

    // Early-Bird and early stopping may end a donor before the epoch.
    private ModelState Rewound(string donor, int epoch, TrainingState state, ModelState trained, List<string> warnings)
    {
        if (state.Epoch >= epoch)
            return _files.LoadEpoch(donor, epoch, _network.Graph);
        string warning = FormattableString.Invariant(
            $"{donor}: its training ended after epoch {state.Epoch}, before the epoch {epoch} that tickets are reset to, ")
            + "so that they start from its last weights";
        warnings.Add(warning);
        _progress.Warn(warning);
        return trained;
    }

    private void Tell(string donor, DonorRecord record) => _trainer.Watch?.DonorDone(
        new WatchedDonor(_seed, donor, record.History, record.Test, record.Sparsity, record.Warnings));

    private void DeleteCheckpoints(string donor)
    {
        for (int round = 1; round <= _configuration.Pruning.Rounds; round++)
            _files.DeleteCheckpoint(StageOf(donor, round));
    }

    private string StageOf(string donor, int round) => StageOf(donor, round, _configuration.Pruning.Rounds);

    /// <summary>Name of a donor's training in a round of pruning.</summary>
    internal static string StageOf(string donor, int round, int rounds) => rounds == 1 ? donor : $"{donor}-{round}";

    /// <summary>A mask, the weights that it is trained from, whether those are what its donor began with, and how it was
    /// found.</summary>
    private sealed record DrawnTicket(Mask Mask, ModelState Start, bool IsReset, DonorRecord Record)
    {
        public IReadOnlyList<EpochRecord> History => Record.History;

        public TestResult Test => Record.Test;

        public IReadOnlyList<LayerSparsity> Sparsity => Record.Sparsity;

        public IReadOnlyList<string> Warnings => Record.Warnings;

        public double Seconds => Record.Seconds;
    }
}

/// <summary>What is kept of a donor besides its files.</summary>
/// <param name="History">Epoch by epoch.</param>
/// <param name="Test">Test result of the donor.</param>
/// <param name="Sparsity">Kept weights of its ticket by layer.</param>
/// <param name="Warnings">What the user should know.</param>
/// <param name="Seconds">Seconds of training and pruning.</param>
internal sealed record DonorRecord(
    IReadOnlyList<EpochRecord> History, TestResult Test, IReadOnlyList<LayerSparsity> Sparsity,
    IReadOnlyList<string> Warnings, double Seconds) : IStoredRecord
{
    /// <summary>Epoch at which Early-Bird ended the donor of the last round that it ended; null for none.</summary>
    public int? EarlyBirdEpoch { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("seconds", StoredValues.IsAmount(Seconds)),
        ("epoch of Early-Bird", EarlyBirdEpoch is null or >= 1));
}
