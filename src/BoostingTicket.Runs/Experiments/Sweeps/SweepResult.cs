using System.Text.Json.Serialization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Experiments.Sweeps;

/// <summary>What a sweep is asked to do; written into its folder.</summary>
/// <param name="Options">What is swept.</param>
/// <param name="Base">The settings of the first point, with which the others share all that is not swept.</param>
/// <param name="Points">Hash of each point's settings.</param>
internal sealed record SweepConfiguration(
    IReadOnlyList<SweptOption> Options, RunConfiguration Base, IReadOnlyList<string> Points);

/// <summary>A finished sweep.</summary>
/// <param name="Configuration">What was asked for.</param>
/// <param name="Environment">Device, versions and data, by name.</param>
/// <param name="Rows">An arm of a point each.</param>
/// <param name="Trainings">Every training.</param>
/// <param name="Warnings">What the user should know.</param>
internal sealed record SweepResult(
    SweepConfiguration Configuration, IReadOnlyDictionary<string, string> Environment, IReadOnlyList<SweepRow> Rows,
    IReadOnlyList<TrainingRow> Trainings, IReadOnlyList<string> Warnings);

/// <summary>An arm of a point of a sweep.</summary>
/// <param name="Values">The values of the swept options.</param>
/// <param name="Arm">The arm.</param>
/// <param name="Sparsity">Share of the prunable weights that is pruned, mean of the seeds.</param>
/// <param name="Clean">Clean test accuracy in [0, 1] of the weights that were best on validation.</param>
/// <param name="Robust">Their accuracy under PGD of the evaluation.</param>
/// <param name="Seconds">Seconds to find and train the network, without validation.</param>
/// <param name="Folders">Folder of its training in the store, seed by seed.</param>
internal sealed record SweepRow(
    IReadOnlyList<string> Values, Arm Arm, double Sparsity, Spread Clean, Spread Robust, Spread Seconds,
    IReadOnlyList<string> Folders)
{
    /// <summary>Standard deviation of the sparsity; 0 for a single seed, and in what earlier versions kept.</summary>
    public double SparsityDeviation { get; init; }

    /// <summary>The sparsity over all seeds.</summary>
    [JsonIgnore]
    public Spread Pruned => new(Sparsity, SparsityDeviation, Clean.Count);
}

/// <summary>What a sweep came to.</summary>
/// <param name="Result">Its result, which its folder keeps.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="ReportFailure">Why a report could not be written; null where all are.</param>
internal sealed record SweepOutcome(SweepResult Result, ExperimentFolder Folder, ConfigurationException? ReportFailure);
