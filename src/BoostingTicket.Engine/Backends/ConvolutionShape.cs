using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

/// <summary>A two-dimensional convolution with a square stride and padding, groups and dilation 1. A linear layer is the
/// convolution whose kernel is its whole input, so flattening costs nothing in any layout.</summary>
/// <param name="Input">Shape of one input sample.</param>
/// <param name="OutputChannels">Filters.</param>
/// <param name="KernelHeight">Rows of a filter.</param>
/// <param name="KernelWidth">Columns of a filter.</param>
/// <param name="Stride">Step between outputs, in both directions.</param>
/// <param name="Padding">Rows and columns of zeros on every side.</param>
internal readonly record struct ConvolutionShape(
    FeatureShape Input, int OutputChannels, int KernelHeight, int KernelWidth, int Stride, int Padding)
{
    /// <summary>The linear layer that maps every value of <paramref name="input"/> to <paramref name="outputs"/>
    /// features.</summary>
    public static ConvolutionShape Linear(FeatureShape input, int outputs) =>
        new(input, outputs, input.Height, input.Width, 1, 0);

    /// <summary>Shape of one output sample.</summary>
    public FeatureShape Output => new(
        OutputChannels,
        (Input.Height + 2 * Padding - KernelHeight) / Stride + 1,
        (Input.Width + 2 * Padding - KernelWidth) / Stride + 1);

    /// <summary>Whether the kernel covers the whole input: a linear layer.</summary>
    public bool IsLinear => Padding == 0 && KernelHeight == Input.Height && KernelWidth == Input.Width;

    /// <summary>Weights: output channels x input channels x kernel rows x kernel columns.</summary>
    public int WeightCount => OutputChannels * Input.Channels * KernelHeight * KernelWidth;

    /// <summary>Multiply-adds of the forward pass of one sample; the input gradient and the filter gradient cost as
    /// much.</summary>
    public long MultiplyAdds => (long)WeightCount * Output.Pixels;
}
