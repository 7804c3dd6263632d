using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>Linear layer with bias over all values of its input, in channel, row, column order.</summary>
/// <param name="outputs">Output features.</param>
/// <param name="prunable">Whether its weights may be pruned; the last layer's are not, by default of the field.</param>
internal sealed class Linear(int outputs, bool prunable) : Layer
{
    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(FeatureShape input) =>
    [
        new ParameterSpec("weight", [outputs, input.Length], ParameterRole.LinearWeight, prunable),
        new ParameterSpec("bias", [outputs], ParameterRole.Bias),
    ];

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => outputs >= 1
        ? new FeatureShape(outputs)
        : throw new ArgumentException("a linear layer needs at least one output.");

    /// <inheritdoc/>
    public override long MultiplyAdds(FeatureShape input) => (long)input.Length * outputs;

    /// <inheritdoc/>
    public override bool IsConvolution => true;

    /// <inheritdoc/>
    public override ConvolutionShape? ConvolutionFor(FeatureShape input) => ConvolutionShape.Linear(input, outputs);

    /// <inheritdoc/>
    public override Layer WithOutputs(int channels) => new Linear(channels, prunable);

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node) =>
        ConvolutionLowering.Lower(lowering, node, ConvolutionShape.Linear(node.Inputs[0].Shape, outputs), bias: true);
}
