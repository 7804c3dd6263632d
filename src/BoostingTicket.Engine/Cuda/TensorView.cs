using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Number format of a tensor's elements on the device.</summary>
internal enum ElementType
{
    /// <summary>float32.</summary>
    Float32,

    /// <summary>bfloat16.</summary>
    BFloat16,
}

/// <summary>A batch of feature maps in device memory: sample, row, column, channel. The channels of a pixel are padded to a
/// multiple of 16 bytes, so that kernels read and write nothing but whole 16-byte vectors; padding channels always hold
/// zeros.</summary>
/// <param name="Data">The first element, aligned to 256 bytes.</param>
/// <param name="Type">Elements.</param>
/// <param name="Batch">Samples.</param>
/// <param name="Shape">Logical shape of a sample.</param>
internal readonly record struct TensorView(DevicePointer Data, ElementType Type, int Batch, FeatureShape Shape)
{
    /// <summary>Bytes of a vector.</summary>
    public const int VectorBytes = 16;

    /// <summary>Bytes of an element.</summary>
    public int ElementBytes => Type == ElementType.Float32 ? 4 : 2;

    /// <summary>Elements of a vector: 4 float32 or 8 bfloat16.</summary>
    public int VectorLength => VectorBytes / ElementBytes;

    /// <summary>Channels of a pixel, padding included.</summary>
    public int PhysicalChannels => Pad(Shape.Channels, Type);

    /// <summary>Pixels of all samples.</summary>
    public long Pixels => (long)Batch * Shape.Pixels;

    /// <summary>Elements, padding included.</summary>
    public long PhysicalLength => Pixels * PhysicalChannels;

    /// <summary>Bytes, padding included.</summary>
    public long Bytes => PhysicalLength * ElementBytes;

    /// <summary>Channels padded to whole vectors.</summary>
    public static int Pad(int channels, ElementType type)
    {
        int length = type == ElementType.Float32 ? 4 : 8;
        return (channels + length - 1) / length * length;
    }
}
