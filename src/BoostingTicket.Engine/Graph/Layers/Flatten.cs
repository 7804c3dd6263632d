using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>Reads a feature map as a feature vector in channel, row, column order, where a 1x1 map already is one. A
/// <see cref="Linear"/> layer takes maps as they are, so flattening anything larger is its business, and this layer only
/// accepts what it can pass on without work.</summary>
public sealed class Flatten : Layer
{
    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => inputs[0].Pixels == 1
        ? inputs[0]
        : throw new ArgumentException(
            $"flattening {inputs[0]} as a step of its own is not needed: give the map to the linear layer.");

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        lowering.Alias(node, x);
    }
}
