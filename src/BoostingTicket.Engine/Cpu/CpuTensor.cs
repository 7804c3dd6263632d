using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

/// <summary>float32 feature maps as blocks of sixteen images: block, channel, row, column, image. The last block's unused
/// lanes hold finite numbers in activations and exact zeros in gradients, so that sums over a batch need no masks.</summary>
internal sealed unsafe class CpuTensor : Tensor
{
    private float* _data;

    public CpuTensor(int batch, FeatureShape shape) : base(batch, shape) { }

    /// <summary>Blocks of sixteen images.</summary>
    public int Blocks => (Batch + Layout.Lanes - 1) / Layout.Lanes;

    /// <summary>Floats from one block to the next.</summary>
    public nint BlockStride => (nint)Shape.Length * Layout.Lanes;

    /// <summary>Floats from one channel to the next.</summary>
    public nint ChannelStride => (nint)Shape.Pixels * Layout.Lanes;

    /// <summary>Floats in all, unused lanes included.</summary>
    public long PhysicalLength => Blocks * (long)BlockStride;

    public override long Bytes => PhysicalLength * sizeof(float);

    /// <summary>The first float, 64-byte aligned.</summary>
    public float* Data => _data != null
        ? _data
        : throw new InvalidOperationException($"The tensor {this} was used before it was placed.");

    /// <summary>Images in a block: 16, or fewer in the last.</summary>
    public int LanesUsed(int block) => Math.Min(Layout.Lanes, Batch - block * Layout.Lanes);

    public void Place(CpuArena arena, long offset)
    {
        if (offset < 0 || offset % CpuArena.Alignment != 0 || offset + Bytes > arena.Bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{Bytes} bytes do not fit at this offset.");
        _data = (float*)(arena.Data + offset);
    }

    /// <summary>The CPU form of a backend-neutral tensor.</summary>
    public static CpuTensor Of(Tensor tensor) => tensor as CpuTensor
        ?? throw new ArgumentException($"The tensor {tensor} belongs to another backend than the CPU's.", nameof(tensor));
}
