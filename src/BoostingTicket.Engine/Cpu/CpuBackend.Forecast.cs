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
        var forward = new SparseGeometry(flat, forward: true, pixels);
        var input = new SparseGeometry(flat, forward: false, pixels);
        return NanosecondsOfBlock * (
            passes.Forward * ConvolutionCost.Of(_prices, forward, flat, forward: true, kept)
            + passes.InputGradients * ConvolutionCost.Of(_prices, input, flat, forward: false, kept)
            + passes.FilterGradients * FilterGradientCost.Of(_prices, forward, flat, kept));
    }
}
