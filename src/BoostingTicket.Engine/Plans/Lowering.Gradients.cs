using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>Gradient flow. A value's gradient is the sum of its consumers' contributions. A residual sum contributes the
/// same gradient to both operands, so values may share one storage; it is overwritten only when every other sharer's
/// backward pass is behind. Derivatives of activations are fused into the last contribution.</summary>
internal sealed partial class Lowering
{
    private PlanValue? _inputGradient;

    /// <inheritdoc/>
    public bool WantsGradient(Value value) => PlanValue.Of(value).NeedsGradient;

    /// <inheritdoc/>
    public Value? GradientOf(Value value) => PlanValue.Of(value).Gradient;

    /// <inheritdoc/>
    public GradientTarget? BeginGradient(Value value)
    {
        PlanValue owner = PlanValue.Of(value);
        if (!owner.NeedsGradient)
            return null;
        PlanValue? addend = owner.Gradient;
        PlanValue destination = addend is not null && MayOverwrite(addend, owner) ? addend : NewGradient(owner);
        Share(owner, destination);
        return new GradientTarget(value, destination, addend);
    }

    /// <inheritdoc/>
    public GradientTarget DiscardedGradient(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new GradientTarget(null, NewValue($"d({value.Name}) unused", value.Shape), null);
    }

    /// <inheritdoc/>
    public void GradientStep(
        OperationKind kind, Node node, GradientTarget target, IReadOnlyList<Value> reads,
        Action<IBackend, Tensor, GradientEpilogue> run, long arithmetic = 0,
        Action<IBackend, Tensor, GradientEpilogue, BufferSlice, Tensor?>? scaled = null)
    {
        ArgumentNullException.ThrowIfNull(node);
        Tensor destination = target.Destination.Tensor;
        Tensor? addend = target.Addend?.Tensor;
        PendingGradient? pending = null;
        var operation = new PlanOperation(
            kind, PlanPass.Backward, node.Name,
            target.Addend is null ? reads : [.. reads, target.Addend], [target.Destination],
            backend =>
            {
                var epilogue = new GradientEpilogue(addend, pending!.Through, pending.Activation);
                if (pending.Scaling is { } scaling)
                    scaled!(backend, scaling.Destination.Tensor, epilogue, scaling.Scale, scaling.Summand?.Tensor);
                else
                    run(backend, destination, epilogue);
            },
            arithmetic);
        pending = new PendingGradient(operation, canScale: scaled is not null && _backend.ScalesInputGradients);
        _backward.Add(operation);
        if (target.Owner is { } owner)
            PlanValue.Of(owner).PendingGradient = pending;
    }

    /// <inheritdoc/>
    public void ParameterStep(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, Action<IBackend> run, long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        List<PlanOperation> operations = node == _apart ? _firstLayer : _backward;
        operations.Add(new PlanOperation(kind, PlanPass.Backward, node.Name, reads, [], run, arithmetic));
    }

    /// <summary>Emits a backward operation that contributes to no value's gradient.</summary>
    private void BackwardStep(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, IReadOnlyList<Value> writes, Action<IBackend> run,
        long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        _backward.Add(new PlanOperation(kind, PlanPass.Backward, node.Name, reads, writes, run, arithmetic));
    }

    /// <inheritdoc/>
    public void ActivationGradient(Value value, Activation activation, Value through, Node node)
    {
        PlanValue owner = PlanValue.Of(value), source = PlanValue.Of(through);
        if (activation == Activation.None || owner.Gradient is not { } gradient)
            return;
        if (owner.PendingGradient is { Through: null } pending)
        {
            pending.Through = source.Tensor;
            pending.Activation = activation;
            pending.Operation.Reads.Add(source);
            owner.PendingGradient = null;
            owner.ActivatedGradient = pending;
            return;
        }
        PlanValue destination = MayOverwrite(gradient, owner) ? gradient : NewGradient(owner);
        Share(owner, destination);
        owner.PendingGradient = null;
        BackwardStep(OperationKind.Elementwise, node, [gradient, source], [destination],
            backend => backend.ElementwiseBackward(
                gradient.Tensor, destination.Tensor, new GradientEpilogue(null, source.Tensor, activation)));
    }

    /// <inheritdoc/>
    public void PassGradient(Value from, Value to)
    {
        PlanValue giver = PlanValue.Of(from), taker = PlanValue.Of(to);
        if (!taker.NeedsGradient || giver.Gradient is not { } gradient)
            return;
        // From here on the gradient has a second reader: no derivative may be fused into what wrote it.
        giver.PendingGradient = null;
        if (taker.Gradient is null)
        {
            Share(taker, gradient);
            taker.PendingGradient = null;
            return;
        }
        GradientTarget target = BeginGradient(taker)!.Value;
        GradientStep(OperationKind.Elementwise, NodeOf(taker), target, [gradient],
            (backend, destination, epilogue) => backend.ElementwiseBackward(gradient.Tensor, destination, epilogue));
    }

    /// <inheritdoc/>
    public void ScaleGradient(Node node, Value y, BufferSlice scale, Value x)
    {
        if (GradientOf(y) is not { } dy || TryScale(PlanValue.Of(y), scale, PlanValue.Of(x)) || BeginGradient(x) is not { } dx)
            return;
        GradientStep(OperationKind.Normalization, node, dx, [dy],
            (backend, destination, epilogue) => backend.ScaleBackward(dy.Tensor, scale, destination, epilogue));
    }

    /// <summary>Emits the backward pass from the logits' gradient on.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="logitGradient">What the loss writes.</param>
    /// <param name="inputGradient">Where the images' gradient goes, if it is wanted.</param>
    internal void LowerBackward(NetworkGraph graph, PlanValue logitGradient, PlanValue? inputGradient)
    {
        _inputGradient = inputGradient;
        Share(_values[graph.Output], logitGradient);
        for (int i = _tape.Count - 1; i >= 0; i--)
        {
            _tape[i].Emit();
            _tape[i].Value.IsDone = true;
        }
        if (inputGradient is not null && _values[graph.Input].Gradient is { } gradient && gradient != inputGradient)
        {
            BackwardStep(OperationKind.Elementwise, graph.Input, [gradient], [inputGradient],
                backend => backend.Copy(gradient.Tensor, inputGradient.Tensor));
        }
    }

    // What wrote the gradient of y, and took it back through y's activation, goes on through the normalisation before y, if it
    // was emitted last (so that what it adds is there already) and nobody else reads that gradient.
    private bool TryScale(PlanValue y, BufferSlice scale, PlanValue x)
    {
        if (y.ActivatedGradient is not { CanScale: true } pending || _backward[^1] != pending.Operation || x.IsExternal
            || y.Gradient!.Sharers.Count != 1 || (x.Gradient is { } before && pending.Operation.Reads.Contains(before))
            || BeginGradient(x) is not { } target)
            return false;
        PlanValue destination = PlanValue.Of(target.Destination);
        PlanValue? summand = target.Addend is { } addend ? PlanValue.Of(addend) : null;
        pending.Scaling = new GradientScaling(destination, scale, summand);
        pending.Operation.Writes.Clear();
        pending.Operation.Writes.Add(destination);
        if (summand is not null)
            pending.Operation.Reads.Add(summand);
        x.PendingGradient = null;
        return true;
    }

    private static bool MayOverwrite(PlanValue gradient, PlanValue owner) =>
        !gradient.IsExternal && gradient.Sharers.TrueForAll(sharer => sharer == owner || sharer.IsDone);

    private static void Share(PlanValue value, PlanValue gradient)
    {
        value.Gradient?.Sharers.Remove(value);
        value.Gradient = gradient;
        if (!gradient.Sharers.Contains(value))
            gradient.Sharers.Add(value);
    }

    private PlanValue NewGradient(PlanValue value) =>
        value.IsExternal && _inputGradient is not null ? _inputGradient : NewValue($"d({value.Name})", value.Shape);

    private Node NodeOf(PlanValue value) => _values.First(pair => pair.Value == value).Key;
}
