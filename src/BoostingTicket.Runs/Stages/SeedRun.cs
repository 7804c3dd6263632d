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
    private const string DonorStage = "donor";
    private const string WinningDonorStage = "winning-donor";

    private readonly RunConfiguration _configuration;
    private readonly RunFolder _folder;
    private readonly ulong _seed;
    private readonly Network _network;
    private readonly IRunProgress _progress;
    private readonly RunData _data;
    private readonly CancellationToken _cancellation;
    private readonly StageFiles _files;
    private readonly Bench _bench;
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
        _files = new StageFiles(folder, seed, StageFiles.Describe(configuration, network.Graph, data.Train.Set, seed));
        _data = data;
        _cancellation = cancellation;
        _bench = OpenBench(network, _files);
        _initial = Job(configuration.Donor).DrawStart(network.Graph.Table);
    }

    public SeedResult Execute()
    {
        string done = _folder.SeedResult(_seed);
        if (File.Exists(done))
            return ReadFinished(done);
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
                Start = arm == Arm.Reinit ? TrainingStart.Redrawn : TrainingStart.Initial,
                Ticket = arm == Arm.Winning ? WinningDonorStage : DonorStage,
                Shuffled = arm == Arm.Shuffle,
            };
        ModelState start = job.Start == TrainingStart.Initial ? _initial : job.DrawStart(_network.Graph.Table);
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
        var trainer = new StageTrainer(files, _seed, network, _data, _progress, _cancellation) { PathOf = _configuration.PathOf };
        var tester = new StageTester(_configuration.Evaluation, _seed, network, _data, _progress, _cancellation);
        return new Bench(network, trainer, tester, new ArmStage(files, trainer, tester, network));
    }

    private TrainingJob Job(TrainingSettings settings) => TrainingJob.Of(_configuration, settings, _seed);

    // Iterative pruning trains, prunes and resets several times; the paper finds one round enough (Appendix B).
    private DrawnTicket DrawTicket(string donor, TrainingSettings settings)
    {
        string done = _folder.StageResult(_seed, donor);
        if (File.Exists(done))
        {
            DeleteCheckpoints(donor);
            DonorRecord record = RunJson.Read<DonorRecord>(StoredFiles.ReadText(done), done);
            return new DrawnTicket(TicketFile.Load(_folder.Ticket(_seed, donor), _network.Graph).Network, record);
        }
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
            TrainingState state = On(before, bench =>
            {
                TrainingState done = bench.Trainer.Train(
                    stage, job, before?.Take(_initial) ?? _initial, before?.TrainingMask, earlyBird);
                long start = Stopwatch.GetTimestamp();
                (network, report) = Draw(ModelState.Capture(bench.Network.Parameters, bench.Network.Backend));
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
        _files.SaveTicket(donor, _initial, network!, pruning);
        var drawn = new DonorRecord(
            history, test!, [.. report!.Layers.Select(layer => new LayerSparsity(layer.Name, layer.Total, layer.Kept))],
            [.. warnings, .. StageTester.Warnings(donor, "last", test!), .. report.Warnings], seconds)
        {
            EarlyBirdEpoch = earlyBirdEpoch,
        };
        AtomicFile.WriteAllText(done, RunJson.Write(drawn));
        DeleteCheckpoints(donor);
        foreach (string warning in report.Warnings)
            _progress.Warn(warning);
        return new DrawnTicket(network!, drawn);
    }

    private void DeleteCheckpoints(string donor)
    {
        for (int round = 1; round <= _configuration.Pruning.Rounds; round++)
            _files.DeleteCheckpoint(StageOf(donor, round));
    }

    private string StageOf(string donor, int round) =>
        _configuration.Pruning.Rounds == 1 ? donor : $"{donor}-{round}";

    /// <summary>What trains and tests one network.</summary>
    private sealed record Bench(Network Network, StageTrainer Trainer, StageTester Tester, ArmStage Arms);

    /// <summary>A sub-network and how it was found.</summary>
    private sealed record DrawnTicket(SubNetwork Network, DonorRecord Record)
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
