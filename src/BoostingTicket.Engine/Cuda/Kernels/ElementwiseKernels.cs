using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>Scaling by channel, sums and ReLU; with nothing of these, conversion between float32 and bfloat16. Kernels in
/// <c>kernels/elementwise.cu</c>.</summary>
internal sealed class ElementwiseKernels
{
    private const string Family = "elementwise";
    private const int Types = 2;

    private readonly KernelLibrary _library;
    private readonly nint[] _forward = new nint[Types * Types];
    private readonly nint[] _backward = new nint[Types * Types];
    private readonly TypedFunction _scaled;

    /// <summary>Loads the kernels.</summary>
    public ElementwiseKernels(KernelLibrary library)
    {
        _library = library;
        _scaled = new TypedFunction(library, Family, "elementwise_scaled");
        foreach (ElementType from in (ElementType[])[ElementType.Float32, ElementType.BFloat16])
        {
            foreach (ElementType to in (ElementType[])[ElementType.Float32, ElementType.BFloat16])
            {
                string suffix = $"{Operand.Suffix(from)}_{Operand.Suffix(to)}";
                _forward[Index(from, to)] = library.Function(Family, $"elementwise_forward_{suffix}");
                _backward[Index(from, to)] = library.Function(Family, $"elementwise_backward_{suffix}");
            }
        }
    }

    /// <summary><c>y = activation(scale[channel] * x + shift[channel] + residual)</c>.</summary>
    /// <param name="x">N x shape, of any type.</param>
    /// <param name="scale">A float32 factor for each channel; null for 1.</param>
    /// <param name="shift">A float32 summand for each channel; null for 0.</param>
    /// <param name="residual">Of <paramref name="y"/>'s type and shape; null for 0.</param>
    /// <param name="activation">The function at the end. NaN stays.</param>
    /// <param name="y">N x shape; overwritten. May be <paramref name="x"/> or the residual.</param>
    public void Forward(
        in TensorView x, DevicePointer scale, DevicePointer shift, in TensorView? residual, Activation activation,
        in TensorView y)
    {
        Operand.RequireSameShape(y, x, "output");
        DevicePointer summand = Operand.OrNull(residual, y, "residual");
        _library.Launch(
            _forward[Index(x.Type, y.Type)], Grid(x, y), x.Data, scale, shift, summand, (int)activation.Kind, activation.Slope,
            y.Data, x.Shape.Channels, x.PhysicalChannels, y.PhysicalChannels, x.Pixels);
    }

    /// <summary><c>dx = (scale[channel] * dy + addend) * activation'(through)</c>.</summary>
    /// <param name="dy">N x shape, of any type.</param>
    /// <param name="scale">A float32 factor for each channel; null for 1.</param>
    /// <param name="addend">Of <paramref name="dx"/>'s type and shape; null for 0.</param>
    /// <param name="through">Of <paramref name="dx"/>'s type and shape; null where there is no activation.</param>
    /// <param name="activation">The activation that the gradient goes back through.</param>
    /// <param name="dx">N x shape; overwritten. May be <paramref name="dy"/> or the addend.</param>
    public void Backward(
        in TensorView dy, DevicePointer scale, in TensorView? addend, in TensorView? through, Activation activation,
        in TensorView dx)
    {
        Operand.RequireSameShape(dx, dy, "gradient");
        DevicePointer summand = Operand.OrNull(addend, dx, "addend");
        DevicePointer points = Operand.OrNull(through, dx, "activation's operand");
        _library.Launch(
            _backward[Index(dy.Type, dx.Type)], Grid(dy, dx), dy.Data, scale, summand, points, (int)activation.Kind,
            activation.Slope, dx.Data, dy.Shape.Channels, dy.PhysicalChannels, dx.PhysicalChannels, dy.Pixels);
    }

    /// <summary><c>dx = scale[channel] * ((dy + addend) * activation'(through)) + summand</c>. Reads dy and what there is of
    /// addend, through and summand once; writes dx once.</summary>
    /// <param name="dy">N x shape.</param>
    /// <param name="addend">Of the same type and shape, as all tensors here; null for 0.</param>
    /// <param name="through">Null where there is no activation.</param>
    /// <param name="activation">The activation that the gradient goes back through.</param>
    /// <param name="scale">A float32 factor for each channel.</param>
    /// <param name="summand">Null for 0.</param>
    /// <param name="dx">Overwritten. May be any of the others.</param>
    public void BackwardScaled(
        in TensorView dy, in TensorView? addend, in TensorView? through, Activation activation, DevicePointer scale,
        in TensorView? summand, in TensorView dx)
    {
        TensorChecks.RequireAlike(dy, dx, nameof(dx));
        TensorChecks.RequireAlike(dy, addend, nameof(addend));
        TensorChecks.RequireAlike(dy, through, nameof(through));
        TensorChecks.RequireAlike(dy, summand, nameof(summand));
        _library.Launch(
            _scaled.For(dy), Grid(dy, dx), dy.Data, TensorChecks.DataOrNull(addend), TensorChecks.DataOrNull(through),
            (int)activation.Kind, activation.Slope, scale, TensorChecks.DataOrNull(summand), dx.Data, dy.Shape.Channels,
            dy.PhysicalChannels, dy.Pixels);
    }

    private static int Index(ElementType from, ElementType to) => (int)from * Types + (int)to;

    private LaunchGrid Grid(in TensorView from, in TensorView to)
    {
        int width = Math.Max(from.VectorLength, to.VectorLength);
        return _library.PerPixel(from.Pixels, (from.Shape.Channels + width - 1) / width);
    }
}
