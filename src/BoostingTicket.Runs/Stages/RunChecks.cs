using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>Finds before the work begins what would otherwise fail after hours: checks that need the model as well as the
/// settings.</summary>
internal static class RunChecks
{
    /// <summary>Makes sure that the ratio of pruning can be reached in the model.</summary>
    /// <exception cref="ConfigurationException">It cannot.</exception>
    public static void RequirePrunable(PruningSettings settings, NetworkGraph graph)
    {
        // How many weights and channels may go depends on their number alone, not on their values.
        RequireSomeKept(
            SubNetworkPruner.Draw(graph, new ModelState(graph.Table), settings.Options(settings.Ratio)).Network.Mask, settings);
    }

    /// <summary>Makes sure that donors train up to the epoch that tickets are reset to.</summary>
    /// <exception cref="ConfigurationException">They do not.</exception>
    public static void RequireEpoch(PruningSettings settings, TrainingSettings donor)
    {
        int epochs = TrainingMethodCatalog.EpochsOf(donor);
        if (ResetPoint.Parse(settings.Reset).Epoch is { } epoch && epoch > epochs)
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Setting.Named("pruning.reset")} is {epoch}, but the donor trains for {epochs} epochs; give one of them, "
                + $"{ResetPoint.Initial} or {ResetPoint.None}."));
    }

    /// <summary>Makes sure that a mask that was drawn leaves something to train.</summary>
    /// <exception cref="ConfigurationException">It keeps nothing.</exception>
    public static void RequireSomeKept(Mask mask, PruningSettings settings) => mask.RequireSomeKept(
        FormattableString.Invariant($"A pruning ratio of {settings.Ratio}"),
        $"a smaller {Setting.Named("pruning.ratio")}, or {Setting.Named("pruning.minimumKept")} 1");

    /// <summary>Makes sure that the processes that compute with a device can share a training.</summary>
    /// <param name="settings">A training.</param>
    /// <param name="path">Path of its settings, with a dot behind.</param>
    /// <param name="backend">The device.</param>
    /// <exception cref="ConfigurationException">There are more of them than replicas.</exception>
    public static void RequireReplicas(TrainingSettings settings, string path, IBackend backend)
    {
        if (settings.Epochs == 0 || RankTeam.Of(backend) is not { } team || team.Group.Count <= settings.Replicas)
            return;
        throw new ConfigurationException(string.Create(
            CultureInfo.InvariantCulture,
            $"{team.Group.Count} processes cannot share {settings.Replicas} replica{(settings.Replicas == 1 ? "" : "s")} of a "
            + $"batch, "
            + $"since each computes at least one; give {Setting.Named($"{path}replicas")} {team.Group.Count} or more, or start "
            + $"{settings.Replicas} process{(settings.Replicas == 1 ? "" : "es")}."));
    }
}
