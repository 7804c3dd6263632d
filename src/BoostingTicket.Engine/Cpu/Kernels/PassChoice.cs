using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.BFloat16;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>One direction of one convolution, by the algorithm that is cheapest for its mask.</summary>
internal abstract unsafe class PassChoice : IDisposable
{
    /// <summary>The algorithm at present.</summary>
    public abstract ConvolutionPass Pass { get; }

    /// <summary>Chooses the algorithm again.</summary>
    /// <param name="mask">1 for kept and 0 for pruned weights, or null.</param>
    public abstract void Repattern(float* mask);

    /// <summary>Frees the algorithm's memory.</summary>
    public void Dispose() => Pass.Dispose();
}

/// <summary>A choice for one set of instructions.</summary>
/// <typeparam name="TLanes">Instructions.</typeparam>
/// <typeparam name="TVector">Their vector.</typeparam>
internal sealed unsafe class PassChoice<TLanes, TVector> : PassChoice
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private readonly ConvolutionShape _shape;
    private readonly bool _forward;
    private readonly ConvolutionPrices _prices;
    private readonly WorkerScratch _scratch;
    private readonly BFloat16Kernels? _bfloat16;
    private ConvolutionAlgorithm _algorithm;
    private ConvolutionPass _pass;

    /// <param name="shape">The convolution.</param>
    /// <param name="forward">Forward pass, or input gradient.</param>
    /// <param name="prices">What steps cost.</param>
    /// <param name="scratch">Workers' memory.</param>
    /// <param name="bfloat16">What computes in bfloat16 where that is cheaper; null where it must not.</param>
    public PassChoice(
        ConvolutionShape shape, bool forward, ConvolutionPrices prices, WorkerScratch scratch, BFloat16Kernels? bfloat16)
    {
        _bfloat16 = bfloat16;
        _shape = ConvolutionPass.Flattened(shape);
        _forward = forward;
        _prices = prices;
        _scratch = scratch;
        _algorithm = Choose(null);
        _pass = Create(_algorithm, null);
    }

    public override ConvolutionPass Pass => _pass;

    public override void Repattern(float* mask)
    {
        ConvolutionAlgorithm algorithm = Choose(mask);
        if (algorithm == _algorithm && algorithm != ConvolutionAlgorithm.Sparse)
            return;
        ConvolutionPass old = _pass;
        _pass = Create(algorithm, mask);
        _algorithm = algorithm;
        old.Dispose();
    }

    private ConvolutionAlgorithm Choose(float* mask)
    {
        var geometry = new SparseGeometry(_shape, _forward, SparseKernel<TLanes, TVector>.MaximalPixels);
        int kept = SparseLists.CountKept(mask, _shape.WeightCount);
        ConvolutionAlgorithm algorithm = ConvolutionCost.Choose(_prices, geometry, _shape, _forward, kept);
        return _bfloat16 is not null && BFloat16Cost.IsCheaper(_bfloat16, _prices, geometry, _shape, _forward, algorithm, kept)
            ? ConvolutionAlgorithm.BFloat16
            : algorithm;
    }

    private ConvolutionPass Create(ConvolutionAlgorithm algorithm, float* mask) => algorithm switch
    {
        ConvolutionAlgorithm.Sparse => new SparsePass<TLanes, TVector>(_shape, _forward, mask, _prices, _scratch),
        ConvolutionAlgorithm.BFloat16 => new BFloat16Pass<TLanes, TVector>(_shape, _forward, _bfloat16!, _scratch),
        ConvolutionAlgorithm.Winograd => new WinogradPass<TLanes, TVector>(_shape, _forward, _scratch),
        ConvolutionAlgorithm.Polyphase => new PolyphasePass<TLanes, TVector>(_shape, _forward, _scratch),
        _ => new DirectPass<TLanes, TVector>(_shape, _forward),
    };
}
