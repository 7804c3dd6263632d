using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Feature maps on the device, in the layout of <see cref="TensorView"/>.</summary>
internal sealed class CudaTensor : Tensor
{
    /// <summary>Tensors start at multiples of this many bytes.</summary>
    public const int Alignment = 256;

    private TensorView _view;

    public CudaTensor(ElementType type, int batch, FeatureShape shape) : base(batch, shape) =>
        _view = new TensorView(DevicePointer.Null, type, batch, shape);

    public ElementType Type => _view.Type;

    public override long Bytes => _view.Bytes;

    /// <summary>Where it is.</summary>
    public TensorView View => !_view.Data.IsNull
        ? _view
        : throw new InvalidOperationException($"The tensor {this} was used before it was placed.");

    public void Place(CudaArena arena, long offset)
    {
        if (offset < 0 || offset % Alignment != 0 || offset + Bytes > arena.Bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{Bytes} bytes do not fit at this offset.");
        _view = _view with { Data = arena.Pointer + offset };
    }

    /// <summary>The CUDA form of a backend-neutral tensor.</summary>
    public static CudaTensor Of(Tensor tensor) => tensor as CudaTensor
        ?? throw new ArgumentException($"The tensor {tensor} belongs to another backend than CUDA's.", nameof(tensor));
}
