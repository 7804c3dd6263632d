using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;

namespace BoostingTicket.Engine.Cuda;

/// <summary>A filter of the CUDA backend: its weights as output channel, row, column, input channel, both kinds of channel padded
/// to whole vectors, in the backend's number format; and shifts in the form in which cuDNN adds them: in that format,
/// aligned.</summary>
internal sealed class CudaFilter : Filter
{
    /// <summary>Zeros, the shift beside plain weights, and that beside scaled ones: two plans may prepare one filter in
    /// turn.</summary>
    private const int ShiftForms = 3;

    private readonly DeviceBlock? _packed;
    private readonly DeviceBlock? _shifts;
    private readonly DevicePointer[] _shiftSources = new DevicePointer[ShiftForms];
    private readonly ElementType _type;
    private readonly FilterTables _tables;
    private bool _isDisposed;

    /// <summary>Allocates what the uses need.</summary>
    /// <param name="context">The GPU.</param>
    /// <param name="shape">The convolution.</param>
    /// <param name="uses">What it is used for.</param>
    /// <param name="type">Elements of packed weights.</param>
    /// <param name="tables">Told when its memory goes.</param>
    public CudaFilter(CudaContext context, ConvolutionShape shape, FilterUses uses, ElementType type, FilterTables tables)
        : base(shape, uses)
    {
        _type = type;
        _tables = tables;
        if (uses.HasFlag(FilterUses.Forward) || uses.HasFlag(FilterUses.BackwardInput))
            _packed = new DeviceBlock(context, FilterKernels.PackedBytes(shape, type), "filters");
        // cuDNN would add to padding channels too, which have to stay zero.
        bool isPadded = TensorView.Pad(shape.OutputChannels, type) != shape.OutputChannels;
        if (!uses.HasFlag(FilterUses.Forward) || shape.IsLinear || isPadded)
            return;
        _shifts = new DeviceBlock(context, ShiftForms * ShiftBytes, "shifts of filters");
        context.Driver.Fill(_shifts.Pointer, 0, (nuint)(ShiftForms * ShiftBytes) / sizeof(uint), context.Stream);
    }

    /// <summary>Whether the filter's uses read its weights.</summary>
    public bool HasWeights => _packed is not null;

    /// <summary>Whether <see cref="Packed"/> holds the weights.</summary>
    public bool IsPrepared { get; set; }

    /// <summary>Memory of the packed weights.</summary>
    public DevicePointer Packed => _packed!.Pointer;

    private long ShiftBytes =>
        ((long)Shape.OutputChannels * sizeof(float) + CudaTensor.Alignment - 1) / CudaTensor.Alignment * CudaTensor.Alignment;

    /// <summary>Refuses a use that the filter was not made or not prepared for.</summary>
    public void Require(FilterUses use)
    {
        if (!Uses.HasFlag(use))
            throw new InvalidOperationException($"The filter of {Shape} was made for {Uses}, not for {use}.");
        if (use != FilterUses.BackwardFilter && !IsPrepared)
            throw new InvalidOperationException($"The filter of {Shape} was used before it was prepared.");
    }

    /// <summary>Where to put a shift, converted, when the filter is prepared; null where no pass can use it so.</summary>
    /// <param name="shift">The shift as it is, or null.</param>
    /// <param name="scaled">Whether the weights are scaled.</param>
    public DevicePointer ShiftToPrepare(DevicePointer shift, bool scaled)
    {
        if (_shifts is null || shift.IsNull)
            return DevicePointer.Null;
        int form = scaled ? 2 : 1;
        _shiftSources[form] = shift;
        return _shifts.Pointer + form * ShiftBytes;
    }

    /// <summary>A shift as cuDNN adds it: zeros for none; null where it was not prepared.</summary>
    public DevicePointer PreparedShift(DevicePointer shift)
    {
        if (_shifts is null)
            return DevicePointer.Null;
        if (shift.IsNull)
            return _shifts.Pointer;
        for (int form = 1; form < ShiftForms; form++)
        {
            if (_shiftSources[form] == shift)
                return _shifts.Pointer + form * ShiftBytes;
        }
        return _type == ElementType.Float32 && shift.Address % TensorView.VectorBytes == 0 ? shift : DevicePointer.Null;
    }

    public override long Bytes => (_packed?.Bytes ?? 0) + (_shifts?.Bytes ?? 0);

    public override void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (_packed is not null)
            _tables.Forget(_packed.Pointer);
        _packed?.Dispose();
        _shifts?.Dispose();
    }

    /// <summary>The CUDA form of a backend-neutral filter.</summary>
    public static CudaFilter Of(Filter filter) => filter as CudaFilter
        ?? throw new ArgumentException("The filter belongs to another backend than CUDA's.", nameof(filter));
}
