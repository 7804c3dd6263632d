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

/// <summary>Measured prices of convolutions' steps for one instruction set.</summary>
/// <param name="Direct">Of <see cref="ConvolutionCost.Direct"/>.</param>
/// <param name="Winograd">Of <see cref="ConvolutionCost.Winograd"/>.</param>
/// <param name="Sparse">Of <see cref="ConvolutionCost.Sparse"/>.</param>
/// <param name="Gradient">Of a dense filter gradient, as of <see cref="ConvolutionCost.Direct"/>.</param>
/// <param name="SparseGradient">Of <see cref="FilterGradientCost.Sparse"/>.</param>
internal sealed record ConvolutionPrices(
    StepPrices Direct, StepPrices Winograd, StepPrices Sparse, StepPrices Gradient, StepPrices SparseGradient)
{
    private static readonly ConvolutionPrices Avx512 = new(
        new(0.284, 1), new(0.32, 110), new(0.30, 0.55, 1, 0.6, 5, 5, 8),
        new(0.3, 1), new(0.3, 0.55, 2, 1, 5, 5, 10));

    /// <summary>The prices of an instruction set.</summary>
    public static ConvolutionPrices Of(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => Avx512,
        InstructionSet.Avx2 => Avx512,
        _ => Avx512,
    };
}
