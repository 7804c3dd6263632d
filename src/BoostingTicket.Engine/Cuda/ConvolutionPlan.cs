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

    /// <summary>cuDNN's algorithm.</summary>
    public int Algorithm { get; set; }

    /// <summary>Algorithms to fall back on, in this order, when the chosen one turns out not to work.</summary>
    public Queue<CudnnAlgorithm> Candidates { get; } = new();

    /// <summary>Whether the algorithm ran once, so that a later failure is no reason for another one.</summary>
    public bool IsProven { get; set; }

    /// <summary>Whether cuDNN adds the pass to what its destination holds; null until it was tried.</summary>
    public bool? Accumulates { get; set; }

    /// <summary>Workspace of the algorithm.</summary>
    public nuint WorkspaceBytes { get; set; }

    /// <summary>What cuDNN refused last of this pass; null when nothing.</summary>
    public CudaException? Refusal { get; set; }

    /// <summary>Whether one call of cuDNN for convolution, shift, residual and activation is faster than convolution and epilogue
    /// apart; null until it was measured. See <see cref="EpilogueOf"/>.</summary>
    public bool?[] Fuses { get; } = new bool?[4];

    /// <summary>Index in <see cref="Fuses"/>: with ReLU without and with a residual, then without an activation.</summary>
    public static int EpilogueOf(bool hasResidual, ActivationKind activation) =>
        (hasResidual ? 1 : 0) + (activation == ActivationKind.None ? 2 : 0);
}
