using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>What convolutions and linear layers have in common: their operations, and the fusion of what follows them
/// (normalisation by running statistics, residual sum, activation).</summary>
internal static class ConvolutionLowering
{
    public static void Lower(ILowering lowering, Node node, ConvolutionShape shape, bool bias)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        BufferSlice? biasSlice = bias ? lowering.Weights(node, "bias") : null;
        Node last = node;
        BufferSlice? scale = null, shift = biasSlice;
        if (!lowering.UsesBatchStatistics && lowering.FuseNext<BatchNormalization>(node) is { } normalization)
        {
            (scale, shift) = lowering.FoldNormalization(normalization, bias ? node : null, BatchNormalization.Epsilon);
            last = normalization;
        }
        FusedTail tail = lowering.FuseTail(last, allowResidual: true);
        Value? residual = tail.Residual;
        Value y = lowering.Define(tail.Last);

        bool wantsInput = lowering.WantsGradient(x), wantsWeights = lowering.WantsParameterGradients;
        Func<Filter> filter = lowering.NewFilter(node, shape, scale, shift,
            FilterUses.Forward
            | (wantsInput ? FilterUses.BackwardInput : 0)
            | (wantsWeights ? FilterUses.BackwardFilter : 0));
        long operations = 2 * shape.MultiplyAdds * lowering.Batch;

        lowering.Forward(
            OperationKind.ConvolutionForward, node, residual is null ? [x] : [x, residual], [y],
            backend => backend.ConvolutionForward(
                filter(), x.Tensor, y.Tensor, new ForwardEpilogue(shift, residual?.Tensor, tail.Activation)),
            operations);

        lowering.Backward(() =>
        {
            lowering.ActivationGradient(y, tail.Activation, y, node);
            if (lowering.GradientOf(y) is not { } dy)
                return;
            if (residual is not null)
                lowering.PassGradient(y, residual);
            if (lowering.WeightGradients(node, "weight") is { } dw)
            {
                lowering.ParameterStep(OperationKind.ConvolutionBackwardFilter, node, [x, dy],
                    backend => backend.ConvolutionBackwardFilter(filter(), x.Tensor, dy.Tensor, dw), operations);
                if (bias && lowering.WeightGradients(node, "bias") is { } db)
                    lowering.ParameterStep(OperationKind.Elementwise, node, [dy],
                        backend => backend.BiasBackward(dy.Tensor, db));
            }
            if (lowering.BeginGradient(x) is { } dx)
            {
                lowering.GradientStep(OperationKind.ConvolutionBackwardInput, node, dx, [dy],
                    (backend, destination, epilogue) =>
                        backend.ConvolutionBackwardInput(filter(), dy.Tensor, destination, epilogue),
                    operations,
                    (backend, destination, epilogue, factors, summand) =>
                        backend.ConvolutionBackwardInputScaled(filter(), dy.Tensor, destination, epilogue, factors, summand));
            }
        });
    }
}
