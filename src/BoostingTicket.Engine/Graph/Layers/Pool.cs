using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>Max or average pooling.</summary>
/// <param name="shape">Kind, window and stride.</param>
internal sealed class Pool(PoolShape shape) : Layer
{
    /// <summary>Kind, window and stride.</summary>
    public PoolShape Shape => shape;

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs)
    {
        FeatureShape input = inputs[0];
        if (input.Height < shape.Window || input.Width < shape.Window)
            throw new ArgumentException($"a pooling window of {shape.Window} does not fit into {input}.");
        return shape.Output(input);
    }

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        Value y = lowering.Define(node);
        lowering.Forward(OperationKind.Pooling, node, [x], [y], backend => backend.PoolForward(shape, x.Tensor, y.Tensor));
        lowering.Backward(() =>
        {
            Value? dy = lowering.GradientOf(y);
            if (dy is null || lowering.BeginGradient(x) is not { } dx)
                return;
            // Average pooling's gradient does not depend on values; naming them keeps no buffer alive that max needs anyway.
            Value[] reads = shape.Kind == PoolKind.Max ? [x, y, dy] : [dy];
            lowering.GradientStep(OperationKind.Pooling, node, dx, reads,
                (backend, destination, epilogue) =>
                    backend.PoolBackward(shape, x.Tensor, y.Tensor, dy.Tensor, destination, epilogue));
        });
    }
}
