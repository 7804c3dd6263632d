using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>The compilation of a graph into a plan. Gradient flow stands in the other part of this class.</summary>
internal sealed partial class Lowering : ILowering
{
    private readonly IBackend _backend;
    private readonly ParameterStore _store;
    private readonly Dictionary<Node, PlanValue> _values = [];
    private readonly HashSet<Node> _fused = [];
    private readonly List<(PlanValue Value, Action Emit)> _tape = [];
    private readonly PreparedItems _prepared;
    private readonly List<PlanOperation> _prepare = [];
    private readonly List<PreparedItem> _items = [];
    private readonly List<Func<FilterUpdate>> _updates = [];
    private readonly List<PlanOperation> _forward = [];
    private readonly List<PlanOperation> _backward = [];
    private readonly List<PlanValue> _all = [];
    private readonly List<IDisposable> _owned = [];
    private readonly List<PlanOperation> _firstLayer = [];
    private PlanValue? _lastDefined;
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

    /// <inheritdoc/>
    public int Batch => Options.Batch;

    /// <inheritdoc/>
    public bool UsesBatchStatistics => Options.UsesBatchStatistics;

    /// <inheritdoc/>
    public bool UpdatesStatistics => Options.Mode == PlanMode.Train;

    /// <inheritdoc/>
    public bool WantsParameterGradients => Options.WantsParameterGradients;

    internal IReadOnlyList<PlanOperation> PrepareOperations => _prepare;

    internal IReadOnlyList<PreparedItem> Items => _items;

    internal IReadOnlyList<PlanOperation> ForwardOperations => _forward;

    internal IReadOnlyList<PlanOperation> BackwardOperations => _backward;

    /// <summary>What computes the first layer's parameter gradients apart: forward to its input, then the gradients.</summary>
    internal IReadOnlyList<PlanOperation> FirstLayerOperations => _firstLayer;

    internal IReadOnlyList<PlanValue> Values => _all;

    internal IReadOnlyList<IDisposable> Owned => _owned;

    /// <inheritdoc/>
    public Value ValueOf(Node node) => _values[node];

    /// <inheritdoc/>
    public Value Define(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        PlanValue value = NewValue(node.Name, node.Shape);
        _values.Add(node, value);
        _lastDefined = value;
        return value;
    }

    /// <inheritdoc/>
    public void Forward(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, IReadOnlyList<Value> writes, Action<IBackend> run,
        long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        _forward.Add(new PlanOperation(kind, PlanPass.Forward, node.Name, reads, writes, run, arithmetic));
        bool needs = reads.Any(value => PlanValue.Of(value).NeedsGradient)
            || (Options.WantsParameterGradients
                && node.Layer!.Parameters(node.Inputs[0].Shape).Any(spec =>
                    spec.Role is not (ParameterRole.RunningMean or ParameterRole.RunningVariance)));
        foreach (Value value in writes)
            PlanValue.Of(value).NeedsGradient = needs;
    }

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public BufferSlice Scratch(int length)
    {
        FloatBuffer buffer = _backend.CreateFloats(length);
        _owned.Add(buffer);
        return buffer.All;
    }

    /// <inheritdoc/>
    public BufferSlice Constants(ReadOnlySpan<float> values)
    {
        BufferSlice slice = Scratch(values.Length);
        _backend.Upload(values, slice);
        return slice;
    }

    /// <inheritdoc/>
    public BufferSlice Weights(Node node, string localName) => _store.Slice(ParameterOf(node, localName));

    /// <inheritdoc/>
    public BufferSlice Statistics(Node node, string localName) => _store.Slice(ParameterOf(node, localName));

    /// <inheritdoc/>
    public BufferSlice? WeightGradients(Node node, string localName) => Options.WantsParameterGradients
        ? _store.GradientSlice(ParameterOf(node, localName))
        : null;

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public Func<Filter> NewFilter(Node node, ConvolutionShape shape, BufferSlice? scale, BufferSlice? shift, FilterUses uses)
    {
        if (_backend.RoundsAttacksMore && Options.Mode == PlanMode.Attack)
            uses |= FilterUses.Attack;
        SharedFilter filter = _prepared.Filter(node, shape, uses);
        Parameter parameter = ParameterOf(node, "weight");
        BufferSlice weight = _store.Slice(parameter);
        ParameterStore store = _store;
        PreparedItem item = filter.Item(folded: scale is not null);
        if (_backend.PreparesFiltersTogether)
        {
            _items.Add(item);
            _updates.Add(Update);
        }
        else
        {
            Prepare(item, node, backend => backend.PrepareFilter(filter.Filter, Update().Source));
        }
        return () => filter.Filter;

        FilterUpdate Update() => new(
            filter.Filter, new FilterSource(weight, store.MaskSlice(parameter), store.MaskVersion, scale, shift));
    }

    /// <inheritdoc/>
    public Node? FuseNext<TLayer>(Node node)
        where TLayer : Layer
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.Consumers.Count != 1 || node.Consumers[0] is not { Layer: TLayer } next)
            return null;
        _fused.Add(next);
        return next;
    }

    /// <inheritdoc/>
    public FusedTail FuseTail(Node node, bool allowResidual)
    {
        ArgumentNullException.ThrowIfNull(node);
        PlanValue? residual = null;
        if (allowResidual && node.Consumers.Count == 1 && node.Consumers[0] is { Layer.Fusion.AddsResidual: true } sum)
        {
            Node other = sum.Inputs[0] == node ? sum.Inputs[1] : sum.Inputs[0];
            if (_values.TryGetValue(other, out residual))
            {
                _fused.Add(sum);
                node = sum;
            }
        }
        if (node.Consumers.Count != 1 || node.Consumers[0] is not { Layer.Fusion.Activation: var activation } next
            || activation == Activation.None || (activation.NeedsInput && Options.Gradients != GradientRequest.None))
            return new FusedTail(node, residual, Activation.None);
        _fused.Add(next);
        return new FusedTail(next, residual, activation);
    }

    internal void DefineInput(Node node, PlanValue value)
    {
        _values.Add(node, value);
        value.NeedsGradient = Options.WantsInputGradient;
    }

    internal void LowerAll(NetworkGraph graph)
    {
        if (Options.WantsFirstLayerApart)
            _apart = graph.Nodes.First(node => node.Layer is { IsConvolution: true });
        foreach (Node node in graph.Nodes)
        {
            // Whatever comes before the first layer is a function of the images alone.
            if (node == _apart)
                _firstLayer.AddRange(_forward);
            if (node.Layer is { } layer && !_fused.Contains(node))
                layer.Lower(this, node);
        }
        // Behind all normalisations that are folded into them.
        if (_updates.Count > 0)
        {
            _prepare.Add(new PlanOperation(
                OperationKind.Prepare, PlanPass.Prepare, "filters", [], [],
                backend => backend.PrepareFilters([.. _updates.Select(update => update())]), 0));
        }
    }

    internal PlanValue NewValue(string name, FeatureShape shape)
    {
        var value = new PlanValue(name, _backend.DescribeTensor(Options.Batch, shape), isExternal: false);
        _all.Add(value);
        return value;
    }

    private Parameter ParameterOf(Node node, string localName) => _store.Table[$"{node.Name}.{localName}"];
}
