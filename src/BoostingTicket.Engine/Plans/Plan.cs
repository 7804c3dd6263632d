using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>A graph compiled for a backend, a batch size, a mode and a gradient request: fused operations in running order
/// with every buffer placed in advance. Running a plan allocates nothing. Made by <see cref="Network.Plan"/>.</summary>
internal sealed class Plan : IDisposable
{
    private readonly IBackend _backend;
    private readonly ParameterStore _store;
    private readonly PlanOperation[] _prepare;
    private readonly PlanOperation[] _forward;
    private readonly PlanOperation[] _backward;
    private readonly PlanOperation[] _firstLayer;
    private readonly Dictionary<PlanValue, long> _offsets;
    private readonly IReadOnlyList<IDisposable> _owned;
    private readonly PreparedItem[] _items;
    private readonly PlanValue _logits;
    private readonly PlanValue? _logitGradient;
    private readonly PlanOperation _loss;
    private readonly RepeatedWork _preparing;
    private readonly RepeatedWork _goingForward;
    private readonly RepeatedWork _goingBackward;
    private readonly RepeatedWork _goingThroughFirstLayer;
    private LossKind _lossKind;
    private float _gradientScale;
    private bool _isPlaced;
    private int _countedMask = -1;
    private double _forwardArithmetic;
    private double _backwardArithmetic;
    private double _firstLayerArithmetic;

    internal Plan(
        NetworkGraph graph, ParameterStore store, IBackend backend, PreparedItems prepared, BatchBuffers buffers,
        PlanOptions options)
    {
        if (options.WantsParameterGradients && options.Mode != PlanMode.Train)
            throw new ArgumentException("Gradients of parameters need the training mode.", nameof(options));
        if (options.WantsFirstLayerApart && !options.WantsParameterGradients)
            throw new ArgumentException(
                "The first layer's gradients can be apart only where gradients of parameters are wanted.", nameof(options));
        _backend = backend;
        _store = store;
        Buffers = buffers;
        Options = options;

        var lowering = new Lowering(backend, store, prepared, options);
        lowering.DefineInput(graph.Input, new PlanValue("input", buffers.Input, isExternal: true));
        lowering.LowerAll(graph);
        _logits = PlanValue.Of(lowering.ValueOf(graph.Output));
        if (options.Gradients != GradientRequest.None)
        {
            _logitGradient = lowering.NewValue("d(logits)", graph.Output.Shape);
            PlanValue? inputGradient = options.WantsInputGradient
                ? new PlanValue("d(input)", buffers.InputGradient, isExternal: true)
                : null;
            lowering.LowerBackward(graph, _logitGradient, inputGradient);
        }
        _loss = new PlanOperation(
            OperationKind.Loss, PlanPass.Forward, "loss", [_logits], _logitGradient is null ? [] : [_logitGradient],
            run => run.Loss(
                _lossKind, _logits.Tensor, buffers.Labels, buffers.Losses, buffers.Correct, _logitGradient?.Tensor,
                _gradientScale),
            0);
        _prepare = [.. lowering.PrepareOperations];
        _forward = [.. lowering.ForwardOperations];
        _backward = [.. lowering.BackwardOperations];
        _firstLayer = [.. lowering.FirstLayerOperations];
        _owned = lowering.Owned;
        _items = [.. lowering.Items];
        _preparing = backend.Repeat(() => RunAll(_prepare));
        _goingForward = backend.Repeat(() => RunAll(_forward));
        _goingBackward = backend.Repeat(() => RunAll(_backward));
        _goingThroughFirstLayer = backend.Repeat(() => RunAll(_firstLayer));

        MemoryLayout.FindSpans([.. _forward, _loss, .. _backward, .. _firstLayer]);
        (_offsets, MemoryBytes) = MemoryLayout.Place(lowering.Values, backend.Alignment);
    }

    /// <summary>What the plan was compiled for.</summary>
    public PlanOptions Options { get; }

    /// <summary>Where images and labels come from and losses go to.</summary>
    public BatchBuffers Buffers { get; }

    /// <summary>Output of the last layer, N x classes, valid after <see cref="Forward"/>.</summary>
    public Tensor Logits => _logits.Tensor;

    /// <summary>Bytes of the plan's feature maps and their gradients.</summary>
    public long MemoryBytes { get; }

    /// <summary>Everything the plan does, in running order.</summary>
    public IEnumerable<PlanOperation> Operations =>
        [.. _prepare, .. _forward, _loss, .. _backward, .. _firstLayer.Where(operation => operation.Pass == PlanPass.Backward)];

    /// <summary>Floating-point operations that this plan did so far for weights that masks keep, two for a multiply-add. What a
    /// device does besides, for pruned weights too, is not counted.</summary>
    public double ArithmeticDone { get; private set; }

    /// <summary>Told of every operation; null, the default, costs nothing.</summary>
    public IPlanObserver? Observer { get; set; }

    /// <summary>Brings filters up to date if weights or, where they are read, running statistics changed since. The other passes
    /// do so themselves; work that will be repeated without them calls it before.</summary>
    public void Prepare()
    {
        bool current = true;
        foreach (PreparedItem item in _items)
            current &= item.IsCurrent(_store);
        if (current)
            return;
        // All of them, also those that are current: what is recorded must be the same every time.
        Run(_prepare, _preparing);
        foreach (PreparedItem item in _items)
            item.MarkCurrent(_store);
    }

    /// <summary>Images (<see cref="BatchBuffers.Input"/>) to logits, after <see cref="Prepare"/>.</summary>
    public void Forward()
    {
        if (!_isPlaced)
            throw new InvalidOperationException("The plan has no memory; ask the network for it again.");
        Prepare();
        CountArithmetic();
        ArithmeticDone += _forwardArithmetic;
        Run(_forward, _goingForward);
        if (Options.Mode == PlanMode.Train)
            _store.StatisticsChanged();
    }

    /// <summary>Losses and correctness of the batch, and the gradient of the logits if the plan has a backward pass.</summary>
    /// <param name="kind">The loss.</param>
    /// <param name="gradientScale">Factor of the gradient: 1/N for a mean, 1 for the sum that attacks use.</param>
    public void Loss(LossKind kind, float gradientScale)
    {
        _lossKind = kind;
        _gradientScale = gradientScale;
        Run(_loss);
    }

    /// <summary>Sets the gradient of the logits to that of a loss which the backend does not know, in place of
    /// <see cref="Loss"/>, between <see cref="Forward"/> and <see cref="Backward"/>. Any function of the logits can be attacked
    /// so.</summary>
    /// <param name="gradient">N x classes.</param>
    /// <exception cref="InvalidOperationException">The plan was compiled without a backward pass.</exception>
    public void SetLogitGradient(ReadOnlySpan<float> gradient)
    {
        _backend.Upload(gradient, LogitGradient);
    }

    /// <summary>Divergence of each sample's predictions from reference predictions, and the gradient of these logits, in place of
    /// <see cref="Loss"/>.</summary>
    /// <param name="reference">Reference logits, N x classes, outside the plan's memory.</param>
    /// <param name="divergences">Receives N values.</param>
    /// <param name="gradientScale">Factor of the gradient.</param>
    /// <exception cref="InvalidOperationException">The plan was compiled without a backward pass.</exception>
    public void Divergence(Tensor reference, FloatBuffer divergences, float gradientScale) =>
        _backend.Divergence(reference, Logits, divergences, null, LogitGradient, gradientScale);

    /// <summary>Adds to the gradient of these logits, after <see cref="Loss"/>, that of the divergence of other predictions from
    /// them.</summary>
    /// <param name="logits">The other logits, N x classes, outside the plan's memory.</param>
    /// <param name="divergences">Receives N values.</param>
    /// <param name="gradientScale">Factor of the gradient.</param>
    /// <exception cref="InvalidOperationException">The plan was compiled without a backward pass.</exception>
    public void AddDivergenceOf(Tensor logits, FloatBuffer divergences, float gradientScale) =>
        _backend.Divergence(Logits, logits, divergences, LogitGradient, null, gradientScale);

    /// <summary>Gradients of the first layer's parameters at the present images (<see cref="BatchBuffers.Input"/>), for the
    /// gradient of that layer's output that the last <see cref="Backward"/> found, whatever the images were then.</summary>
    /// <exception cref="InvalidOperationException">The plan was not compiled with <see
    /// cref="GradientRequest.FirstLayerApart"/>.</exception>
    public void BackwardFirstLayer()
    {
        if (_firstLayer.Length == 0)
            throw new InvalidOperationException("The plan was compiled without the first layer apart.");
        ArithmeticDone += _firstLayerArithmetic;
        Run(_firstLayer, _goingThroughFirstLayer);
    }

    /// <summary>Logits' gradient to the requested gradients; <see cref="Forward"/> and <see cref="Loss"/> or
    /// <see cref="SetLogitGradient"/> ran before.</summary>
    /// <exception cref="InvalidOperationException">The plan was compiled without a backward pass.</exception>
    public void Backward()
    {
        if (_logitGradient is null)
            throw new InvalidOperationException("The plan was compiled without gradients.");
        ArithmeticDone += _backwardArithmetic;
        Run(_backward, _goingBackward);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _preparing.Dispose();
        _goingForward.Dispose();
        _goingBackward.Dispose();
        _goingThroughFirstLayer.Dispose();
        foreach (IDisposable owned in _owned)
            owned.Dispose();
        _isPlaced = false;
    }

    private Tensor LogitGradient =>
        _logitGradient?.Tensor ?? throw new InvalidOperationException("The plan was compiled without gradients.");

    internal void Place(Arena arena)
    {
        foreach ((PlanValue value, long offset) in _offsets)
            _backend.Place(value.Tensor, arena, offset);
        _isPlaced = true;
    }

    private void CountArithmetic()
    {
        if (_countedMask == _store.MaskVersion)
            return;
        _countedMask = _store.MaskVersion;
        _forwardArithmetic = Arithmetic(_forward);
        _backwardArithmetic = Arithmetic(_backward);
        _firstLayerArithmetic = Arithmetic(_firstLayer);
    }

    private double Arithmetic(PlanOperation[] operations)
    {
        double sum = 0;
        foreach (PlanOperation operation in operations)
            sum += operation.Arithmetic * _store.KeptShare(operation.Layer);
        return sum;
    }

    // An observer is told of every operation, so that they must be called one by one.
    private void Run(PlanOperation[] operations, RepeatedWork work)
    {
        if (Observer is null)
            work.Run();
        else
            RunAll(operations);
    }

    private void RunAll(PlanOperation[] operations)
    {
        foreach (PlanOperation operation in operations)
            Run(operation);
    }

    private void Run(PlanOperation operation)
    {
        IPlanObserver? observer = Observer;
        observer?.Starting(operation);
        operation.Run(_backend);
        observer?.Finished(operation);
    }
}
