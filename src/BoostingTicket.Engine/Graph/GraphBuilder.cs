using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>Builds a <see cref="NetworkGraph"/> node by node. Nodes are lowered in the order in which they are added, so a
/// shortcut that a sum takes should be added before the last layer of the branch that ends in the sum: the sum is then
/// fused into that layer.</summary>
internal sealed class GraphBuilder
{
    private readonly string _model;
    private readonly List<Node> _nodes = [];

    /// <summary>Starts a graph with its input.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="input">Shape of one image.</param>
    public GraphBuilder(string model, FeatureShape input)
    {
        _model = model;
        Input = new Node(0, "input", null, [], input);
        _nodes.Add(Input);
    }

    /// <summary>The images.</summary>
    public Node Input { get; }

    /// <summary>Adds any layer.</summary>
    /// <exception cref="ArgumentException">The inputs do not fit the layer, or the name is taken.</exception>
    public Node Add(string name, Layer layer, params Node[] inputs)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.Length != layer.InputCount)
            throw new ArgumentException($"{name} takes {layer.InputCount} inputs, not {inputs.Length}.");
        if (layer.Parameters(inputs[0].Shape).Count > 0 && _nodes.Exists(other => other.Name == name))
            throw new ArgumentException($"Two layers of {_model} are named {name}.");
        FeatureShape shape;
        try
        {
            shape = layer.OutputShape([.. inputs.Select(input => input.Shape)]);
        }
        catch (ArgumentException cause)
        {
            throw new ArgumentException($"{name} of {_model}: {cause.Message}", cause);
        }
        var node = new Node(_nodes.Count, name, layer, inputs, shape);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Adds <c>(x - mean) / deviation</c> per channel.</summary>
    public Node Normalize(string name, Node x, IReadOnlyList<float> mean, IReadOnlyList<float> deviation) =>
        Add(name, new InputNormalization(mean, deviation), x);

    /// <summary>Adds a convolution with a square kernel.</summary>
    public Node Convolution(string name, Node x, int outputs, int kernel, int stride = 1, int padding = 0, bool bias = false) =>
        Add(name, new Convolution(outputs, kernel, kernel, stride, padding, bias), x);

    /// <summary>Adds a batch normalisation (1d or 2d: a feature vector is a 1x1 map).</summary>
    public Node BatchNormalization(string name, Node x) => Add(name, new BatchNormalization(), x);

    /// <summary>Adds a ReLU.</summary>
    public Node Relu(Node x) => Activate(x, Activation.Relu);

    /// <summary>An activation, named after its input; <see cref="Activation.None"/> adds nothing.</summary>
    public Node Activate(Node x, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(x);
        return activation == Activation.None ? x : Add($"{x.Name}.{activation.Word}", new ActivationLayer(activation), x);
    }

    /// <summary>Adds the sum of two nodes.</summary>
    public Node Sum(string name, Node x, Node residual) => Add(name, new ResidualSum(), x, residual);

    /// <summary>Adds max pooling without overlap.</summary>
    public Node MaxPool(Node x, int window) => Add($"{x.Name}.maxpool", new Pool(new PoolShape(PoolKind.Max, window, window)), x);

    /// <summary>Adds average pooling without overlap.</summary>
    public Node AveragePool(Node x, int window) =>
        Add($"{x.Name}.avgpool", new Pool(new PoolShape(PoolKind.Average, window, window)), x);

    /// <summary>Adds a linear layer over all values of its input (flattened in channel, row, column order).</summary>
    public Node Linear(string name, Node x, int outputs, bool prunable = false) =>
        Add(name, new Linear(outputs, prunable), x);

    /// <summary>Ends the graph at its logits.</summary>
    /// <exception cref="ArgumentException">A node other than the output is not used.</exception>
    public NetworkGraph Build(Node output) => Build(output, channels: null);

    /// <summary>Ends a graph that is narrower than its model.</summary>
    internal NetworkGraph Build(Node output, IReadOnlyList<int>? channels)
    {
        ArgumentNullException.ThrowIfNull(output);
        Node? unused = _nodes.Find(node => node != output && node.Consumers.Count == 0);
        if (unused is not null)
            throw new ArgumentException($"{unused.Name} of {_model} is computed but never used.");
        return new NetworkGraph(_model, [.. _nodes], output, channels);
    }
}
