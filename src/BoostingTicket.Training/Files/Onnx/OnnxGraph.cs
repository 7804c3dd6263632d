using System.Runtime.InteropServices;
using Google.Protobuf;

namespace BoostingTicket.Training.Files.Onnx;

/// <summary>Builds the graph of an ONNX file: nodes in order, and the tensors that they read.</summary>
/// <param name="name">Name of the graph.</param>
internal sealed class OnnxGraph(string name)
{
    /// <summary>Version of the operators (ai.onnx). Runtimes of 2022 and later know it.</summary>
    public const int Opset = 17;

    private const int IrVersion = 8;

    // A protobuf message is shorter than 2 GiB; the rest is room for the nodes.
    private const long MostBytes = int.MaxValue - (1 << 24);

    private readonly GraphProto _graph = new() { Name = name };
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Nodes so far.</summary>
    public int Nodes => _graph.Node.Count;

    /// <summary>Tensors so far.</summary>
    public int Tensors => _graph.Initializer.Count;

    /// <summary>Adds an input of float32 whose first dimension, the batch, is free.</summary>
    /// <param name="input">Its name.</param>
    /// <param name="dimensions">Sizes of the other dimensions.</param>
    public void Input(string input, params ReadOnlySpan<int> dimensions)
    {
        Claim(input);
        _graph.Input.Add(Describe(input, dimensions));
    }

    /// <summary>Reserves the name of an output of float32 whose first dimension, the batch, is free.</summary>
    /// <param name="output">Its name.</param>
    /// <param name="dimensions">Sizes of the other dimensions.</param>
    public void Output(string output, params ReadOnlySpan<int> dimensions)
    {
        Claim(output);
        _graph.Output.Add(Describe(output, dimensions));
    }

    /// <summary>Adds a float32 tensor. Its memory must stay unchanged until the file is written.</summary>
    /// <param name="tensor">Its name; no other value has it.</param>
    /// <param name="values">The elements, outermost dimension slowest.</param>
    /// <param name="dimensions">The sizes, outermost first.</param>
    public string Tensor(string tensor, ReadOnlyMemory<float> values, params ReadOnlySpan<int> dimensions)
    {
        byte[] bytes = MemoryMarshal.AsBytes(values.Span).ToArray();
        return Tensor(tensor, TensorProto.Types.DataType.Float, bytes, dimensions);
    }

    /// <summary>Adds a tensor of whole numbers with one dimension.</summary>
    public string Tensor(string tensor, ReadOnlySpan<long> values) =>
        Tensor(tensor, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values).ToArray(), values.Length);

    /// <summary>Adds a node with one output.</summary>
    /// <param name="operation">Name of the operator.</param>
    /// <param name="node">Name of the node, made unique.</param>
    /// <param name="output">Name of the output; null for the node's.</param>
    /// <param name="inputs">Values that the node reads.</param>
    /// <param name="attributes">Attributes: a float, a whole number, or a list of whole numbers each.</param>
    /// <returns>Name of the output.</returns>
    public string Node(
        string operation, string node, string? output, IEnumerable<string> inputs,
        params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        string unique = Unique(_nodes, node);
        string made = output ?? Unique(_names, node);
        var proto = new NodeProto { OpType = operation, Name = unique };
        proto.Input.AddRange(inputs);
        proto.Output.Add(made);
        foreach ((string attribute, object value) in attributes)
            proto.Attribute.Add(Attribute(attribute, value));
        _graph.Node.Add(proto);
        return made;
    }

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">The file to create or to replace.</param>
    /// <param name="metadata">What else is said about the network.</param>
    /// <exception cref="ConfigurationException">The network is too large for the format, or the file cannot be written
    /// there.</exception>
    public void Save(string path, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        if (_bytes > MostBytes)
        {
            throw new ConfigurationException(
                $"{_graph.Name} has {_bytes} bytes of weights, and an ONNX file holds 2 GiB; choose the format safetensors "
                + $"({Setting.Named("format")}).");
        }

        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "boosting-ticket",
            ProducerVersion = typeof(OnnxGraph).Assembly.GetName().Version?.ToString(3) ?? "",
            Graph = _graph,
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = Opset });
        foreach ((string key, string value) in metadata)
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        AtomicFile.Write(path, stream => model.WriteTo(stream));
    }

    private string Tensor(
        string tensor, TensorProto.Types.DataType type, ReadOnlyMemory<byte> bytes, params ReadOnlySpan<int> dimensions)
    {
        Claim(tensor);
        var proto = new TensorProto
        {
            Name = tensor,
            DataType = (int)type,
            RawData = UnsafeByteOperations.UnsafeWrap(bytes),
        };
        foreach (int dimension in dimensions)
            proto.Dims.Add(dimension);
        _graph.Initializer.Add(proto);
        _bytes += bytes.Length;
        return tensor;
    }

    private void Claim(string value)
    {
        if (!_names.Add(value))
            throw new ArgumentException($"Two values are named {value}.", nameof(value));
    }

    private static string Unique(HashSet<string> taken, string wanted)
    {
        string name = wanted;
        for (int i = 2; !taken.Add(name); i++)
            name = FormattableString.Invariant($"{wanted}.{i}");
        return name;
    }

    private static ValueInfoProto Describe(string value, ReadOnlySpan<int> dimensions)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "batch" });
        foreach (int dimension in dimensions)
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = dimension });
        var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = shape };
        return new ValueInfoProto { Name = value, Type = new TypeProto { TensorType = type } };
    }

    private static AttributeProto Attribute(string attribute, object value)
    {
        var proto = new AttributeProto { Name = attribute };
        switch (value)
        {
            case float number:
                proto.Type = AttributeProto.Types.AttributeType.Float;
                proto.F = number;
                break;
            case int number:
                proto.Type = AttributeProto.Types.AttributeType.Int;
                proto.I = number;
                break;
            case int[] numbers:
                proto.Type = AttributeProto.Types.AttributeType.Ints;
                proto.Ints.AddRange(numbers.Select(number => (long)number));
                break;
            default:
                throw new ArgumentException($"{attribute} is a {value.GetType().Name}.", nameof(value));
        }

        return proto;
    }
}
