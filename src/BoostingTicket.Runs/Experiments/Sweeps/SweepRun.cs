using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments.Sweeps;

/// <summary>A grid of settings over the parts that experiments share: what two points need alike is computed once, and what is
/// done is not done again. Killed at any instant, a sweep goes on with the same bits when it is run again.</summary>
/// <param name="options">What is swept.</param>
/// <param name="points">The points.</param>
/// <param name="root">The folder, shared with experiments and other sweeps.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set of all points.</param>
/// <param name="progress">Receives progress.</param>
internal sealed class SweepRun(
    IReadOnlyList<SweptOption> options, IReadOnlyList<SweepPoint> points, string root, IBackend backend, DataSplit data,
    IRunProgress progress)
{
    /// <summary>The command that sweeps come from, and how the names of their folders begin.</summary>
    public const string Command = "sweep";

    /// <summary>Name of the file that makes a folder a sweep's: what it was asked to do.</summary>
    public const string FileName = "sweep.json";

    private const int NameLength = 8;

    /// <summary>Where a sweep is kept.</summary>
    /// <param name="points">The points.</param>
    /// <param name="root">The folder that sweeps and experiments share.</param>
    public static ExperimentFolder FolderOf(IEnumerable<SweepPoint> points, string root)
    {
        string hash = CanonicalJson.Hash(JsonSerializer.SerializeToElement(Hashes(points), RunJson.Compact));
        return new ExperimentFolder(root, $"{Command}-{hash[..NameLength]}");
    }

    private static IReadOnlyList<string> Hashes(IEnumerable<SweepPoint> points) =>
        [.. points.Select(point => RunJson.Hash(point.Configuration))];

    /// <summary>Runs to the end.</summary>
    /// <param name="commandLine">Command that reports name.</param>
    /// <param name="cancellation">Finishes the current step and saves, then ends with
    /// <see cref="OperationCanceledException"/>.</param>
    /// <param name="share">Whether other processes do parts of it at the same time, on this machine or on others.</param>
    /// <exception cref="ConfigurationException">Settings cannot be used, or the folder is in use or a run's.</exception>
    /// <exception cref="DivergedException">A training diverged; its last checkpoint is intact.</exception>
    public SweepOutcome Execute(string commandLine, CancellationToken cancellation, bool share = false)
    {
        RunConfiguration first = points[0].Configuration;
        var grid = new SweepGrid(points, GridFingerprints.Of(data, first.Data.TestSamples, backend.Precision));
        var asked = new SweepConfiguration(options, first, Hashes(points));
        ExperimentFolder folder = FolderOf(points, root);
        folder.RequireNoRun();
        using var images = new RunData(data, first.Data, backend);
        var store = new ExperimentStore(folder.Store);
        using var context = new NodeContext(store, backend, data, images, progress, cancellation);
        Check(context);
        using RunLock taken = share ? RunLock.Share(folder.Root) : RunLock.Acquire(folder.Root);
        var schedule = new NodeSchedule(grid.Nodes, context, share ? LeaseTimes.Usual : null);
        RunEnvironment environment = RunFolderGuard.Describe(backend, data);
        schedule.Alone(folder.Own, () =>
        {
            environment.Keep(new RunFolder(folder.Own).Environment, folder.Choices, progress);
            AtomicFile.WriteAllText(SweepFile(folder), RunJson.Write(asked));
        });
        schedule.Run();
        var result = new SweepResult(
            asked, environment, [.. grid.Trials.Select(trial => Measure(trial, store))],
            [.. grid.Nodes.OfType<TrainingNode>().Select(training => new TrainingRow(
                training.Label, training.Seed, training.Name, training.Read(store)))],
            [.. Warnings(grid, store).Distinct()]);
        ConfigurationException? failure = null;
        schedule.Alone(folder.Own, () => failure = folder.Keep(
            result, () => SweepReports.Write(folder, result, commandLine)));
        return new SweepOutcome(result, folder, failure);
    }

    /// <summary>Path of that file.</summary>
    public static string SweepFile(ExperimentFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return Path.Combine(folder.Own, FileName);
    }

    private void Check(NodeContext context)
    {
        int samples = context.Images.TrainCount - points[0].Configuration.Data.ValidationSamples;
        foreach (RunConfiguration configuration in points.Select(point => point.Configuration))
        {
            var graph = context.Graph(TrainingJob.Of(configuration, configuration.Dense, configuration.Seed));
            if (configuration.Arms.Contains(Arm.Dense))
                BatchChecks.RequireBatches(configuration.Dense, "dense.batchSize", graph, samples);
            if (configuration.Arms.All(arm => arm == Arm.Dense))
                continue;
            RunChecks.RequirePrunable(configuration.Pruning, graph);
            BatchChecks.RequireBatches(configuration.Donor, "donor.batchSize", graph, samples);
            BatchChecks.RequireBatches(configuration.Retrain, "retrain.batchSize", graph, samples);
        }
    }

    private static SweepRow Measure(SweepTrial trial, ExperimentStore store)
    {
        var tests = trial.Tests.Select(test => (Test: test.Read(store), test.Training)).ToList();
        var sparsity = Spread.Of([.. tests.Select(one => one.Training.Ticket?.Read(store).Sparsity ?? 0)]);
        return new SweepRow(
            trial.Point.Values, trial.Arm, sparsity.Mean,
            Spread.Of([.. tests.Select(one => one.Test.Clean)]), Spread.Of([.. tests.Select(one => one.Test.WorstCase)]),
            Spread.Of([.. tests.Select(one => one.Training.Read(store).Seconds
                + (one.Training.Ticket?.SecondsToFind(store) ?? 0))]),
            [.. tests.Select(one => one.Training.Name)])
        {
            SparsityDeviation = sparsity.Deviation,
        };
    }

    private static IEnumerable<string> Warnings(SweepGrid grid, ExperimentStore store)
    {
        IEnumerable<string> warnings = grid.Nodes.SelectMany(node => node switch
        {
            TicketNode ticket => ticket.Read(store).Warnings,
            TrainingNode training => training.Read(store).Warnings.Select(warning => $"{training.Label}: {warning}"),
            TestNode test => test.Read(store).Warnings.Select(warning => $"{test.Label}: {warning}"),
            _ => (IEnumerable<string>)[],
        });
        string? machines = DifferentMachines.Tell(
            grid.Nodes.OfType<TrainingNode>().Select(training => (training.Title, training.Read(store).Machines)));
        return machines is null ? warnings : warnings.Append(machines);
    }
}
