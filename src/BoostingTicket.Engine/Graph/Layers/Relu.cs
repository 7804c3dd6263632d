using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary><c>max(x, 0)</c>. Usually fused into the operation before it.</summary>
public sealed class Relu : Layer
{
    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => inputs[0];

    /// <inheritdoc/>
    public override void Lower(Lowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        Value y = lowering.Define(node);
        lowering.Forward(OperationKind.Elementwise, node, [x], [y],
            backend => backend.ElementwiseForward(x.Tensor, y.Tensor, new ForwardEpilogue(null, null, Relu: true)));
        lowering.Backward(() =>
        {
            lowering.MaskGradient(y, node);
            lowering.PassGradient(y, x);
        });
    }
}
