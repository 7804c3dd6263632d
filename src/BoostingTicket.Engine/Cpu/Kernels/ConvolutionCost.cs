using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Which algorithm a dense convolution takes. The costs are cycles for a block of sixteen images, fitted to
/// measurements of 3 to 512 channels on 32x32 to 4x4 pixels on one Zen 4 core; between the two there is a factor of two and
/// more except near the border, so other machines need no other numbers.</summary>
internal static class ConvolutionCost
{
    private const double DirectProduct = 1.05;
    private const double WinogradProduct = 1.18;
    private const double WinogradTransform = 450;

    /// <summary>Whether Winograd's algorithm can compute a convolution's forward pass and input gradient.</summary>
    public static bool WinogradApplies(ConvolutionShape shape) =>
        shape is { KernelHeight: 3, KernelWidth: 3, Stride: 1, Padding: <= 2, IsLinear: false };

    /// <summary>Whether Winograd's algorithm can compute it and is the faster one.</summary>
    public static bool PrefersWinograd(ConvolutionShape shape)
    {
        if (!WinogradApplies(shape))
            return false;
        double channelPairs = (double)shape.Input.Channels * shape.OutputChannels;
        double taps = Taps(AxisMap.Rows(shape, forward: true)) * Taps(AxisMap.Columns(shape, forward: true));
        double direct = DirectProduct * taps * channelPairs;
        double tiles = Tiles(shape.Output.Height) * Tiles(shape.Output.Width);
        double winograd = tiles * (WinogradTransforms.Elements * WinogradProduct * channelPairs
            + WinogradTransform * (shape.Input.Channels + shape.OutputChannels));
        return winograd < direct;
    }

    private static double Taps(AxisMap map) => map.Taps.Sum(taps => taps.Length);

    private static double Tiles(int outputs) => (outputs + WinogradTransforms.Outputs - 1) / WinogradTransforms.Outputs;
}
