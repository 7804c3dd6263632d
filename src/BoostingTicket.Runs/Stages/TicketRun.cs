using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>The main job (paper, section 4.3): train a donor, prune it once, reset what is left, retrain it robustly, and
/// compare with the dense baseline and the controls; for one or more seeds, in a folder from which it can be resumed after
/// any interruption.</summary>
/// <param name="configuration">What to do.</param>
/// <param name="folder">The run's folder.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Receives progress.</param>
internal sealed class TicketRun(
    RunConfiguration configuration, string folder, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>The command that a run's folder belongs to.</summary>
    internal const string Command = "run";

    private readonly RunFolder _folder = new(folder);

    /// <summary>Told how the run goes, to show it while it goes; null for nobody.</summary>
    public IRunWatch? Watch { get; init; }

    /// <summary>Runs to the end.</summary>
    /// <param name="resume">Continue what the folder holds; otherwise a folder that holds a run is refused.</param>
    /// <param name="cancellation">Finishes the current step and saves, then ends with
    /// <see cref="OperationCanceledException"/>.</param>
    /// <param name="start">Weights that donors and the dense network begin from, and that tickets are reset to; null for drawn
    /// ones, or, where a folder is resumed, for its own.</param>
    /// <exception cref="ConfigurationException">The configuration is invalid, or the folder is in use or holds another
    /// run.</exception>
    /// <exception cref="DivergedException">A training diverged; its last checkpoint is intact.</exception>
    public RunResult Execute(bool resume, CancellationToken cancellation, StartWeights? start = null)
    {
        configuration.Validate();
        if (resume)
            start ??= StartWeights.Kept(_folder, configuration.Seed);
        var owner = new RunOwner(Command) { Weights = start?.Hash };
        RunEnvironment environment = RunFolderGuard.Describe(backend, data);
        var guard = new RunFolderGuard(_folder, configuration, owner, environment, resume);
        using RunLock? found = guard.LockExisting();
        NetworkGraph graph = start?.Build(configuration, data) ?? BuildModel(configuration, data);
        using var images = new RunData(data, configuration.Data, backend);
        Check(graph, images.TrainCount - configuration.Data.ValidationSamples);
        using var network = new Network(graph, backend);

        RunMemory.Require(configuration, Trainings(), network, images, progress);

        using RunLock? created = found is null ? RunLock.Acquire(_folder.Root) : null;
        guard.Claim(progress);

        var forecast = new ForecastProgress(progress, RunForecast.Of(configuration, images, graph));
        Watch?.Begin(new WatchedRun(
            _folder, configuration, owner.Bind(RunJson.Hash(configuration)), environment, () => forecast.SecondsLeft, progress));
        try
        {
            var seeds = new List<SeedResult>();
            for (int index = 0; index < configuration.Seeds; index++)
            {
                ulong seed = configuration.Seed + (ulong)index;
                seeds.Add(new SeedRun(
                    configuration, _folder, seed, network, images, forecast, Watch, owner, start, cancellation).Execute());
            }
            var result = new RunResult(configuration, owner.Bind(RunJson.Hash(configuration)), environment, seeds);
            AtomicFile.WriteAllText(_folder.Result, RunJson.Write(result));
            return result;
        }
        catch (Exception error)
        {
            Watch?.Ended(error);
            throw;
        }
    }

    /// <summary>The network that a configuration asks for.</summary>
    /// <exception cref="ConfigurationException">There is no such model, or it does not take such images.</exception>
    public static NetworkGraph BuildModel(RunConfiguration configuration, DataSplit data)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(data);
        return BuildModel(configuration, data, configuration.Data.Normalize ? DataNormalization.For(data.Train) : null);
    }

    /// <summary>The network that a configuration asks for, behind a normalisation of its own.</summary>
    /// <exception cref="ConfigurationException">There is no such model, or it does not take such images.</exception>
    internal static NetworkGraph BuildModel(
        RunConfiguration configuration, DataSplit data, InputNormalizationConstants? normalization) =>
        BuildModel(configuration.Model, configuration.Pruning.HiddenLinear, data, normalization);

    /// <summary>The network of a training.</summary>
    /// <exception cref="ConfigurationException">There is no such model, or it does not take such images.</exception>
    internal static NetworkGraph BuildModel(TrainingJob job, DataSplit data) =>
        BuildModel(job.Model, job.HiddenLinear, data, job.Data.Normalize ? DataNormalization.For(data.Train) : null);

    private static NetworkGraph BuildModel(
        string model, bool? hiddenLinear, DataSplit data, InputNormalizationConstants? normalization)
    {
        var options = new ModelOptions(
            DeviceImages.Shape(data.Train), data.Train.Classes.Count, normalization, hiddenLinear);
        try
        {
            return ModelCatalog.Build(model, options);
        }
        catch (ArgumentException cause)
        {
            throw new ConfigurationException(
                $"The model {model} does not take images of {options.Input}: {cause.Message} Choose another "
                + $"model ({Setting.Named("model")}) or data set ({Setting.Named("data.name")}).", cause);
        }
    }

    private List<TrainingSettings> Trainings()
    {
        var trainings = new List<TrainingSettings>();
        if (configuration.Arms.Any(arm => arm != Arm.Dense))
            trainings.AddRange([configuration.Donor, configuration.Retrain]);
        if (configuration.Arms.Contains(Arm.Dense))
            trainings.Add(configuration.Dense);
        return trainings;
    }

    private void Check(NetworkGraph graph, int samples)
    {
        if (configuration.Arms.Any(arm => arm != Arm.Dense))
        {
            RunChecks.RequirePrunable(configuration.Pruning, graph);
            RunChecks.RequireEpoch(configuration.Pruning, configuration.Donor);
            BatchChecks.RequireBatches(configuration.Donor, "donor.batchSize", graph, samples);
            BatchChecks.RequireBatches(configuration.Retrain, "retrain.batchSize", graph, samples);
        }
        if (configuration.Arms.Contains(Arm.Dense))
            BatchChecks.RequireBatches(configuration.Dense, "dense.batchSize", graph, samples);
        foreach (TrainingSettings training in Trainings())
            RunChecks.RequireReplicas(training, configuration.PathOf(training), backend);
    }
}
