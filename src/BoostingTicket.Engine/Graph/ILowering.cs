using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>What a layer calls to become operations of a backend: the compilation of a graph, as layers see it. Forward
/// operations are emitted in graph order; what a layer hands to <see cref="Backward"/> is run afterwards in reverse order and
/// emits the backward pass.</summary>
internal interface ILowering
{
    /// <summary>Samples of a batch.</summary>
    int Batch { get; }

    /// <summary>Whether normalisation uses the batch's own statistics.</summary>
    bool UsesBatchStatistics { get; }

    /// <summary>Whether normalisation updates the running statistics.</summary>
    bool UpdatesStatistics { get; }

    /// <summary>Whether the backward pass produces the gradients of the parameters.</summary>
    bool WantsParameterGradients { get; }

    /// <summary>The output of a node that was lowered already.</summary>
    Value ValueOf(Node node);

    /// <summary>Makes the output of a node (of the last fused one, where nodes were fused).</summary>
    Value Define(Node node);

    /// <summary>Emits a forward operation.</summary>
    /// <param name="kind">Family.</param>
    /// <param name="node">The layer.</param>
    /// <param name="reads">Values that the operation reads.</param>
    /// <param name="writes">Values that it writes.</param>
    /// <param name="run">Calls the backend.</param>
    /// <param name="arithmetic">Dense floating-point operations.</param>
    void Forward(
        OperationKind kind, Node node, IReadOnlyList<Value> reads, IReadOnlyList<Value> writes, Action<IBackend> run,
        long arithmetic = 0);

    /// <summary>Registers what emits the backward pass of the value defined last.</summary>
    void Backward(Action emit);

    /// <summary>Float32 values that live as long as the compiled graph.</summary>
    BufferSlice Scratch(int length);

    /// <summary>Constants that live as long as the compiled graph.</summary>
    BufferSlice Constants(ReadOnlySpan<float> values);

    /// <summary>A trained parameter of a node.</summary>
    BufferSlice Weights(Node node, string localName);

    /// <summary>A running statistic of a node.</summary>
    BufferSlice Statistics(Node node, string localName);

    /// <summary>Where a trained parameter's gradient goes, or null when none is produced.</summary>
    BufferSlice? WeightGradients(Node node, string localName);

    /// <summary>A normalisation by running statistics as a scale and a shift for each channel, prepared whenever weights or
    /// statistics change.</summary>
    /// <param name="node">The normalisation.</param>
    /// <param name="convolution">The layer before it whose bias is folded into the shift, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    (BufferSlice Scale, BufferSlice Shift) FoldNormalization(Node node, Node? convolution, float epsilon);

    /// <summary>A filter over a node's parameter <c>weight</c>, prepared whenever that changes. It may be exchanged for one with
    /// more uses: operations ask for it whenever they run.</summary>
    /// <param name="node">The convolution or linear layer.</param>
    /// <param name="shape">The convolution.</param>
    /// <param name="scale">Folded factor of each output channel, or null.</param>
    /// <param name="shift">What forward passes add to each output channel, or null.</param>
    /// <param name="uses">What it is used for.</param>
    Func<Filter> NewFilter(Node node, ConvolutionShape shape, BufferSlice? scale, BufferSlice? shift, FilterUses uses);

    /// <summary>Claims a node's only consumer, if it is a <typeparamref name="TLayer"/>, for the operation being
    /// lowered.</summary>
    Node? FuseNext<TLayer>(Node node)
        where TLayer : Layer;

    /// <summary>Claims a residual sum and an activation behind a node, as far as they are its only consumers and, for the sum, as
    /// its other operand is computed already. An activation whose gradient needs its input is claimed only where no gradients are
    /// wanted; elsewhere it stays an operation of its own, which keeps that input.</summary>
    FusedTail FuseTail(Node node, bool allowResidual);

    /// <summary>Whether the backward pass has to find a value's gradient.</summary>
    bool WantsGradient(Value value);

    /// <summary>The gradient of a value, all contributions in; null if nothing contributed.</summary>
    Value? GradientOf(Value value);

    /// <summary>Begins a contribution to the gradient of <paramref name="value"/>; null when none is wanted. Ends with
    /// <see cref="GradientStep"/>.</summary>
    GradientTarget? BeginGradient(Value value);

    /// <summary>A target for a gradient that an operation computes beside one that is wanted.</summary>
    GradientTarget DiscardedGradient(Value value);

    /// <summary>Emits the operation that computes a gradient contribution.</summary>
    /// <param name="kind">Family.</param>
    /// <param name="node">The layer.</param>
    /// <param name="target">From <see cref="BeginGradient"/>.</param>
    /// <param name="reads">Values that the operation reads, the addend left out.</param>
    /// <param name="run">Calls the backend with the destination and the epilogue.</param>
    /// <param name="arithmetic">Dense floating-point operations.</param>
    /// <param name="scaled">Calls it with destination, epilogue, a scale behind that and a summand behind the scale; null where
    /// it has no such operation.</param>
    void GradientStep(
        OperationKind kind, Node node, GradientTarget target, IReadOnlyList<Value> reads,
        Action<IBackend, Tensor, GradientEpilogue> run, long arithmetic = 0,
        Action<IBackend, Tensor, GradientEpilogue, BufferSlice, Tensor?>? scaled = null);

    /// <summary>Emits the gradient of parameters: into the backward pass, or for the first layer, where it is wanted so,
    /// apart.</summary>
    void ParameterStep(OperationKind kind, Node node, IReadOnlyList<Value> reads, Action<IBackend> run, long arithmetic = 0);

    /// <summary>Takes a value's gradient back through the activation that made the value, if there is one.</summary>
    /// <param name="value">The activation's output.</param>
    /// <param name="activation">The activation.</param>
    /// <param name="through">What its derivative is taken from: its output, or its input where
    /// <see cref="Activation.NeedsInput"/>.</param>
    /// <param name="node">The layer.</param>
    void ActivationGradient(Value value, Activation activation, Value through, Node node);

    /// <summary>Contributes the gradient of <paramref name="from"/>, unchanged, to the gradient of
    /// <paramref name="to"/>.</summary>
    void PassGradient(Value from, Value to);

    /// <summary>Contributes <c>scale * gradient of y</c> to the gradient of <paramref name="x"/>.</summary>
    void ScaleGradient(Node node, Value y, BufferSlice scale, Value x);
}
