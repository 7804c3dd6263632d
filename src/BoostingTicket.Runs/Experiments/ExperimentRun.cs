using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Planning;
using BoostingTicket.Runs.Experiments.Reports;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>An experiment from its declaration to its tables: does the pieces of work that its folder does not hold yet, seed by
/// seed, and measures. Killed at any instant, it goes on with the same bits when it is run again.</summary>
/// <param name="configuration">What to do.</param>
/// <param name="root">The folder, shared with other experiments.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Receives progress.</param>
internal sealed class ExperimentRun(
    ExperimentConfiguration configuration, string root, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>The command that files of experiments say they come from.</summary>
    public const string Command = "experiment";

    /// <summary>Whether a folder holds an experiment that was started with these settings.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="root">The folder that experiments share.</param>
    public static bool Holds(ExperimentConfiguration configuration, string root)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return ExperimentGuard.Holds(new ExperimentFolder(root, configuration.Experiment), configuration);
    }

    /// <summary>Opens the device in another number format beside the one that is in use, or says why not, as part of a sentence;
    /// null where nothing can.</summary>
    public Func<Precision, (IBackend? Backend, string? Lacking)>? OpenBeside { get; init; }

    private readonly IExperiment _experiment = ExperimentCatalog.Find(configuration.Experiment);
    private readonly ExperimentFolder _folder = new(root, configuration.Experiment);
    private readonly RunEnvironment _environment = RunFolderGuard.Describe(backend, data);

    /// <summary>Lists the pieces of work and estimates their times from steps measured on the device. Writes nothing.</summary>
    /// <param name="cancellation">Ends the measurement between steps.</param>
    /// <exception cref="ConfigurationException">Settings cannot be used, or the folder belongs to something else.</exception>
    public ExperimentPlan Plan(CancellationToken cancellation)
    {
        using BesideDevice beside = OpenOther();
        ExperimentGrid grid = Declare(beside);
        new ExperimentGuard(_folder, configuration, _environment).Require();
        using var images = new RunData(data, configuration.Base.Data, backend);
        using var context = new NodeContext(
            new ExperimentStore(_folder.Store), backend, data, images, progress, cancellation, beside.Device);
        Check(grid, context);
        return new StepTimer(context).Plan(configuration, grid);
    }

    /// <summary>Runs to the end.</summary>
    /// <param name="commandLine">Command that reports name.</param>
    /// <param name="figures">Draws the figure; null to leave it at its numbers.</param>
    /// <param name="cancellation">Finishes the current step and saves, then ends with
    /// <see cref="OperationCanceledException"/>.</param>
    /// <param name="share">Whether other processes do parts of it at the same time, on this machine or on others.</param>
    /// <exception cref="ConfigurationException">Settings cannot be used, or the folder is in use or belongs to something
    /// else.</exception>
    /// <exception cref="DivergedException">A training diverged; its last checkpoint is intact.</exception>
    public ExperimentOutcome Execute(
        string commandLine, IFigureWriter? figures, CancellationToken cancellation, bool share = false)
    {
        using BesideDevice beside = OpenOther();
        ExperimentGrid grid = Declare(beside);
        var guard = new ExperimentGuard(_folder, configuration, _environment);
        // Refused before the folder is made, and before the work begins.
        guard.Require();
        CourseFile.ReadAll(_folder.OtherCourses);
        using var images = new RunData(data, configuration.Base.Data, backend);
        var store = new ExperimentStore(_folder.Store);
        using var context = new NodeContext(store, backend, data, images, progress, cancellation, beside.Device);
        Check(grid, context);
        using RunLock taken = share ? RunLock.Share(_folder.Root) : RunLock.Acquire(_folder.Root);
        var schedule = new NodeSchedule(grid.Nodes, context, share ? LeaseTimes.Usual : null);
        schedule.Alone(_folder.Own, () => guard.Claim(progress, beside.Device?.Backend.Choices));
        schedule.Run();
        ExperimentResult result = ExperimentMeasurement.Measure(
            _experiment, configuration, grid, context, _environment, CourseFile.ReadAll(_folder.OtherCourses, grid.Warn));
        ConfigurationException? failure = null;
        schedule.Alone(_folder.Own, () => failure = _folder.Keep(
            result, () => ExperimentReports.Write(_folder, result, commandLine, figures)));
        return new ExperimentOutcome(result, failure);
    }

    private BesideDevice OpenOther()
    {
        if (_experiment.Beside(configuration) is not { } precision)
            return new BesideDevice(null, null);
        if (precision == backend.Precision)
            return new BesideDevice(null, "all of the experiment computes in that number format");
        (IBackend? other, string? lacking) = OpenBeside?.Invoke(precision) ?? (null, "no such device was opened");
        return new BesideDevice(
            other is null ? null : new NodeDevice(other, new RunData(data, configuration.Base.Data, other)), lacking);
    }

    private ExperimentGrid Declare(BesideDevice beside)
    {
        configuration.Validate();
        var fingerprints = GridFingerprints.Of(
            data, configuration.Base.Data.TestSamples, backend.Precision, beside.Device?.Backend.Precision);
        if (beside.Lacking is { } lacking)
            fingerprints = fingerprints with { BesideLacks = lacking };
        var grid = new ExperimentGrid(configuration, _experiment.LongestEpochs, fingerprints);
        _experiment.Declare(grid);
        if (configuration.Width is not null && configuration.Model is null && !grid.UsesWidth)
            throw new ConfigurationException(
                $"{Setting.Named("width")} does not apply to {configuration.Experiment}, whose network has no single width; name "
                + $"one "
                + $"with {Setting.Named("model")}, such as lenet-8-16-64.");
        if (configuration.Width is not null && configuration.Model is not null)
            throw new ConfigurationException(
                $"{Setting.Named("width")} and {Setting.Named("model")} contradict each other; give {Setting.Named("model")} "
                + $"alone, with the "
                + "width in its name.");
        return grid;
    }

    // A device that is open for this work alone, or why there is none.
    private sealed record BesideDevice(NodeDevice? Device, string? Lacking) : IDisposable
    {
        public void Dispose()
        {
            Device?.Images.Dispose();
            Device?.Backend.Dispose();
        }
    }

    private static void Check(ExperimentGrid grid, NodeContext context)
    {
        int samples = context.Images.TrainCount - grid.Base.Data.ValidationSamples;
        foreach (TrainingNode training in grid.Nodes.OfType<TrainingNode>().DistinctBy(node => (
            node.Job.Model, node.Settings.BatchSize)))
            BatchChecks.RequireBatches(training.Settings, "retrain.batchSize", context.Graph(training.Job), samples);
        foreach (TicketNode ticket in grid.Nodes.OfType<TicketNode>().DistinctBy(node => (
            node.Donor.Job.Model, node.Settings.Ratio)))
        {
            NetworkGraph graph = context.Graph(ticket.Donor.Job);
            RunChecks.RequirePrunable(ticket.Settings, graph);
        }
    }
}
