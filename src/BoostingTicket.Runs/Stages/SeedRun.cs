using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Graph;
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
    private readonly RunData _data;
    private readonly CancellationToken _cancellation;
    private readonly IRunWatch? _watch;
    private readonly StageFiles _files;
    private readonly Bench _bench;
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
        _data = data;
        _cancellation = cancellation;
        _watch = watch;
        _files = new StageFiles(
            folder, seed, StageFiles.Describe(configuration, network.Graph, data.Train.Set, seed, start), owner);
        _bench = OpenBench(network, _files);
        _start = start is null ? TrainingStart.Initial : TrainingStart.Given;
        _initial = start?.For(network.Graph) ?? Job(configuration.Donor).DrawStart(network.Graph.Table);
    }

    public SeedResult Execute()
    {
        string done = _folder.SeedResult(_seed);
        if (File.Exists(done))
        {
            SeedResult kept = ReadFinished(done);
            _watch?.SeedDone(kept);
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
            arms, _bench.Trainer.SplitHash)
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
        SubNetwork? trained = job.Ticket is null ? null : job.Shuffled ? ticket!.Network.Shuffled(_seed) : ticket!.Network;
        double pruningSeconds = job.Ticket is null ? 0 : ticket!.Seconds;
        return On(trained, bench => bench.Arms.Execute(
            SettingNames.Of(arm), arm, job, trained?.Take(start) ?? start, trained, pruningSeconds));
    }

    // What trains and tests a network: the model, or the smaller one that a ticket of channels is. The two are not on the device
    // at the same time but for their parameters.
    private T On<T>(SubNetwork? network, Func<Bench, T> work)
    {
        if (network?.Channels is null)
            return work(_bench);
        _network.ReleasePlans();
        using var small = new Network(network.Graph, _network.Backend);
        return work(OpenBench(small, _files.Of(small.Graph)));
    }

    private Bench OpenBench(Network network, StageFiles files)
    {
        var trainer = new StageTrainer(files, _seed, network, _data, _progress, _cancellation)
        {
            PathOf = _configuration.PathOf,
            Watch = _watch,
        };
        var tester = new StageTester(_configuration.Evaluation, _seed, network, _data, _progress, _cancellation);
        return new Bench(network, trainer, tester, new ArmStage(files, trainer, tester, network, _seed));
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
            return new DrawnTicket(kept.Network, kept.Network.Channels is null ? kept.Initial : StartOf(donor), IsReset, record);
        }
        ResetPoint reset = ResetPoint.Parse(_configuration.Pruning.Reset);
        ModelState begin = _initial;
        PruningSettings pruning = _configuration.Pruning;
        SubNetwork? network = null;
        PruningReport? report = null;
        TestResult? test = null;
        SubNetworkOptions[] rounds = [.. pruning.OptionsByRound()];
        var history = new List<EpochRecord>();
        var warnings = new List<string>();
        int? earlyBirdEpoch = null;
        double seconds = 0;
        for (int round = 1; round <= pruning.Rounds; round++)
        {
            string stage = StageOf(donor, round);
            SubNetwork? before = network;
            SubNetworkResult Draw(ModelState trained) => SubNetworkPruner.Draw(
                _network.Graph, trained, rounds[round - 1], before);
            NetworkGraph graph = before?.Graph ?? _network.Graph;
            EarlyBird? earlyBird = pruning.EarlyBird is { } distance
                ? new EarlyBird(weights => Draw(weights).Network.MaskWithin(before), before?.Mask, graph.Table, distance)
                : null;
            TrainingJob job = Job(settings) with { Ticket = round == 1 ? null : StageOf(donor, round - 1) };
            IEpochRule? keeper = round == 1 ? _files.KeepEpoch(donor, reset.Epoch) : null;
            TrainingState state = On(before, bench =>
            {
                TrainingState done = bench.Trainer.Train(
                    stage, job, before?.Take(begin) ?? begin, before?.TrainingMask, EpochRules.Of(keeper, earlyBird), donor);
                long start = Stopwatch.GetTimestamp();
                ModelState trained = ModelState.Capture(bench.Network.Parameters, bench.Network.Backend);
                (network, report) = Draw(trained);
                if (reset.Epoch is null)
                    begin = trained;
                else if (!reset.IsInitial && round == 1)
                    begin = Rewound(donor, reset.Epoch.Value, done, trained, warnings);
                seconds += done.TrainingSeconds + done.RuleSeconds + Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (round == pruning.Rounds)
                    test = bench.Tester.Test(donor, "last");
                return done;
            });
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
        _files.SaveTicket(donor, begin, network!, pruning);
        var drawn = new DonorRecord(
            history, test!, [.. report!.Layers.Select(layer => new LayerSparsity(layer.Name, layer.Total, layer.Kept))],
            [.. warnings, .. StageTester.Warnings(donor, "last", test!), .. report.Warnings], seconds)
        {
            EarlyBirdEpoch = earlyBirdEpoch,
        };
        AtomicFile.WriteAllText(done, RunJson.Write(drawn));
        DeleteCheckpoints(donor);
        Tell(donor, drawn);
        foreach (string warning in report.Warnings)
            _progress.Warn(warning);
        return new DrawnTicket(network!, begin, IsReset, drawn);
    }

    // Whether tickets start from what their donor started from.
    private bool IsReset => ResetPoint.Parse(_configuration.Pruning.Reset).IsInitial;

    // What tickets of channels start from, of the whole model: their files have the kept channels alone.
    private ModelState StartOf(string donor)
    {
        ResetPoint reset = ResetPoint.Parse(_configuration.Pruning.Reset);
        if (reset.IsInitial)
            return _initial;
        return reset.Epoch is { } epoch && File.Exists(_folder.EpochWeights(_seed, donor, epoch))
            ? _files.LoadEpoch(donor, epoch, _network.Graph)
            : WeightFile.Load(_folder.LastWeights(_seed, StageOf(donor, 1)), _network.Graph).State;
    }

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

    private void Tell(string donor, DonorRecord record) => _watch?.DonorDone(
        new WatchedDonor(_seed, donor, record.History, record.Test, record.Sparsity, record.Warnings));

    private void DeleteCheckpoints(string donor)
    {
        for (int round = 1; round <= _configuration.Pruning.Rounds; round++)
            _files.DeleteCheckpoint(StageOf(donor, round));
    }

    private string StageOf(string donor, int round) => StageOf(donor, round, _configuration.Pruning.Rounds);

    /// <summary>Name of a donor's training in a round of pruning.</summary>
    internal static string StageOf(string donor, int round, int rounds) => rounds == 1 ? donor : $"{donor}-{round}";

    /// <summary>What trains and tests one network.</summary>
    private sealed record Bench(Network Network, StageTrainer Trainer, StageTester Tester, ArmStage Arms);

    /// <summary>A sub-network, the weights of the model that it is trained from, whether those are what its donor began with, and
    /// how it was found.</summary>
    private sealed record DrawnTicket(SubNetwork Network, ModelState Start, bool IsReset, DonorRecord Record)
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
