using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>What tells important channels from others.</summary>
internal enum ChannelCriterion
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
/// <param name="CostExponent">With the scope <c>cost</c>: importance is divided by the multiply-adds that a channel accounts for,
/// to this power.</param>
internal sealed record ChannelOptions(
    double Ratio, string Scope, ChannelCriterion Criterion = ChannelCriterion.Norm, int MinimumKept = 1,
    double CostExponent = PruningOptions.UsualCostExponent)
{
    /// <summary>The default of <see cref="Multiple"/>: kernels of processors compute four channels at a time, and GPUs pad to as
    /// many float32 values.</summary>
    public const int UsualMultiple = 4;

    /// <summary>The number of channels that a group keeps is a multiple of this, or all of them.</summary>
    public int Multiple { get; init; } = UsualMultiple;
}

/// <summary>Chooses the channels that a trained model keeps: removes the least important ones until a share of its multiply-adds
/// is gone. Multiply-adds are what step times follow and what users of structured pruning ask for (AMD Vitis AI's and NNCF's
/// ratios are of FLOPs, Torch-Pruning's results speed-ups in multiply-adds); channels or weights would mean different savings in
/// every model. Channels are whole, so that slightly more is removed than asked for, never less.</summary>
internal static class ChannelPruner
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
        int[][] ascending = [.. groups.All.Select(group => group.Prunable
            ? ChannelImportance.Ascending(ChannelImportance.Of(group, trained, options.Criterion))
            : [])];
        int[] order = Order(groups, ascending, trained, options);
        long whole = multiplyAdds ?? graph.MultiplyAdds;
        double target = (1 - options.Ratio) * whole;

        int[] Widths(int removed)
        {
            int[] widths = [.. groups.All.Select(group => group.Channels)];
            foreach (int group in order.AsSpan(0, removed))
                widths[group]--;
            return [.. widths.Zip(groups.All, (width, group) => RoundUp(width, group.Channels, options.Multiple))];
        }

        // Multiply-adds never rise with one more channel gone, so that the first number that is enough can be found by halving.
        int low = 0, high = order.Length;
        if (groups.MultiplyAdds(Widths(high)) is var fewest && fewest > target)
        {
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"Channels cannot remove {options.Ratio} of the multiply-adds of {graph.Name}: at most "
                + $"{Math.Max(0, 1 - (double)fewest / whole):0.###} can go; give a smaller ratio, or a smaller "
                + $"{Setting.Named("pruning.channelMultiple")}."));
        }

        while (low < high)
        {
            int middle = low + (high - low) / 2;
            if (groups.MultiplyAdds(Widths(middle)) <= target)
                high = middle;
            else
                low = middle + 1;
        }

        return new ChannelSelection(graph, [.. Widths(low).Select((width, number) =>
            ascending[number].Length == 0
                ? Enumerable.Range(0, width).ToArray()
                : ascending[number][^width..].Order().ToArray())]);
    }

    // Of a group that keeps few channels anyway, all of them are better than none.
    private static int RoundUp(int width, int channels, int multiple) =>
        Math.Min(channels, (width + multiple - 1) / multiple * multiple);

    // The groups of the least important channels of all first, without the most important ones of each, which stay.
    private static int[] Order(ChannelGroups groups, int[][] ascending, ModelState trained, ChannelOptions options)
    {
        int least = Math.Max(1, options.MinimumKept);
        var candidates = new List<(double Importance, int Group, int Rank)>();
        foreach ((ChannelGroup group, int number) in groups.All.Select((group, number) => (group, number)))
        {
            if (!group.Prunable)
                continue;
            double[] importance = ChannelImportance.Of(group, trained, options.Criterion);
            double divisor = options.Scope == PrunerCatalog.Cost
                ? Math.Pow(ChannelImportance.MultiplyAdds(group), options.CostExponent)
                : 1;
            for (int rank = 0; rank < group.Channels - least; rank++)
            {
                double value = options.Scope == PrunerCatalog.Layerwise
                    ? (rank + 1.0) / group.Channels
                    : importance[ascending[number][rank]] / divisor;
                candidates.Add((value, number, rank));
            }
        }

        return [.. candidates.Order().Select(candidate => candidate.Group)];
    }
}
