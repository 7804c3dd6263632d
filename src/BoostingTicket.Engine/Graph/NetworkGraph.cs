using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>A layer at its place in a graph.</summary>
internal sealed class Node
{
    private readonly List<Node> _consumers = [];

    internal Node(int index, string name, Layer? layer, IReadOnlyList<Node> inputs, FeatureShape shape)
    {
        Index = index;
        Name = name;
        Layer = layer;
        Inputs = inputs;
        Shape = shape;
        foreach (Node input in inputs)
            input._consumers.Add(this);
    }

    /// <summary>Position in the graph's order; inputs come before their consumers.</summary>
    public int Index { get; }

    /// <summary>Name in the graph; parameters are named <c>Name.weight</c> and so on. Unique where the layer has any.</summary>
    public string Name { get; }

    /// <summary>The layer; null for the graph's input.</summary>
    public Layer? Layer { get; }

    /// <summary>Where the layer's inputs come from.</summary>
    public IReadOnlyList<Node> Inputs { get; }

    /// <summary>Shape of one sample's output.</summary>
    public FeatureShape Shape { get; }

    /// <summary>Nodes that take this one's output.</summary>
    public IReadOnlyList<Node> Consumers => _consumers;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Layer?.GetType().Name ?? "input"}, {Shape})";
}

/// <summary>A network: layers in topological order from one input to one output (the logits). Immutable once built; see
/// <see cref="GraphBuilder"/>.</summary>
internal sealed class NetworkGraph
{
    internal NetworkGraph(string name, IReadOnlyList<Node> nodes, Node output, IReadOnlyList<int>? channels)
    {
        Name = name;
        Nodes = nodes;
        Output = output;
        Channels = channels;
        Table = new ParameterTable(nodes);
    }

    /// <summary>Name of the model.</summary>
    public string Name { get; }

    /// <summary>Channels of each of its <see cref="ChannelGroups"/>, where it was made narrower than its model; else
    /// null.</summary>
    public IReadOnlyList<int>? Channels { get; }

    /// <summary>All nodes; the input first.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>The node of the images.</summary>
    public Node Input => Nodes[0];

    /// <summary>The node of the logits.</summary>
    public Node Output { get; }

    /// <summary>Classes.</summary>
    public int Classes => Output.Shape.Length;

    /// <summary>Parameters and statistics of all layers.</summary>
    public ParameterTable Table { get; }

    /// <summary>Multiply-adds of one sample's forward pass; convolutions and linear layers only.</summary>
    public long MultiplyAdds => Nodes.Sum(node => node.Layer?.MultiplyAdds(node.Inputs[0].Shape) ?? 0);
}
