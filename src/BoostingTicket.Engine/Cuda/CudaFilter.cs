using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;

namespace BoostingTicket.Engine.Cuda;

/// <summary>A filter of the CUDA backend: its weights as output channel, row, column, input channel, both kinds of channel padded to
/// whole vectors, in the backend's number format.</summary>
internal sealed class CudaFilter : Filter
{
    private readonly DeviceBlock? _packed;

    public CudaFilter(CudaContext context, ConvolutionShape shape, FilterUses uses, ElementType type) : base(shape, uses)
    {
        if (uses.HasFlag(FilterUses.Forward) || uses.HasFlag(FilterUses.BackwardInput))
            _packed = new DeviceBlock(context, FilterKernels.PackedBytes(shape, type), "filters");
    }

    /// <summary>Whether the filter's uses read its weights.</summary>
    public bool HasWeights => _packed is not null;

    /// <summary>Whether <see cref="Packed"/> holds the weights.</summary>
    public bool IsPrepared { get; set; }

    /// <summary>Memory of the packed weights.</summary>
    public DevicePointer Packed => _packed!.Pointer;

    /// <summary>Refuses a use that the filter was not made or not prepared for.</summary>
    public void Require(FilterUses use)
    {
        if (!Uses.HasFlag(use))
            throw new InvalidOperationException($"The filter of {Shape} was made for {Uses}, not for {use}.");
        if (use != FilterUses.BackwardFilter && !IsPrepared)
            throw new InvalidOperationException($"The filter of {Shape} was used before it was prepared.");
    }

    public override long Bytes => _packed?.Bytes ?? 0;

    public override void Dispose() => _packed?.Dispose();

    /// <summary>The CUDA form of a backend-neutral filter.</summary>
    public static CudaFilter Of(Filter filter) => filter as CudaFilter
        ?? throw new ArgumentException("The filter belongs to another backend than CUDA's.", nameof(filter));
}
