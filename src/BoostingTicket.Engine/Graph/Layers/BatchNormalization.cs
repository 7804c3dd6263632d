using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>Batch normalisation (Ioffe and Szegedy, 2015), 1d and 2d. With running statistics it is a scale and a shift,
/// folded into the convolution before it where there is one.</summary>
internal sealed class BatchNormalization : Layer
{
    /// <summary>Added to variances.</summary>
    public const float Epsilon = 1e-5f;

    /// <summary>Weight of a new batch in the running statistics.</summary>
    public const float Momentum = 0.1f;

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => inputs[0];

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(FeatureShape input)
    {
        int[] dimensions = [input.Channels];
        return
        [
            new ParameterSpec("weight", dimensions, ParameterRole.NormalizationScale),
            new ParameterSpec("bias", dimensions, ParameterRole.NormalizationShift),
            new ParameterSpec("running_mean", dimensions, ParameterRole.RunningMean),
            new ParameterSpec("running_var", dimensions, ParameterRole.RunningVariance),
        ];
    }

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node)
    {
        if (lowering.UsesBatchStatistics)
            LowerBatchStatistics(lowering, node);
        else
            LowerRunningStatistics(lowering, node);
    }

    private static void LowerBatchStatistics(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        FusedTail tail = lowering.FuseTail(node, allowResidual: true);
        Value? residual = tail.Residual;
        Value y = lowering.Define(tail.Last);
        int channels = node.Shape.Channels;
        var operands = new NormalizationOperands(
            lowering.Weights(node, "weight"), lowering.Weights(node, "bias"),
            lowering.Scratch(channels), lowering.Scratch(channels), Epsilon);
        RunningStatistics? running = lowering.UpdatesStatistics
            ? new RunningStatistics(lowering.Statistics(node, "running_mean"), lowering.Statistics(node, "running_var"), Momentum)
            : null;
        lowering.Forward(OperationKind.Normalization, node, residual is null ? [x] : [x, residual], [y],
            backend => backend.NormalizationForward(
                operands, running, x.Tensor, y.Tensor, new ForwardEpilogue(null, residual?.Tensor, tail.Activation)));

        lowering.Backward(() =>
        {
            lowering.ActivationGradient(y, tail.Activation, y, node);
            if (lowering.GradientOf(y) is not { } dy)
                return;
            if (residual is not null)
                lowering.PassGradient(y, residual);
            BufferSlice? dScale = lowering.WeightGradients(node, "weight"), dShift = lowering.WeightGradients(node, "bias");
            if (lowering.BeginGradient(x) is not { } dx)
            {
                if (dScale is null)
                    return;
                // The parameters' gradients are wanted, the input's is not: it goes to a buffer that nobody reads.
                dx = lowering.DiscardedGradient(x);
            }
            lowering.GradientStep(OperationKind.Normalization, node, dx, [x, dy],
                (backend, destination, epilogue) => backend.NormalizationBackward(
                    operands, x.Tensor, dy.Tensor, destination, dScale, dShift, epilogue));
        });
    }

    private static void LowerRunningStatistics(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        FusedTail tail = lowering.FuseTail(node, allowResidual: true);
        Value? residual = tail.Residual;
        Value y = lowering.Define(tail.Last);
        (BufferSlice scale, BufferSlice shift) = lowering.FoldNormalization(node, convolution: null, Epsilon);
        lowering.Forward(OperationKind.Normalization, node, residual is null ? [x] : [x, residual], [y],
            backend => backend.ScaleForward(
                x.Tensor, scale, y.Tensor, new ForwardEpilogue(shift, residual?.Tensor, tail.Activation)));
        lowering.Backward(() =>
        {
            lowering.ActivationGradient(y, tail.Activation, y, node);
            if (residual is not null)
                lowering.PassGradient(y, residual);
            lowering.ScaleGradient(node, y, scale, x);
        });
    }
}
