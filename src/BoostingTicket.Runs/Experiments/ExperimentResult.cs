using System.Text.Json.Serialization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;

namespace BoostingTicket.Runs.Experiments;

/// <summary>A finished experiment.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Configuration">What was asked for.</param>
/// <param name="Environment">Device, versions and data, by name.</param>
/// <param name="Caveat">Why the numbers are not comparable with the paper's in absolute terms; null where they are.</param>
/// <param name="Rows">The paper's values, ours, and the differences.</param>
/// <param name="Figure">The figure's curves; null for a table.</param>
/// <param name="Tickets">Every ticket that was retrained, with its weight distances.</param>
/// <param name="Warnings">What the user should know.</param>
/// <param name="Trainings">Every training.</param>
internal sealed record ExperimentResult(
    string Title, ExperimentConfiguration Configuration, IReadOnlyDictionary<string, string> Environment, string? Caveat,
    IReadOnlyList<ComparedRow> Rows, FigureData? Figure, IReadOnlyList<TicketRow> Tickets, IReadOnlyList<string> Warnings,
    IReadOnlyList<TrainingRow> Trainings)
{
    /// <summary>How soon ways of training reach the full network's robustness; null where the experiment does not ask.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SpeedResult? Speed { get; init; }

    /// <summary>Name of the experiment.</summary>
    public string Experiment => Configuration.Experiment;
}

/// <summary>A number beside the paper's.</summary>
/// <param name="Item">What is measured of what.</param>
/// <param name="Measure">The measure.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Paper">The paper's value; null where it has none.</param>
/// <param name="Ours">Ours, over all seeds.</param>
internal sealed record ComparedRow(string Item, string Measure, QuantityUnit Unit, PaperValue? Paper, Spread Ours)
{
    /// <summary>Our mean minus the paper's value; null where it has none.</summary>
    public double? Difference => Ours.Mean - Paper?.Value;
}

/// <summary>A ticket, or a control with its mask, that was retrained; distances as <see cref="RelativeDistance"/> defines
/// them.</summary>
/// <param name="Training">What was retrained.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Sparsity">Share of the prunable weights that is pruned.</param>
/// <param name="StartDistance">Distance of the ticket, before it is trained, to its donor.</param>
/// <param name="DonorDistance">Distance after training to the donor.</param>
/// <param name="DenseDistance">Distance after training to the trained full network of the same model and seed; null without
/// one.</param>
internal sealed record TicketRow(
    string Training, ulong Seed, double Sparsity, double StartDistance, double DonorDistance, double? DenseDistance);

/// <summary>A training of an experiment.</summary>
/// <param name="Training">What was trained.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Folder">Its folder in the store.</param>
/// <param name="Record">How it went.</param>
internal sealed record TrainingRow(string Training, ulong Seed, string Folder, TrainingRecord Record);
