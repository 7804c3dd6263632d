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
    private FilterGradient _gradient = new FilterGradient<TLanes, TVector>(shape);

    public override FilterGradient Gradient => _gradient;

    public override void Repattern(float* mask)
    {
        FilterGradient old = _gradient;
        if (PrefersSparse(mask))
            _gradient = new SparseFilterGradient<TLanes, TVector>(_shape, mask, prices, scratch);
        else if (old is not FilterGradient<TLanes, TVector>)
            _gradient = new FilterGradient<TLanes, TVector>(_shape);
        else
            return;
        old.Dispose();
    }

    private bool PrefersSparse(float* mask) => mask != null && FilterGradientCost.PrefersSparse(
        prices, new SparseGeometry(_shape, forward: true, SparseKernel<TLanes, TVector>.MaximalPixels), _shape,
        SparseLists.CountKept(mask, _shape.WeightCount));
}
