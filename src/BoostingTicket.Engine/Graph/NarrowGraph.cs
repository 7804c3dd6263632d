using System.Globalization;

namespace BoostingTicket.Engine.Graph;

/// <summary>Builds graphs again with fewer channels.</summary>
internal static class NarrowGraph
{
    /// <summary>A graph with the same layers in the same order, but with its own number of channels in each group.</summary>
    /// <param name="graph">A graph.</param>
    /// <param name="widths">Channels of each of its <see cref="ChannelGroups"/>, in their order; at least 1, at most as many as
    /// there are.</param>
    /// <exception cref="ArgumentException">There are more or fewer groups, or a number is out of range.</exception>
    public static NetworkGraph Narrow(this NetworkGraph graph, IReadOnlyList<int> widths)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(widths);
        ChannelGroups groups = ChannelGroups.Of(graph);
        if (widths.Count != groups.All.Count)
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"it has {groups.All.Count} groups of channels, not {widths.Count}."));
        foreach ((ChannelGroup group, int width) in groups.All.Zip(widths))
        {
            if (width < 1 || width > group.Channels)
                throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture, $"{group.Name} has {group.Channels} channels and cannot have {width}."));
        }

        if (groups.All.Zip(widths).All(pair => pair.First.Channels == pair.Second))
            return graph;
        var builder = new GraphBuilder(graph.Name, graph.Input.Shape);
        Node[] built = new Node[graph.Nodes.Count];
        built[graph.Input.Index] = builder.Input;
        foreach (Node node in graph.Nodes.Skip(1))
        {
            int group = groups.IndexOf(node);
            Layer layer = group < 0 ? node.Layer! : node.Layer!.WithOutputs(widths[group]);
            built[node.Index] = builder.Add(node.Name, layer, [.. node.Inputs.Select(input => built[input.Index])]);
        }

        return builder.Build(built[graph.Output.Index], [.. widths]);
    }
}
