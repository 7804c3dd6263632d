using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;

namespace BoostingTicket.Engine.Cpu;

internal sealed partial class CpuBackend<TLanes, TVector>
{
    // Prices are for the sixteen images that lie side by side.
    private const double NanosecondsOfBlock = 1e-9 / 16;

    public double? ForecastConvolution(ConvolutionShape shape, int kept, ConvolutionPasses passes)
    {
        ConvolutionShape flat = ConvolutionPass.Flattened(shape);
        int pixels = SparseKernel<TLanes, TVector>.MaximalPixels;
        var forwards = new SparseGeometry(flat, forward: true, pixels);
        var input = new SparseGeometry(flat, forward: false, pixels);
        return NanosecondsOfBlock * (
            passes.Forward * Cheapest(forwards, forward: true) + passes.InputGradients * Cheapest(input, forward: false)
            + passes.FilterGradients * FilterGradientCost.Of(_prices, forwards, flat, kept));

        double Cheapest(SparseGeometry geometry, bool forward) => ConvolutionCost.Of(
            _prices, geometry, flat, forward, kept,
            ConvolutionCost.Choose(_prices, geometry, flat, forward, kept));
    }
}
