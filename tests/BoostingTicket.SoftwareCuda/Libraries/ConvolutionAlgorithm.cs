using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>An algorithm of a pass: which shapes it takes and what it needs. Numbers, determinism and use of tensor cores are
/// those of cuDNN's algorithms for NHWC filters; sizes of workspaces follow from what such an algorithm keeps there.</summary>
/// <param name="Number">Value of cudnnConvolution{Fwd,BwdData,BwdFilter}Algo_t.</param>
/// <param name="IsDeterministic">Whether it gives the same bits every time.</param>
/// <param name="UsesTensorCores">Whether it runs on tensor cores where the kind of multiply-adds allows that.</param>
/// <param name="Kind">How it works.</param>
internal sealed record ConvolutionAlgorithm(int Number, bool IsDeterministic, bool UsesTensorCores, AlgorithmKind Kind)
{
    private const int WorkspaceGranularity = 256;

    // As FindAlgorithms gives them, the fastest first: what a backend must not take without looking at it stands before what is
    // always right.
    private static readonly ConvolutionAlgorithm[] Forward =
    [
        new(7, true, true, AlgorithmKind.Winograd),
        new(1, true, true, AlgorithmKind.IndexedGemm),
        new(0, true, false, AlgorithmKind.Direct),
    ];

    private static readonly ConvolutionAlgorithm[] BackwardData =
    [
        new(0, false, false, AlgorithmKind.Direct),
        new(5, true, true, AlgorithmKind.Winograd),
        new(1, true, true, AlgorithmKind.IndexedGemm),
    ];

    private static readonly ConvolutionAlgorithm[] BackwardFilter =
    [
        new(3, false, false, AlgorithmKind.PartialSums),
        new(1, true, true, AlgorithmKind.PartialSums),
        new(5, true, true, AlgorithmKind.Winograd),
        new(0, false, false, AlgorithmKind.Direct),
    ];

    /// <summary>The algorithms of a pass, the fastest first.</summary>
    public static IReadOnlyList<ConvolutionAlgorithm> Of(ConvolutionDirection direction) => direction switch
    {
        ConvolutionDirection.Forward => Forward,
        ConvolutionDirection.BackwardData => BackwardData,
        _ => BackwardFilter,
    };

    /// <summary>How many numbers the pass's enumeration has.</summary>
    public static int Count(ConvolutionDirection direction) => direction switch
    {
        ConvolutionDirection.Forward => 8,
        ConvolutionDirection.BackwardData => 6,
        _ => 7,
    };

    /// <summary>Whether it works on a shape. Winograd's are for 3x3 filters of stride 1; bfloat16 on tensor cores in this layout
    /// needs channels in multiples of 8.</summary>
    public bool Supports(in ConvolutionGeometry g)
    {
        if (Kind == AlgorithmKind.Winograd && (g.R != 3 || g.S != 3 || g.Stride != 1))
            return false;
        return !UsesTensorCores || !g.IsBFloat16 || (g.C % 8 == 0 && g.K % 8 == 0);
    }

    /// <summary>Bytes of workspace, which depend on the kind of multiply-adds: what tensor cores need does not suffice without
    /// them.</summary>
    public long WorkspaceBytes(in ConvolutionGeometry g, CudnnMath math)
    {
        long tiles = (long)g.N * ((g.P + 1) / 2) * ((g.Q + 1) / 2);
        long bytes = Kind switch
        {
            AlgorithmKind.IndexedGemm => ((long)g.R * g.S * g.C + g.P * g.Q) * sizeof(int),
            AlgorithmKind.PartialSums => 2L * g.WLength * sizeof(float),
            AlgorithmKind.Winograd => 16 * ((long)g.C * g.K + tiles * (g.C + g.K)) * g.ElementBytes,
            _ => 0,
        };
        if (UsesTensorCores && math == CudnnMath.Fma)
            bytes += WorkspaceGranularity;
        return (bytes + WorkspaceGranularity - 1) / WorkspaceGranularity * WorkspaceGranularity;
    }
}

/// <summary>How an algorithm works, which decides what it keeps in its workspace.</summary>
internal enum AlgorithmKind
{
    /// <summary>Nothing kept.</summary>
    Direct,

    /// <summary>Matrix product with offsets computed beforehand.</summary>
    IndexedGemm,

    /// <summary>Sums over parts of the batch, added at the end.</summary>
    PartialSums,

    /// <summary>Transformed filters, inputs and outputs.</summary>
    Winograd,
}
