using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Files.Onnx;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Turns the layers of a network graph into ONNX nodes, as they compute with running statistics.</summary>
internal sealed class OnnxLayers
{
    /// <summary>Name of the input: images [batch, channels, rows, columns] in [0, 1].</summary>
    public const string Images = "images";

    /// <summary>Name of the output: logits [batch, classes].</summary>
    public const string Logits = "logits";

    private readonly OnnxGraph _onnx;
    private readonly NetworkGraph _graph;
    private readonly ModelState _state;
    private readonly Dictionary<Node, string> _values = [];

    // Outputs of linear layers have the dimensions [batch, features], all others those of an image.
    private readonly HashSet<Node> _flat = [];

    private OnnxLayers(OnnxGraph onnx, NetworkGraph graph, ModelState state)
    {
        _onnx = onnx;
        _graph = graph;
        _state = state;
    }

    /// <summary>Makes the ONNX graph of a network.</summary>
    /// <param name="graph">The network's layers.</param>
    /// <param name="state">Its weights and statistics.</param>
    /// <exception cref="NotSupportedException">A layer has no form in ONNX.</exception>
    public static OnnxGraph Convert(NetworkGraph graph, ModelState state)
    {
        var onnx = new OnnxGraph(graph.Name);
        FeatureShape input = graph.Input.Shape;
        onnx.Input(Images, input.Channels, input.Height, input.Width);
        onnx.Output(Logits, graph.Classes);
        var layers = new OnnxLayers(onnx, graph, state);
        layers._values[graph.Input] = Images;
        foreach (Node node in graph.Nodes.Skip(1))
        {
            bool isLast = node == graph.Output;
            string value = layers.Add(node, isLast && layers.MakesFlat(node) ? Logits : null);
            layers._values[node] = value;
            if (isLast && value != Logits)
                onnx.Node("Flatten", node.Name + ".flat", Logits, [value], ("axis", 1));
        }

        return onnx;
    }

    private bool MakesFlat(Node node) => node.Layer switch
    {
        Linear => true,
        BatchNormalization or ActivationLayer or ResidualSum => node.Inputs.All(_flat.Contains),
        _ => false,
    };

    private string Add(Node node, string? output)
    {
        if (MakesFlat(node))
            _flat.Add(node);
        string x = _values[node.Inputs[0]];
        switch (node.Layer)
        {
            case Convolution convolution:
                return Convolve(node, convolution, output);
            case Linear:
                if (!_flat.Contains(node.Inputs[0]))
                    x = _onnx.Node("Flatten", node.Name + ".flat", null, [x], ("axis", 1));
                return _onnx.Node(
                    "Gemm", node.Name, output, [x, Parameter(node, "weight"), Parameter(node, "bias")], ("transB", 1));
            case BatchNormalization:
                string[] parameters = ["weight", "bias", "running_mean", "running_var"];
                return _onnx.Node(
                    "BatchNormalization", node.Name, output, parameters.Select(name => Parameter(node, name)).Prepend(x),
                    ("epsilon", BatchNormalization.Epsilon));
            case InputNormalization normalization:
                int channels = node.Shape.Channels;
                string scaled = _onnx.Node(
                    "Mul", node.Name + ".scaled", null,
                    [x, _onnx.Tensor(node.Name + ".scale", normalization.Scale.ToArray(), 1, channels, 1, 1)]);
                return _onnx.Node(
                    "Add", node.Name, output,
                    [scaled, _onnx.Tensor(node.Name + ".shift", normalization.Shift.ToArray(), 1, channels, 1, 1)]);
            case ActivationLayer layer:
                return Activate(node, layer.Activation, x, output);
            case Pool pool:
                int[] window = [pool.Shape.Window, pool.Shape.Window], stride = [pool.Shape.Stride, pool.Shape.Stride];
                return _onnx.Node(
                    pool.Shape.Kind == PoolKind.Max ? "MaxPool" : "AveragePool", node.Name, output, [Map(node.Inputs[0])],
                    ("kernel_shape", window), ("strides", stride));
            case ResidualSum when _flat.Contains(node):
                return _onnx.Node("Add", node.Name, output, [x, _values[node.Inputs[1]]]);
            case ResidualSum:
                return _onnx.Node("Add", node.Name, output, node.Inputs.Select(Map));
            default:
                throw new NotSupportedException($"{node} of {_graph.Name} has no form in ONNX.");
        }
    }

    private string Convolve(Node node, Convolution convolution, string? output)
    {
        ConvolutionShape shape = convolution.ShapeFor(node.Inputs[0].Shape);
        int padding = shape.Padding;
        List<string> inputs = [Map(node.Inputs[0]), Parameter(node, "weight")];
        if (_state.Table.Find(node.Name + ".bias") is not null)
            inputs.Add(Parameter(node, "bias"));
        return _onnx.Node(
            "Conv", node.Name, output, inputs, ("kernel_shape", new[] { shape.KernelHeight, shape.KernelWidth }),
            ("strides", new[] { shape.Stride, shape.Stride }), ("pads", new[] { padding, padding, padding, padding }));
    }

    private string Activate(Node node, Activation activation, string x, string? output)
    {
        switch (activation.Kind)
        {
            case ActivationKind.Relu:
                return _onnx.Node("Relu", node.Name, output, [x]);
            case ActivationKind.LeakyRelu:
                return _onnx.Node("LeakyRelu", node.Name, output, [x], ("alpha", activation.Slope));
            case ActivationKind.Silu:
                string sigmoid = _onnx.Node("Sigmoid", node.Name + ".sigmoid", null, [x]);
                return _onnx.Node("Mul", node.Name, output, [x, sigmoid]);
            default:
                throw new NotSupportedException($"{activation} has no form in ONNX.");
        }
    }

    private string Parameter(Node node, string name)
    {
        Parameter parameter = _state.Table[$"{node.Name}.{name}"];
        return _onnx.Tensor(parameter.Name, _state.MemoryOf(parameter), [.. parameter.Spec.Dimensions]);
    }

    // A value with the dimensions of an image.
    private string Map(Node node)
    {
        if (!_flat.Contains(node))
            return _values[node];
        string shape = _onnx.Tensor($"{node.Name}.shape", [0, node.Shape.Channels, node.Shape.Height, node.Shape.Width]);
        string map = _onnx.Node("Reshape", node.Name + ".map", null, [_values[node], shape]);
        _flat.Remove(node);
        return _values[node] = map;
    }
}
