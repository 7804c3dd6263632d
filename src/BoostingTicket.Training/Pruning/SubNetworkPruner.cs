using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>What of a model is pruned, and how much.</summary>
/// <param name="Structure">Weights, channels, or both.</param>
/// <param name="Scope">What competes; a name of <see cref="PrunerCatalog.Names"/>.</param>
/// <param name="Weights">How many weights: of those that the channels leave.</param>
/// <param name="ChannelRatio">Multiply-adds that channels remove, out of all of the model's.</param>
/// <param name="Criterion">What channels compete by.</param>
/// <param name="Multiple">What numbers of channels are multiples of.</param>
internal sealed record SubNetworkOptions(
    TicketStructure Structure, string Scope, PruningOptions Weights, double ChannelRatio, ChannelCriterion Criterion,
    int Multiple = ChannelOptions.UsualMultiple)
{
    /// <summary>Multiply-adds that channels remove where single weights go too and nothing else is said.</summary>
    public const double UsualChannelRatio = 0.5;

    /// <summary>Options by the names of structure and scope.</summary>
    /// <param name="structure">A name of <see cref="TicketStructure.All"/>.</param>
    /// <param name="scope">A name of <see cref="PrunerCatalog.Names"/>.</param>
    /// <param name="weights">How many weights. Where only channels go, its ratio is of multiply-adds.</param>
    /// <param name="channelRatio">Multiply-adds that channels remove where single weights go too; null for
    /// <see cref="UsualChannelRatio"/>.</param>
    /// <exception cref="ConfigurationException">There is no such structure.</exception>
    public static SubNetworkOptions Of(
        string structure, string scope, PruningOptions weights, double? channelRatio = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        TicketStructure found = TicketStructure.Find(structure);
        return new SubNetworkOptions(
            found, scope, weights, found.Weights ? channelRatio ?? UsualChannelRatio : weights.Ratio, default);
    }
}

/// <summary>A sub-network that was drawn.</summary>
/// <param name="Network">The sub-network.</param>
/// <param name="Report">What it leaves of the model, layer by layer.</param>
internal sealed record SubNetworkResult(SubNetwork Network, PruningReport Report);

/// <summary>Draws sub-networks of any structure.</summary>
internal static class SubNetworkPruner
{
    /// <summary>Draws a sub-network from trained values. The same input always gives the same one.</summary>
    /// <param name="full">The model.</param>
    /// <param name="trained">Trained values of what is left of it so far; not changed.</param>
    /// <param name="options">What is pruned, and how much.</param>
    /// <param name="current">What is left of it so far, the rest of which stays pruned; null for all.</param>
    /// <exception cref="ConfigurationException">A ratio is out of range, or cannot be reached.</exception>
    /// <exception cref="DivergedException">A value is not a finite number.</exception>
    /// <exception cref="ArgumentException">The values are another network's.</exception>
    public static SubNetworkResult Draw(
        NetworkGraph full, ModelState trained, SubNetworkOptions options, SubNetwork? current = null)
    {
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(trained);
        ArgumentNullException.ThrowIfNull(options);
        IPruner pruner = PrunerCatalog.Find(options.Scope);
        if (!options.Structure.Channels)
        {
            PruningResult pruned = pruner.Prune(trained, options.Weights, current?.Mask);
            return new SubNetworkResult(new SubNetwork(full, pruned.Mask), pruned.Report);
        }

        ChannelSelection chosen = ChannelPruner.Select(
            current?.Graph ?? full, trained,
            new ChannelOptions(
                options.ChannelRatio, options.Scope, options.Criterion, options.Weights.MinimumKept, options.Weights.CostExponent)
            {
                Multiple = options.Multiple,
            },
            full.MultiplyAdds);
        ChannelSelection channels = current?.Channels?.Then(chosen) ?? chosen;
        ModelState small = chosen.Take(trained);
        Mask mask = options.Structure.Weights
            ? pruner.Prune(small, options.Weights, current is null ? null : chosen.Narrow(current.Mask)).Mask
            : current is null ? Mask.Dense(small.Table) : chosen.Narrow(current.Mask);
        // The small network was built twice where there were rounds, with the same shapes.
        var network = new SubNetwork(full, Mask.FromValues(channels.Graph.Table, mask.Values), channels);
        PruningReport report = PruningReport.Describe(
            network.FullMask, current?.Channels is null ? trained : null, options.Weights.MinimumKept);
        // Layers that are not pruned lose the inputs that nothing makes any more.
        return new SubNetworkResult(network, report with { KeptMultiplyAdds = network.MultiplyAdds });
    }
}
