using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>The filter gradient of one convolution, by the algorithm that is cheapest for its mask.</summary>
internal abstract unsafe class GradientChoice : IDisposable
{
    /// <summary>The algorithm at present.</summary>
    public abstract FilterGradient Gradient { get; }

    /// <summary>Chooses the algorithm again.</summary>
    /// <param name="mask">1 for kept and 0 for pruned weights, or null.</param>
    public abstract void Repattern(float* mask);

    /// <summary>Frees the algorithm's memory.</summary>
    public void Dispose() => Gradient.Dispose();
}

/// <summary>A choice for one set of instructions.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class GradientChoice<TLanes, TVector>(
    ConvolutionShape shape, ConvolutionPrices prices, WorkerScratch scratch) : GradientChoice
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private readonly ConvolutionShape _shape = ConvolutionPass.Flattened(shape);
    private FilterGradientAlgorithm _algorithm = Choose(ConvolutionPass.Flattened(shape), prices, null);
    private FilterGradient _gradient = Create(
        Choose(ConvolutionPass.Flattened(shape), prices, null), ConvolutionPass.Flattened(shape), null, prices, scratch);

    public override FilterGradient Gradient => _gradient;

    public override void Repattern(float* mask)
    {
        FilterGradientAlgorithm algorithm = Choose(_shape, prices, mask);
        if (algorithm == _algorithm && algorithm != FilterGradientAlgorithm.Sparse)
            return;
        FilterGradient old = _gradient;
        _gradient = Create(algorithm, _shape, mask, prices, scratch);
        _algorithm = algorithm;
        old.Dispose();
    }

    private static FilterGradientAlgorithm Choose(ConvolutionShape shape, ConvolutionPrices prices, float* mask) =>
        FilterGradientCost.Choose(
            prices, new SparseGeometry(shape, forward: true, SparseKernel<TLanes, TVector>.MaximalPixels), shape,
            SparseLists.CountKept(mask, shape.WeightCount));

    private static FilterGradient Create(
        FilterGradientAlgorithm algorithm, ConvolutionShape shape, float* mask, ConvolutionPrices prices,
        WorkerScratch scratch) => algorithm switch
        {
            FilterGradientAlgorithm.Sparse => new SparseFilterGradient<TLanes, TVector>(shape, mask, prices, scratch),
            FilterGradientAlgorithm.Winograd => new WinogradFilterGradient<TLanes, TVector>(shape, scratch),
            _ => new FilterGradient<TLanes, TVector>(shape),
        };
}
