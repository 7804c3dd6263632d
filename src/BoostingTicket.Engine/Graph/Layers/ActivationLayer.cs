using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>An activation. Usually fused into the operation before it.</summary>
/// <param name="activation">The function.</param>
internal sealed class ActivationLayer(Activation activation) : Layer
{
    /// <summary>The function.</summary>
    public Activation Activation { get; } = activation;

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => inputs[0];

    /// <inheritdoc/>
    public override LayerFusion Fusion => new(AddsResidual: false, Activation);

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        Value y = lowering.Define(node);
        lowering.Forward(OperationKind.Elementwise, node, [x], [y],
            backend => backend.ElementwiseForward(x.Tensor, y.Tensor, new ForwardEpilogue(null, null, Activation)));
        lowering.Backward(() =>
        {
            lowering.ActivationGradient(y, Activation, Activation.NeedsInput ? x : y, node);
            lowering.PassGradient(y, x);
        });
    }
}
