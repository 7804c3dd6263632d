using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>The training of a ticket alone: the command <c>retrain</c>. It leaves the same files in its folder as a run's
/// stage does.</summary>
/// <param name="configuration">Model, data, attack, training and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Told how it goes.</param>
internal sealed class TicketTraining(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Told how the training goes, to show it while it goes; null for nobody.</summary>
    public IRunWatch? Watch { get; init; }

    /// <summary>Name of the stage that it leaves in its folder.</summary>
    public const string Stage = "retrain";

    /// <summary>Trains a ticket, or initial weights under a mask of their own, by the configuration's <c>retrain</c> settings and
    /// tests it.</summary>
    /// <param name="ticketPath">A ticket file: initial weights and mask. With a mask of its own, a weights file.</param>
    /// <param name="maskPath">A mask file; null for the ticket's mask.</param>
    /// <param name="folder">Where files go; must be new unless resumed.</param>
    /// <param name="resume">Continue what the folder holds.</param>
    /// <param name="cancellation">Finishes the step and saves, then ends with <see cref="OperationCanceledException"/>.</param>
    /// <param name="start">Weights to begin from in place of the ticket's own; null for those.</param>
    /// <exception cref="DamagedFileException">The ticket is damaged or of another model.</exception>
    public ArmResult Execute(
        string ticketPath, string? maskPath, string folder, bool resume, CancellationToken cancellation,
        StartWeights? start = null)
    {
        NetworkGraph graph = start?.Build(configuration, data) ?? TicketRun.BuildModel(configuration, data);
        Ticket ticket = maskPath is null
            ? TicketFile.Load(ticketPath, graph, progress.Note)
            : Combine(ticketPath, maskPath, graph);
        if (start is not null)
            ticket = ticket with { Initial = ticket.Network.Take(start.For(graph)) };
        ticket.Mask.RequireSomeKept($"The mask of {maskPath ?? ticketPath}", "another one");
        // A layer may be cut on purpose, where a shortcut leads around it; nobody should find out after the training.
        foreach (string warning in PruningReport.Describe(ticket.Mask, minimumKept: 0).Warnings)
            progress.Warn(warning);
        return new SingleTraining(configuration, backend, data, progress) { Watch = Watch }.Execute(
            folder, resume, Stage, Arm.Ticket, configuration.Retrain, ticket, start, cancellation);
    }

    // Weights may be those of the model, of which the mask's channels are taken, or of the mask's own network.
    private Ticket Combine(string weightsPath, string maskPath, NetworkGraph graph)
    {
        SubNetwork network = MaskFile.LoadNetwork(maskPath, graph, progress.Note).Network;
        NetworkGraph given = WeightFile.GraphOf(weightsPath, graph);
        bool whole = given.Channels is null;
        ModelState state = WeightFile.Load(weightsPath, whole ? graph : network.Graph, progress.Note).State;
        return new Ticket(whole ? network.Take(state) : state, network, null);
    }
}
