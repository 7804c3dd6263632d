namespace BoostingTicket.Engine.Tensors;

/// <summary>Number format of activations and of the multiply-adds. Weights, statistics and gradients of weights are
/// float32 in every precision.</summary>
public enum Precision
{
    /// <summary>IEEE float32 throughout.</summary>
    Float32,

    /// <summary>float32 storage, products rounded to TF32 by tensor cores. CUDA only.</summary>
    TensorFloat32,

    /// <summary>On CUDA bfloat16 activations, on the CPU bfloat16 factors in the convolutions of attacks alone; float32
    /// accumulation.</summary>
    BFloat16,
}
