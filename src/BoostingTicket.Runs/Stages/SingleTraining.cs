using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>One training in a folder of its own, with its test: what <c>train</c> and <c>retrain</c> share.</summary>
/// <param name="configuration">Model, data, attack and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Receives progress.</param>
internal sealed class SingleTraining(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Told how the training goes; null for nobody.</summary>
    public IRunWatch? Watch { get; init; }

    /// <summary>Trains and tests.</summary>
    /// <param name="folder">Where files go; must be new unless resumed.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="stage">Name of the stage, and of the command that the folder belongs to.</param>
    /// <param name="arm">What is trained.</param>
    /// <param name="settings">The training.</param>
    /// <param name="ticket">The ticket that is trained; null for the full network from its seed's initial weights.</param>
    /// <param name="start">Weights that the full network begins from; null for drawn ones.</param>
    /// <param name="cancellation">Finishes the step and saves, then ends with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ConfigurationException">The folder is in use or holds something else, or settings cannot be
    /// used.</exception>
    public ArmResult Execute(
        string folder, bool resume, string stage, Arm arm, TrainingSettings settings, Ticket? ticket,
        StartWeights? start, CancellationToken cancellation)
    {
        configuration.Validate();
        var files = new RunFolder(folder);
        ulong seed = configuration.Seed;
        if (resume && ticket is null)
            start ??= StartWeights.Kept(files, seed);
        var owner = new RunOwner(stage, ticket is null ? null : RunOwner.HashOf(ticket), start?.Hash);
        RunEnvironment environment = RunFolderGuard.Describe(backend, data);
        var guard = new RunFolderGuard(files, configuration, owner, environment, resume);
        using RunLock? found = guard.LockExisting();
        NetworkGraph graph = ticket?.Network.Graph ?? start?.Build(configuration, data)
            ?? TicketRun.BuildModel(configuration, data);
        using var images = new RunData(data, configuration.Data, backend);
        BatchChecks.RequireBatches(
            settings, configuration.PathOf(settings) + "batchSize", graph,
            images.TrainCount - configuration.Data.ValidationSamples);
        RunChecks.RequireReplicas(settings, configuration.PathOf(settings), backend);
        using var network = new Network(graph, backend);
        RunMemory.Require(configuration, [settings], network, images, progress);
        using RunLock? created = found is null ? RunLock.Acquire(files.Root) : null;
        guard.Claim(progress);
        StoredFiles.CreateFolder(files.Seed(seed));
        TrainingJob job = TrainingJob.Of(configuration, settings, seed);
        if (ticket is not null)
            job = job with { Start = TrainingStart.Given, Ticket = owner.Ticket };
        else if (start is not null)
            job = job with { Start = TrainingStart.Given };
        ModelState initial = ticket?.Initial ?? start?.For(graph) ?? job.DrawStart(graph.Table);
        var kept = new StageFiles(files, seed, StageFiles.Describe(configuration, graph, data.Train, seed, start), owner);
        kept.KeepInitial(initial);
        var forecast = new ForecastProgress(
            progress, RunForecast.Of(configuration, settings, stage, images, graph));
        var trainer = new StageTrainer(kept, seed, network, images, forecast, cancellation)
        {
            PathOf = configuration.PathOf,
            Watch = Watch,
        };
        var tester = new StageTester(configuration.Evaluation, seed, network, images, forecast, cancellation);
        Watch?.Begin(new WatchedRun(
            files, configuration, RunJson.Hash(configuration), environment, () => forecast.SecondsLeft, progress)
        {
            Single = arm,
        });
        try
        {
            ArmResult result = new ArmStage(kept, trainer, tester, network, seed).Execute(
                stage, arm, job, initial, ticket?.Network, pruningSeconds: 0);
            AtomicFile.WriteAllText(files.Result, RunJson.Write(result));
            return result;
        }
        catch (Exception error)
        {
            Watch?.Ended(error);
            throw;
        }
    }
}
