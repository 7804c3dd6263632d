using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary>Two-dimensional convolution. Its weights are prunable.</summary>
/// <param name="outputs">Output channels.</param>
/// <param name="kernelHeight">Rows of the kernel.</param>
/// <param name="kernelWidth">Columns of the kernel.</param>
/// <param name="stride">Step between outputs.</param>
/// <param name="padding">Zeros on every side.</param>
/// <param name="bias">Whether a bias is added.</param>
internal sealed class Convolution(int outputs, int kernelHeight, int kernelWidth, int stride, int padding, bool bias) : Layer
{
    /// <inheritdoc/>
    public override IReadOnlyList<ParameterSpec> Parameters(FeatureShape input)
    {
        var weight = new ParameterSpec(
            "weight", [outputs, input.Channels, kernelHeight, kernelWidth], ParameterRole.ConvolutionWeight, Prunable: true)
        {
            // Impossible numbers are refused by OutputShape.
            Uses = stride < 1 ? 0 : ShapeFor(input).Output.Pixels,
        };
        return bias ? [weight, new ParameterSpec("bias", [outputs], ParameterRole.Bias)] : [weight];
    }

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs)
    {
        FeatureShape input = inputs[0];
        if (outputs < 1 || kernelHeight < 1 || kernelWidth < 1 || stride < 1 || padding < 0)
            throw new ArgumentException("outputs, kernel and stride must be positive, padding not negative.");
        if (input.Height + 2 * padding < kernelHeight || input.Width + 2 * padding < kernelWidth)
            throw new ArgumentException($"a {kernelHeight}x{kernelWidth} kernel does not fit into {input}.");
        return ShapeFor(input).Output;
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(FeatureShape input) => ShapeFor(input).MultiplyAdds;

    /// <inheritdoc/>
    public override bool IsConvolution => true;

    /// <inheritdoc/>
    public override ConvolutionShape? ConvolutionFor(FeatureShape input) => ShapeFor(input);

    /// <inheritdoc/>
    public override Layer WithOutputs(int channels) =>
        new Convolution(channels, kernelHeight, kernelWidth, stride, padding, bias);

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node) =>
        ConvolutionLowering.Lower(lowering, node, ShapeFor(node.Inputs[0].Shape), bias);

    /// <summary>The convolution over images of a shape.</summary>
    public ConvolutionShape ShapeFor(FeatureShape input) =>
        new(input, outputs, kernelHeight, kernelWidth, stride, padding);
}
