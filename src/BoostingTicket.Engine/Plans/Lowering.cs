using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>The compilation of a graph into a plan: layers call it to emit operations. Forward operations are emitted in
/// graph order; what a layer hands to <see cref="Backward"/> is run afterwards in reverse order and emits the backward pass.
/// Gradient flow stands in the other part of this class.</summary>
public sealed partial class Lowering
{
    private readonly IBackend _backend;
    private readonly ParameterStore _store;
    private readonly Dictionary<Node, Value> _values = [];
    private readonly HashSet<Node> _fused = [];
    private readonly List<(Value Value, Action Emit)> _tape = [];
    private readonly PreparedItems _prepared;
    private readonly List<PlanOperation> _prepare = [];
    private readonly List<PreparedItem> _items = [];
    private readonly List<PlanOperation> _forward = [];
    private readonly List<PlanOperation> _backward = [];
    private readonly List<Value> _all = [];
    private readonly List<IDisposable> _owned = [];
    private readonly List<PlanOperation> _firstLayer = [];
    private Value? _lastDefined;
    private Node? _apart;

    internal Lowering(IBackend backend, ParameterStore store, PreparedItems prepared, PlanOptions options)
    {
        _backend = backend;
        _store = store;
        _prepared = prepared;
        Options = options;
    }

    /// <summary>What the plan is for.</summary>
    public PlanOptions Options { get; }

    internal IReadOnlyList<PlanOperation> PrepareOperations => _prepare;

    internal IReadOnlyList<PreparedItem> Items => _items;

    internal IReadOnlyList<PlanOperation> ForwardOperations => _forward;

    internal IReadOnlyList<PlanOperation> BackwardOperations => _backward;

    /// <summary>What computes the first layer's parameter gradients apart: forward to its input, then the gradients.</summary>
    internal IReadOnlyList<PlanOperation> FirstLayerOperations => _firstLayer;

    internal IReadOnlyList<Value> Values => _all;

    internal IReadOnlyList<IDisposable> Owned => _owned;

    /// <summary>The output of a node that was lowered already.</summary>
    public Value ValueOf(Node node) => _values[node];

    /// <summary>Makes the output of a node (of the last fused one, where nodes were fused).</summary>
    public Value Define(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Value value = NewValue(node.Name, node.Shape);
        _values.Add(node, value);
        _lastDefined = value;
        return value;
    }

    /// <summary>Makes a node's output the value that another node computed.</summary>
    public void Alias(Node node, Value value)
    {
        _values.Add(node, value);
        _lastDefined = null;
    }

    /// <summary>Emits a forward operation.</summary>
    public void Forward(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, IReadOnlyList<Value> writes, Action<IBackend> run,
        long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        _forward.Add(new PlanOperation(kind, PlanPass.Forward, node.Name, reads, writes, run, arithmetic));
        bool needs = reads.Any(value => value.NeedsGradient)
            || (Options.WantsParameterGradients
                && node.Layer!.Parameters(node.Inputs[0].Shape).Any(spec =>
                    spec.Role is not (ParameterRole.RunningMean or ParameterRole.RunningVariance)));
        foreach (Value value in writes)
            value.NeedsGradient = needs;
    }

    /// <summary>Registers what emits the backward pass of the value defined last.</summary>
    public void Backward(Action emit)
    {
        if (Options.Gradients != GradientRequest.None)
            _tape.Add((_lastDefined ?? throw new InvalidOperationException("A backward pass needs a defined value."), emit));
    }

    private void Prepare(PreparedItem item, Node node, Action<IBackend> run)
    {
        _items.Add(item);
        _prepare.Add(new PlanOperation(OperationKind.Prepare, PlanPass.Prepare, node.Name, [], [], run, 0));
    }

    /// <summary>Float32 values that live as long as the plan.</summary>
    public BufferSlice Scratch(int length)
    {
        FloatBuffer buffer = _backend.CreateFloats(length);
        _owned.Add(buffer);
        return buffer.All;
    }

    /// <summary>Constants that live as long as the plan.</summary>
    public BufferSlice Constants(ReadOnlySpan<float> values)
    {
        BufferSlice slice = Scratch(values.Length);
        _backend.Upload(values, slice);
        return slice;
    }

    /// <summary>A trained parameter of a node.</summary>
    public BufferSlice Weights(Node node, string localName) => _store.Slice(ParameterOf(node, localName));

    /// <summary>A running statistic of a node.</summary>
    public BufferSlice Statistics(Node node, string localName) => _store.Slice(ParameterOf(node, localName));

    /// <summary>Where a trained parameter's gradient goes, or null when the plan produces none.</summary>
    public BufferSlice? WeightGradients(Node node, string localName) => Options.WantsParameterGradients
        ? _store.GradientSlice(ParameterOf(node, localName))
        : null;

    /// <summary>A normalisation by running statistics as a scale and a shift for each channel, prepared whenever weights or
    /// statistics
    /// change.</summary>
    /// <param name="node">The normalisation.</param>
    /// <param name="convolution">The layer before it whose bias is folded into the shift, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public (BufferSlice Scale, BufferSlice Shift) FoldNormalization(Node node, Node? convolution, float epsilon)
    {
        FoldedNormalization folded = _prepared.Folded(node, convolution);
        BufferSlice gamma = Weights(node, "weight"), beta = Weights(node, "bias");
        BufferSlice mean = Statistics(node, "running_mean"), variance = Statistics(node, "running_var");
        BufferSlice? bias = convolution is null ? null : Weights(convolution, "bias");
        Prepare(folded, node, backend => backend.FoldNormalization(
            gamma, beta, mean, variance, epsilon, bias, folded.Scale, folded.Shift));
        return (folded.Scale, folded.Shift);
    }

    /// <summary>A filter over a node's parameter <c>weight</c>, prepared whenever that changes.</summary>
    /// <param name="node">The convolution or linear layer.</param>
    /// <param name="shape">The convolution.</param>
    /// <param name="scale">Folded factor of each output channel, or null.</param>
    /// <param name="uses">What it is used for.</param>
    public SharedFilter NewFilter(Node node, ConvolutionShape shape, BufferSlice? scale, FilterUses uses)
    {
        if (_backend.RoundsAttacksMore && Options.Mode == PlanMode.Attack)
            uses |= FilterUses.Attack;
        SharedFilter filter = _prepared.Filter(node, shape, uses);
        Parameter parameter = ParameterOf(node, "weight");
        BufferSlice weight = _store.Slice(parameter);
        ParameterStore store = _store;
        Prepare(filter.Item(folded: scale is not null), node, backend => backend.PrepareFilter(
            filter.Filter, new FilterSource(weight, store.MaskSlice(parameter), store.MaskVersion, scale)));
        return filter;
    }

    /// <summary>Claims a node's only consumer, if it is a <typeparamref name="TLayer"/>, for the operation being
    /// lowered.</summary>
    public Node? FuseNext<TLayer>(Node node)
        where TLayer : Layer
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.Consumers.Count != 1 || node.Consumers[0] is not { Layer: TLayer } next)
            return null;
        _fused.Add(next);
        return next;
    }

    /// <summary>Claims a residual sum and an activation behind a node, as far as they are its only consumers and, for the sum, as
    /// its other operand is computed already. An activation whose gradient needs its input is claimed only by a plan without
    /// gradients; elsewhere it stays an operation of its own, which keeps that input.</summary>
    public FusedTail FuseTail(Node node, bool allowResidual)
    {
        ArgumentNullException.ThrowIfNull(node);
        Value? residual = null;
        if (allowResidual && node.Consumers.Count == 1 && node.Consumers[0] is { Layer: ResidualSum } sum)
        {
            Node other = sum.Inputs[0] == node ? sum.Inputs[1] : sum.Inputs[0];
            if (_values.TryGetValue(other, out residual))
            {
                _fused.Add(sum);
                node = sum;
            }
        }
        if (node.Consumers.Count != 1 || node.Consumers[0] is not { Layer: ActivationLayer { Activation: var activation } } next
            || (activation.NeedsInput && Options.Gradients != GradientRequest.None))
            return new FusedTail(node, residual, Activation.None);
        _fused.Add(next);
        return new FusedTail(next, residual, activation);
    }

    internal void DefineInput(Node node, Value value)
    {
        _values.Add(node, value);
        value.NeedsGradient = Options.WantsInputGradient;
    }

    internal void LowerAll(NetworkGraph graph)
    {
        if (Options.WantsFirstLayerApart)
            _apart = graph.Nodes.First(node => node.Layer is Convolution or Linear);
        foreach (Node node in graph.Nodes)
        {
            // Whatever comes before the first layer is a function of the images alone.
            if (node == _apart)
                _firstLayer.AddRange(_forward);
            if (node.Layer is { } layer && !_fused.Contains(node))
                layer.Lower(this, node);
        }
    }

    internal Value NewValue(string name, FeatureShape shape)
    {
        var value = new Value(name, _backend.DescribeTensor(Options.Batch, shape), isExternal: false);
        _all.Add(value);
        return value;
    }

    private Parameter ParameterOf(Node node, string localName) => _store.Table[$"{node.Name}.{localName}"];
}
