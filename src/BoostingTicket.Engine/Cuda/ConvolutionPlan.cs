using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>One pass of one convolution at one batch size: how it is computed, chosen once.</summary>
internal sealed class ConvolutionPlan
{
    /// <summary>The pass.</summary>
    public required ConvolutionDirection Direction { get; init; }

    /// <summary>The convolution.</summary>
    public required ConvolutionShape Shape { get; init; }

    /// <summary>Samples.</summary>
    public required int Batch { get; init; }

    /// <summary>cuDNN's descriptions with no memory; empty for a linear layer, which is a matrix product.</summary>
    public CudnnConvolution Operands { get; init; }

    /// <summary>Description of a summand for each output channel.</summary>
    public nint BiasTensor { get; init; }

    /// <summary>The library that computes it.</summary>
    public string Library => Shape.IsLinear ? "cuBLAS" : "cuDNN";

    /// <summary>cuDNN's algorithm.</summary>
    public int Algorithm { get; set; }

    /// <summary>Algorithms to fall back on, in this order, when the chosen one turns out not to work.</summary>
    public Queue<CudnnAlgorithm> Candidates { get; } = new();

    /// <summary>The kind of multiply-adds that the algorithm uses.</summary>
    public CudnnMath Math { get; set; }

    /// <summary>What the algorithm took when it was measured; null when it was not.</summary>
    public float? Milliseconds { get; set; }

    /// <summary>Whether the algorithm's values were compared with those of another way and with double precision.</summary>
    public bool IsChecked { get; set; }

    /// <summary>Algorithms that gave wrong values, never to be taken.</summary>
    public HashSet<(int Algorithm, CudnnMath Math)> Wrong { get; } = [];

    /// <summary>What was dropped and why, for people.</summary>
    public List<string> Dropped { get; } = [];

    /// <summary>Of a linear layer, the kind of multiply-adds of its matrix product.</summary>
    public CublasCompute Product { get; set; }

    /// <summary>Whether one call of the library that adds the pass to what its destination holds is faster than the pass and a
    /// sum apart; null until it was measured. See <see cref="SumOf"/>.</summary>
    public bool?[] Accumulates { get; } = new bool?[2];

    /// <summary>Index in <see cref="Accumulates"/>: whether a kernel finishes the sum in either way (a shift, an activation, its
    /// derivative), which then adds at the price of one more operand.</summary>
    public static int SumOf(bool finishes) => finishes ? 1 : 0;

    /// <summary>Workspace of the algorithm.</summary>
    public nuint WorkspaceBytes { get; set; }

    /// <summary>The pass in words: the same in every process, so that what was chosen for it is found again.</summary>
    public string Name => string.Create(
        CultureInfo.InvariantCulture,
        $"{Words} of {Shape.Input} by {Shape.OutputChannels} filters of {Shape.KernelHeight}x{Shape.KernelWidth}, stride "
        + $"{Shape.Stride}, "
        + $"padding {Shape.Padding}, batch {Batch}");

    /// <summary>What the library refused last of this pass; null when nothing.</summary>
    public CudaException? Refusal { get; set; }

    /// <summary>Whether one call of cuDNN for convolution, shift, residual and activation is faster than convolution and epilogue
    /// apart; null until it was measured. See <see cref="EpilogueOf"/>.</summary>
    public bool?[] Fuses { get; } = new bool?[4];

    /// <summary>Index in <see cref="Fuses"/>: with ReLU without and with a residual, then without an activation.</summary>
    public static int EpilogueOf(bool hasResidual, ActivationKind activation) =>
        (hasResidual ? 1 : 0) + (activation == ActivationKind.None ? 2 : 0);

    private string Words => Direction switch
    {
        ConvolutionDirection.Forward => "forward pass",
        ConvolutionDirection.BackwardData => "input gradient",
        _ => "filter gradient",
    };
}
