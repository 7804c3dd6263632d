using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>A ticket drawn from saved weights: the command <c>prune</c>.</summary>
/// <param name="configuration">Model, data and pruning.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Told how it goes.</param>
internal sealed class TicketPruning(RunConfiguration configuration, DataSplit data, IRunProgress progress)
{
    /// <summary>Draws a ticket from trained weights: prunes them by the configuration's settings and resets what is left to the
    /// initial weights. Weights that are exactly zero count as pruned already, and stay so.</summary>
    /// <param name="trainedPath">Weights of the donor after training.</param>
    /// <param name="initialPath">Weights of the donor before training.</param>
    /// <param name="ticketPath">The ticket's file, written whole or not at all.</param>
    /// <exception cref="DamagedFileException">A file is damaged or of another model.</exception>
    /// <exception cref="ConfigurationException">The ratio cannot be reached, or is less than what is pruned already.</exception>
    public PruningReport Execute(string trainedPath, string initialPath, string ticketPath)
    {
        configuration.Validate();
        NetworkGraph graph = TicketRun.BuildModel(configuration, data);
        if (WeightFile.GraphOf(trainedPath, graph).Channels is not null)
            throw new ConfigurationException(
                $"{trainedPath} is of a network that channels were pruned from already; prune the full network's weights, and "
                + $"more of "
                + $"them, with a larger {Setting.Named("pruning.ratio")}.");
        ModelState trained = WeightFile.Load(trainedPath, graph, progress.Note).State;
        ModelState initial = WeightFile.Load(initialPath, graph, progress.Note).State;
        PruningSettings settings = configuration.Pruning;
        SubNetworkResult pruned = SubNetworkPruner.Draw(
            graph, trained, settings.Options(settings.Ratio), new SubNetwork(graph, Mask.OfNonZero(trained)));
        RunChecks.RequireSomeKept(pruned.Network.Mask, settings);
        TicketFile.Save(ticketPath, initial, pruned.Network, StageFiles.OfTicket(
            StageFiles.Describe(configuration, graph, data.Train, configuration.Seed), settings));
        return pruned.Report;
    }
}
