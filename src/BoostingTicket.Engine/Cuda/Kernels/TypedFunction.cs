using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>A kernel in its two forms: for tensors of float32 and of bfloat16.</summary>
internal readonly struct TypedFunction
{
    private readonly nint _float32;
    private readonly nint _bfloat16;

    /// <summary>Finds both forms: the name with <c>_f32</c> and with <c>_bf16</c> behind it.</summary>
    public TypedFunction(KernelLibrary library, string family, string name)
    {
        _float32 = library.Function(family, name + "_f32");
        _bfloat16 = library.Function(family, name + "_bf16");
    }

    /// <summary>The form for a tensor's elements.</summary>
    public nint For(in TensorView tensor) => tensor.Type == ElementType.Float32 ? _float32 : _bfloat16;
}

/// <summary>What launchers demand of their tensors.</summary>
internal static class TensorChecks
{
    /// <summary>Demands a tensor of the same shape and type.</summary>
    /// <exception cref="ArgumentException">It is another.</exception>
    public static void RequireAlike(in TensorView expected, in TensorView actual, string name)
    {
        if (actual.Type != expected.Type || actual.Batch != expected.Batch || actual.Shape != expected.Shape)
        {
            throw new ArgumentException(
                $"{name} is a {actual.Type} tensor of {actual.Batch}x{actual.Shape}, but must be a {expected.Type} tensor of "
                + $"{expected.Batch}x{expected.Shape}.",
                name);
        }
    }

    /// <summary>Demands a tensor of the same shape and type, or none.</summary>
    /// <exception cref="ArgumentException">It is another.</exception>
    public static void RequireAlike(in TensorView expected, in TensorView? actual, string name)
    {
        if (actual is { } some)
            RequireAlike(expected, some, name);
    }

    /// <summary>A tensor's address, or null.</summary>
    public static DevicePointer DataOrNull(in TensorView? tensor) => tensor?.Data ?? DevicePointer.Null;
}
