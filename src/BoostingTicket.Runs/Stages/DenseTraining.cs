using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>The training of a full network alone, such as a donor or a baseline: the command <c>train</c>. It leaves the
/// same files in its folder as a run's stage does.</summary>
/// <param name="configuration">Model, data, attack, training and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Told how it goes.</param>
internal sealed class DenseTraining(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Told how the training goes, to show it while it goes; null for nobody.</summary>
    public IRunWatch? Watch { get; init; }

    /// <summary>Name of the stage that it leaves in its folder.</summary>
    public const string Stage = "train";

    /// <summary>Trains the full network from its seed's initial weights, or from given ones, by the configuration's <c>dense</c>
    /// settings, and tests it. Leaves initial, last and best weights in the folder.</summary>
    /// <param name="folder">Where files go; must be new unless resumed.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="cancellation">Finishes the step and saves, then ends with <see cref="OperationCanceledException"/>.</param>
    /// <param name="start">Weights to begin from; null for drawn ones, or, where a folder is resumed, for its own.</param>
    public ArmResult Execute(string folder, bool resume, CancellationToken cancellation, StartWeights? start = null) =>
        new SingleTraining(configuration, backend, data, progress) { Watch = Watch }.Execute(
            folder, resume, Stage, Arm.Dense, configuration.Dense, ticket: null, start, cancellation);
}
