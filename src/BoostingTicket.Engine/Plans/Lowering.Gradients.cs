using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>Gradient flow. A value's gradient is the sum of its consumers' contributions. A residual sum contributes the
/// same gradient to both operands, so values may share one storage; it is overwritten only when every other sharer's
/// backward pass is behind. Derivatives of activations are fused into the last contribution.</summary>
public sealed partial class Lowering
{
    private Value? _inputGradient;

    /// <summary>Whether the backward pass has to find a value's gradient.</summary>
    public bool WantsGradient(Value value) => value is { NeedsGradient: true };

    /// <summary>The gradient of a value, all contributions in; null if nothing contributed.</summary>
    public Value? GradientOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Gradient;
    }

    /// <summary>Begins a contribution to the gradient of <paramref name="value"/>; null when none is wanted. Ends with
    /// <see cref="GradientStep"/>.</summary>
    public GradientTarget? BeginGradient(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!value.NeedsGradient)
            return null;
        Value? addend = value.Gradient;
        Value destination = addend is not null && MayOverwrite(addend, value) ? addend : NewGradient(value);
        Share(value, destination);
        return new GradientTarget(value, destination, addend);
    }

    /// <summary>A target for a gradient that an operation computes beside one that is wanted.</summary>
    public GradientTarget DiscardedGradient(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new GradientTarget(null, NewValue($"d({value.Name}) unused", value.Shape), null);
    }

    /// <summary>Emits the operation that computes a gradient contribution.</summary>
    /// <param name="kind">Family.</param>
    /// <param name="node">The layer.</param>
    /// <param name="target">From <see cref="BeginGradient"/>.</param>
    /// <param name="reads">Values that the operation reads, the addend left out.</param>
    /// <param name="run">Calls the backend with the destination and the epilogue.</param>
    /// <param name="arithmetic">Dense floating-point operations.</param>
    public void GradientStep(
        OperationKind kind, Node node, GradientTarget target, IReadOnlyList<Value> reads,
        Action<IBackend, Tensor, GradientEpilogue> run, long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        Tensor destination = target.Destination.Tensor;
        Tensor? addend = target.Addend?.Tensor;
        PendingGradient? pending = null;
        var operation = new PlanOperation(
            kind, PlanPass.Backward, node.Name,
            target.Addend is null ? reads : [.. reads, target.Addend], [target.Destination],
            backend => run(backend, destination, new GradientEpilogue(addend, pending!.Through, pending.Activation)), arithmetic);
        pending = new PendingGradient(operation);
        _backward.Add(operation);
        if (target.Owner is { } owner)
            owner.PendingGradient = pending;
    }

    /// <summary>Emits the gradient of parameters: into the backward pass, or for the first layer, where it is wanted so, apart.</summary>
    public void ParameterStep(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, Action<IBackend> run, long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        List<PlanOperation> operations = node == _apart ? _firstLayer : _backward;
        operations.Add(new PlanOperation(kind, PlanPass.Backward, node.Name, reads, [], run, arithmetic));
    }

    /// <summary>Emits a backward operation that contributes to no value's gradient.</summary>
    public void BackwardStep(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, IReadOnlyList<Value> writes, Action<IBackend> run,
        long arithmetic = 0)
    {
        ArgumentNullException.ThrowIfNull(node);
        _backward.Add(new PlanOperation(kind, PlanPass.Backward, node.Name, reads, writes, run, arithmetic));
    }

    /// <summary>Takes a value's gradient back through the activation that made the value, if there is one.</summary>
    /// <param name="value">The activation's output.</param>
    /// <param name="activation">The activation.</param>
    /// <param name="through">What its derivative is taken from: its output, or its input where
    /// <see cref="Activation.NeedsInput"/>.</param>
    /// <param name="node">The layer.</param>
    public void ActivationGradient(Value value, Activation activation, Value through, Node node)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(through);
        if (activation == Activation.None || value.Gradient is not { } gradient)
            return;
        if (value.PendingGradient is { Through: null } pending)
        {
            pending.Through = through.Tensor;
            pending.Activation = activation;
            pending.Operation.Reads.Add(through);
            value.PendingGradient = null;
            return;
        }
        Value destination = MayOverwrite(gradient, value) ? gradient : NewGradient(value);
        Share(value, destination);
        value.PendingGradient = null;
        BackwardStep(OperationKind.Elementwise, node, [gradient, through], [destination],
            backend => backend.ElementwiseBackward(
                gradient.Tensor, destination.Tensor, new GradientEpilogue(null, through.Tensor, activation)));
    }

    /// <summary>Contributes the gradient of <paramref name="from"/>, unchanged, to the gradient of
    /// <paramref name="to"/>.</summary>
    public void PassGradient(Value from, Value to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        if (!to.NeedsGradient || from.Gradient is not { } gradient)
            return;
        // From here on the gradient has a second reader: no derivative may be fused into what wrote it.
        from.PendingGradient = null;
        if (to.Gradient is null)
        {
            Share(to, gradient);
            to.PendingGradient = null;
            return;
        }
        GradientTarget target = BeginGradient(to)!.Value;
        GradientStep(OperationKind.Elementwise, NodeOf(to), target, [gradient],
            (backend, destination, epilogue) => backend.ElementwiseBackward(gradient.Tensor, destination, epilogue));
    }

    /// <summary>Contributes <c>scale * gradient of y</c> to the gradient of <paramref name="x"/>.</summary>
    public void ScaleGradient(Node node, Value y, BufferSlice scale, Value x)
    {
        if (GradientOf(y) is not { } dy || BeginGradient(x) is not { } dx)
            return;
        GradientStep(OperationKind.Normalization, node, dx, [dy],
            (backend, destination, epilogue) => backend.ScaleBackward(dy.Tensor, scale, destination, epilogue));
    }

    /// <summary>Emits the backward pass from the logits' gradient on.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="logitGradient">What the loss writes.</param>
    /// <param name="inputGradient">Where the images' gradient goes, if it is wanted.</param>
    internal void LowerBackward(NetworkGraph graph, Value logitGradient, Value? inputGradient)
    {
        _inputGradient = inputGradient;
        Share(ValueOf(graph.Output), logitGradient);
        for (int i = _tape.Count - 1; i >= 0; i--)
        {
            _tape[i].Emit();
            _tape[i].Value.IsDone = true;
        }
        if (inputGradient is not null && ValueOf(graph.Input).Gradient is { } gradient && gradient != inputGradient)
        {
            BackwardStep(OperationKind.Elementwise, graph.Input, [gradient], [inputGradient],
                backend => backend.Copy(gradient.Tensor, inputGradient.Tensor));
        }
    }

    private static bool MayOverwrite(Value gradient, Value owner) =>
        !gradient.IsExternal && gradient.Sharers.TrueForAll(sharer => sharer == owner || sharer.IsDone);

    private static void Share(Value value, Value gradient)
    {
        value.Gradient?.Sharers.Remove(value);
        value.Gradient = gradient;
        if (!gradient.Sharers.Contains(value))
            gradient.Sharers.Add(value);
    }

    private Value NewGradient(Value value) =>
        value.IsExternal && _inputGradient is not null ? _inputGradient : NewValue($"d({value.Name})", value.Shape);

    private Node NodeOf(Value value) => _values.First(pair => pair.Value == value).Key;
}
