using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary><c>x + residual</c>. Usually fused into the operation before it.</summary>
internal sealed class ResidualSum : Layer
{
    /// <inheritdoc/>
    public override int InputCount => 2;

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => inputs[0] == inputs[1]
        ? inputs[0]
        : throw new ArgumentException($"a sum needs equal shapes, not {inputs[0]} and {inputs[1]}.");

    /// <inheritdoc/>
    public override LayerFusion Fusion => new(AddsResidual: true, Activation.None);

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        Value residual = lowering.ValueOf(node.Inputs[1]);
        FusedTail tail = lowering.FuseTail(node, allowResidual: false);
        Value y = lowering.Define(tail.Last);
        lowering.Forward(OperationKind.Elementwise, node, [x, residual], [y],
            backend => backend.ElementwiseForward(
                x.Tensor, y.Tensor, new ForwardEpilogue(null, residual.Tensor, tail.Activation)));
        lowering.Backward(() =>
        {
            lowering.ActivationGradient(y, tail.Activation, y, node);
            lowering.PassGradient(y, x);
            lowering.PassGradient(y, residual);
        });
    }
}
