using System.Runtime.CompilerServices;

// The program that measures the prices.
[assembly: InternalsVisibleTo("BoostingTicket.Calibration")]

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The prices of an algorithm's steps in nanoseconds, in the order in which <see cref="ConvolutionCost"/> counts
/// them.</summary>
internal readonly struct StepPrices(params double[] nanoseconds)
{
    private readonly double[] _nanoseconds = nanoseconds;

    /// <summary>What so many steps cost, in nanoseconds.</summary>
    public double Of(ReadOnlySpan<double> steps)
    {
        double sum = 0;
        for (int i = 0; i < steps.Length; i++)
            sum += steps[i] * _nanoseconds[i];
        return sum;
    }
}

/// <summary>Measured prices of convolutions' steps for one instruction set: fitted by
/// <c>benchmarks/BoostingTicket.Calibration</c> to the times of some thousand candidates - the shapes of the networks, both
/// directions, six densities, several chunks - on one Zen 4 core, within 10 to 28 % (root of the mean square). With AVX-512 what
/// they choose takes 4 % longer than the best candidate on average and no longer in the median. They are part of the build, so
/// that equal seeds give equal bits on every run; on another machine they may choose the second best, never wrong results. Prices
/// of passes by phases, of F(4x4, 5x5) and of filter gradients by Winograd's algorithm are of an Intel Xeon (family 6, model 207)
/// with other work beside, as ratios to the direct algorithm measured in turn with them: within 10 to 20 % by phases, whose
/// transforms are priced by their operations (the wide layers measured do not tell them apart; input gradients with AVX-512 at
/// the upper end), and within 11 % of F(4x4, 5x5) and of filter gradients.</summary>
/// <param name="Direct">Of <see cref="ConvolutionCost.Direct"/>.</param>
/// <param name="Winograd">Of <see cref="ConvolutionCost.Winograd"/>.</param>
/// <param name="WideWinograd">Of the same for filters of 5x5.</param>
/// <param name="Polyphase">Of <see cref="ConvolutionCost.Polyphase"/>.</param>
/// <param name="Sparse">Of <see cref="ConvolutionCost.Sparse"/>.</param>
/// <param name="Gradient">Of a dense filter gradient, as of <see cref="ConvolutionCost.Direct"/>.</param>
/// <param name="WinogradGradient">Of <see cref="FilterGradientCost.Winograd"/>.</param>
/// <param name="SparseGradient">Of <see cref="FilterGradientCost.Sparse"/>.</param>
internal sealed record ConvolutionPrices(
    StepPrices Direct, StepPrices Winograd, StepPrices WideWinograd, StepPrices Polyphase, StepPrices Sparse,
    StepPrices Gradient, StepPrices WinogradGradient, StepPrices SparseGradient)
{
    private static readonly ConvolutionPrices Avx512 = new(
        new(0.298, 0.85), new(0.296, 91.7, 17.7), new(0.29, 182, 50), new(0.375, 150, 60, 250, 400),
        new(0.298, 0.465, 0.488, 0.73, 0, 2.3, 3.23), new(0.341, 1.01), new(0.385, 225, 3.13),
        new(0.401, 0.635, 0, 1.02, 0, 2.36, 0.624));

    private static readonly ConvolutionPrices Avx2 = new(
        new(0.349, 1.63), new(0.356, 97.7, 17.2), new(0.31, 214, 39), new(0.44, 250, 60, 250, 150),
        new(0.385, 0.834, 0, 0, 9.62, 2.5, 3.42), new(0.411, 1.62), new(0.39, 197, 3.02),
        new(0.485, 1.17, 0, 1.41, 2.09, 1.72, 0.583));

    private static readonly ConvolutionPrices Portable = new(
        new(0.351, 1.69), new(0.356, 98.2, 18.2), new(0.31, 220, 41), new(0.44, 250, 60, 250, 150),
        new(0.396, 0.845, 0, 0, 9.33, 2.46, 3.71), new(0.416, 1.64), new(0.377, 240, 10),
        new(0.519, 1.18, 0, 1.54, 0, 1.88, 0.631));

    /// <summary>The prices of an instruction set.</summary>
    public static ConvolutionPrices Of(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => Avx512,
        InstructionSet.Avx2 => Avx2,
        _ => Portable,
    };
}
