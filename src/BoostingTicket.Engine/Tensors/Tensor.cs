namespace BoostingTicket.Engine.Tensors;

/// <summary>A batch of feature maps on a backend. Opaque: the physical layout belongs to the backend, so code above it
/// imports and exports logical NCHW float32 and never indexes into one.</summary>
internal abstract class Tensor
{
    /// <summary>Describes a batch of feature maps that has no memory yet.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The batch or a dimension is not positive.</exception>
    protected Tensor(int batch, FeatureShape shape)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape.Channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape.Height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape.Width);
        Batch = batch;
        Shape = shape;
    }

    /// <summary>Samples.</summary>
    public int Batch { get; }

    /// <summary>Shape of one sample.</summary>
    public FeatureShape Shape { get; }

    /// <summary>Logical values: samples times values of one sample.</summary>
    public long Length => (long)Batch * Shape.Length;

    /// <summary>Bytes that the tensor occupies in its backend's layout, padding included.</summary>
    public abstract long Bytes { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Batch}x{Shape}";
}
