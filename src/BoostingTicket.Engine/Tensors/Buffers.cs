namespace BoostingTicket.Engine.Tensors;

/// <summary>A flat array of float32 on a backend, in logical order (a weight is stored as PyTorch stores it, output
/// channel first). Zero when created. Weights, gradients, momentum, masks and per-sample results live in such buffers.</summary>
internal abstract class FloatBuffer : IDisposable
{
    /// <summary>Number of values.</summary>
    public abstract int Length { get; }

    /// <summary>Address of the first value, where it is memory of the host and stays where it is; 0 on other devices.</summary>
    public virtual nint HostAddress => 0;

    /// <summary>Frees the memory; later use is an error.</summary>
    public abstract void Dispose();

    /// <summary>The whole buffer as a slice.</summary>
    public BufferSlice All => new(this, 0, Length);
}

/// <summary>A flat array of int32 on a backend: labels, sample identities. Zero when created.</summary>
internal abstract class IntBuffer : IDisposable
{
    /// <summary>Number of values.</summary>
    public abstract int Length { get; }

    /// <summary>Frees the memory; later use is an error.</summary>
    public abstract void Dispose();
}

/// <summary>Consecutive values of a <see cref="FloatBuffer"/>.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Offset">Index of the first value.</param>
/// <param name="Length">Number of values.</param>
internal readonly record struct BufferSlice(FloatBuffer Buffer, int Offset, int Length);
