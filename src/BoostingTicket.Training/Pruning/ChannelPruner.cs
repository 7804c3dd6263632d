using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>What tells important channels from others.</summary>
public enum ChannelCriterion
{
    /// <summary>The L2 norm of their filters (Li et al., "Pruning filters for efficient convnets", 2017, with the L1 norm), in
    /// units of the layer's mean, so that layers of different size can be compared; the mean over tied layers.</summary>
    Norm,

    /// <summary>|γ| of their normalisation (Liu et al., "Learning efficient convolutional networks through network slimming",
    /// 2017); the mean over all that they pass through.</summary>
    Gamma,
}

/// <summary>How channels are chosen.</summary>
/// <param name="Ratio">Multiply-adds that are removed at least, out of all of the model's forward pass; in [0, 1).</param>
/// <param name="Scope">Which channels compete; a name of <see cref="PrunerCatalog.Names"/>.</param>
/// <param name="Criterion">What they compete by.</param>
/// <param name="MinimumKept">Channels that every group keeps at least; 0 counts as 1.</param>
/// <param name="CostExponent">With the scope <c>cost</c>: importance is divided by the multiply-adds that a channel accounts for, to
/// this power.</param>
public sealed record ChannelOptions(
    double Ratio, string Scope, ChannelCriterion Criterion = ChannelCriterion.Norm, int MinimumKept = 1,
    double CostExponent = PruningOptions.UsualCostExponent);

/// <summary>Chooses the channels that a trained model keeps: removes the least important ones until a share of its multiply-adds
/// is gone. Multiply-adds are what step times follow and what users of structured pruning ask for (AMD Vitis AI's and NNCF's
/// ratios are of FLOPs, Torch-Pruning's results speed-ups in multiply-adds); channels or weights would mean different savings in
/// every model. Channels are whole, so that slightly more is removed than asked for, never less.</summary>
public static class ChannelPruner
{
    /// <summary>Chooses. The same input always gives the same channels; of equally important ones, those of earlier groups and
    /// with smaller numbers go first.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="trained">Its trained values; not changed.</param>
    /// <param name="options">How much, and by what.</param>
    /// <param name="multiplyAdds">Multiply-adds that the ratio is of; null for the network's own.</param>
    /// <exception cref="ConfigurationException">The ratio cannot be reached, or there is no γ to choose by.</exception>
    /// <exception cref="DivergedException">A value is not a finite number.</exception>
    public static ChannelSelection Select(
        NetworkGraph graph, ModelState trained, ChannelOptions options, long? multiplyAdds = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(trained);
        ArgumentNullException.ThrowIfNull(options);
        MagnitudePruner.RequireFinite(trained);
        ChannelGroups groups = ChannelGroups.Of(graph);
        int[] full = [.. groups.All.Select(group => group.Channels)];
        int least = Math.Max(1, options.MinimumKept);
        (int Group, int Channel)[] order = Order(groups, trained, options, least);
        double target = (1 - options.Ratio) * (multiplyAdds ?? graph.MultiplyAdds);

        int[] Widths(int removed)
        {
            int[] widths = [.. full];
            foreach ((int group, _) in order.AsSpan(0, removed))
                widths[group]--;
            return widths;
        }

        // Multiply-adds fall with each channel, so that the first number that is enough can be found by halving.
        int low = 0, high = order.Length;
        if (groups.MultiplyAdds(Widths(high)) is var fewest && fewest > target)
        {
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"Channels cannot remove {options.Ratio} of the multiply-adds of {graph.Name}: with at least {least} kept in each "
                + $"layer, at most {1 - (double)fewest / (multiplyAdds ?? graph.MultiplyAdds):0.###} can go; give a smaller ratio."));
        }

        while (low < high)
        {
            int middle = low + (high - low) / 2;
            if (groups.MultiplyAdds(Widths(middle)) <= target)
                high = middle;
            else
                low = middle + 1;
        }

        HashSet<(int, int)> gone = [.. order[..low]];
        return new ChannelSelection(graph, [.. full.Select((channels, group) =>
            Enumerable.Range(0, channels).Where(channel => !gone.Contains((group, channel))).ToArray())]);
    }

    // The least important channels of all groups first, without the most important ones of each, which stay.
    private static (int Group, int Channel)[] Order(
        ChannelGroups groups, ModelState trained, ChannelOptions options, int least)
    {
        var candidates = new List<(double Importance, int Group, int Channel)>();
        foreach ((ChannelGroup group, int number) in groups.All.Select((group, number) => (group, number)))
        {
            if (!group.Prunable)
                continue;
            double[] importance = ChannelImportance.Of(group, trained, options.Criterion);
            int[] ascending = [.. Enumerable.Range(0, group.Channels).OrderBy(channel => importance[channel])];
            double divisor = options.Scope == PrunerCatalog.Cost
                ? Math.Pow(ChannelImportance.MultiplyAdds(group), options.CostExponent)
                : 1;
            for (int rank = 0; rank < ascending.Length - least; rank++)
            {
                double value = options.Scope == PrunerCatalog.Layerwise
                    ? (rank + 1.0) / group.Channels
                    : importance[ascending[rank]] / divisor;
                candidates.Add((value, number, ascending[rank]));
            }
        }

        return [.. candidates.Order().Select(candidate => (candidate.Group, candidate.Channel))];
    }
}
