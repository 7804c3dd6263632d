using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>Feature maps whose channels stand or fall together. A convolution or linear layer makes channels of its own;
/// normalisations, activations and poolings pass them on one by one; a residual sum ties those of both its inputs.</summary>
/// <param name="Name">Name of the first layer that makes them.</param>
/// <param name="Channels">How many there are.</param>
/// <param name="Producers">Convolutions and linear layers whose outputs they are, in graph order.</param>
/// <param name="Normalizations">Normalisations that they pass through.</param>
/// <param name="Consumers">Convolutions and linear layers whose inputs they are.</param>
internal sealed record ChannelGroup(
    string Name, int Channels, IReadOnlyList<Node> Producers, IReadOnlyList<Node> Normalizations, IReadOnlyList<Node> Consumers)
{
    /// <summary>Whether pruning may remove channels: it may if all weights that make them are prunable.</summary>
    public bool Prunable { get; } = Producers.All(node =>
        node.Layer!.Parameters(node.Inputs[0].Shape).Any(spec => spec.Prunable));
}

/// <summary>The groups of channels of a graph that can be made narrower: all but the images and the logits.</summary>
internal sealed class ChannelGroups
{
    private readonly NetworkGraph _graph;
    private readonly int[] _groupOf;

    private ChannelGroups(NetworkGraph graph, IReadOnlyList<ChannelGroup> all, int[] groupOf) =>
        (_graph, All, _groupOf) = (graph, all, groupOf);

    /// <summary>The groups, in the order of the layers that make them.</summary>
    public IReadOnlyList<ChannelGroup> All { get; }

    /// <summary>Number of the group that a node's output belongs to; -1 for images and logits.</summary>
    public int IndexOf(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return _groupOf[node.Index];
    }

    /// <summary>Multiply-adds of one sample's forward pass with other numbers of channels; convolutions and linear layers
    /// only.</summary>
    /// <param name="widths">Channels of each group, in their order.</param>
    public long MultiplyAdds(IReadOnlyList<int> widths)
    {
        ArgumentNullException.ThrowIfNull(widths);
        long sum = 0;
        foreach (Node node in _graph.Nodes.Where(node => node.Layer is { IsConvolution: true }))
        {
            FeatureShape input = node.Inputs[0].Shape;
            int from = IndexOf(node.Inputs[0]), to = IndexOf(node);
            Layer layer = to < 0 ? node.Layer! : node.Layer!.WithOutputs(widths[to]);
            sum += layer.MultiplyAdds(from < 0 ? input : input with { Channels = widths[from] });
        }

        return sum;
    }

    /// <summary>Finds the groups of a graph.</summary>
    public static ChannelGroups Of(NetworkGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        int[] parents = [.. Enumerable.Range(0, graph.Nodes.Count)];
        foreach (Node node in graph.Nodes.Where(node => node.Layer is { IsConvolution: false }))
        {
            foreach (Node input in node.Inputs)
                parents[Root(parents, input.Index)] = Root(parents, node.Index);
        }

        int images = Root(parents, graph.Input.Index), logits = Root(parents, graph.Output.Index);
        var numbers = new Dictionary<int, int>();
        var all = new List<ChannelGroup>();
        foreach (Node first in graph.Nodes.Where(node => node.Layer is { IsConvolution: true }))
        {
            int root = Root(parents, first.Index);
            if (root == images || root == logits || !numbers.TryAdd(root, all.Count))
                continue;
            bool Within(Node node) => Root(parents, node.Index) == root;
            all.Add(new ChannelGroup(
                first.Name, first.Shape.Channels,
                [.. graph.Nodes.Where(node => node.Layer is { IsConvolution: true } && Within(node))],
                [.. graph.Nodes.Where(node => node.Layer is BatchNormalization && Within(node))],
                [.. graph.Nodes.Where(node => node.Layer is { IsConvolution: true } && Within(node.Inputs[0]))]));
        }

        return new ChannelGroups(
            graph, all, [.. graph.Nodes.Select(node => numbers.GetValueOrDefault(Root(parents, node.Index), -1))]);
    }

    private static int Root(int[] parents, int node)
    {
        while (parents[node] != node)
            node = parents[node] = parents[parents[node]];
        return node;
    }
}
