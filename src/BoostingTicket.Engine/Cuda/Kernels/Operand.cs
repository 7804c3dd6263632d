using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Kernels;

/// <summary>What launchers require of their operands. A wrong one would become a wrong access in device memory, where nothing
/// names it.</summary>
internal static class Operand
{
    /// <summary>Ending of the names of kernels that work on a type.</summary>
    public static string Suffix(ElementType type) => type == ElementType.Float32 ? "f32" : "bf16";

    /// <summary>Requires the batch and shape of another tensor.</summary>
    /// <exception cref="ArgumentException">They differ.</exception>
    public static void RequireSameShape(in TensorView tensor, in TensorView like, string what)
    {
        if (tensor.Batch != like.Batch || tensor.Shape != like.Shape)
            throw new ArgumentException(
                $"The {what} of {tensor.Batch} x {tensor.Shape} does not fit a tensor of {like.Batch} x {like.Shape}.");
    }

    /// <summary>Requires an element type.</summary>
    /// <exception cref="ArgumentException">It is another.</exception>
    public static void RequireType(in TensorView tensor, ElementType type, string what)
    {
        if (tensor.Type != type)
            throw new ArgumentException($"The {what} must be {type}, not {tensor.Type}.");
    }

    /// <summary>Address of an optional tensor that has the type and shape of another, or null.</summary>
    /// <exception cref="ArgumentException">Type or shape differ.</exception>
    public static DevicePointer OrNull(in TensorView? optional, in TensorView like, string what)
    {
        if (optional is not { } tensor)
            return DevicePointer.Null;
        RequireSameShape(tensor, like, what);
        RequireType(tensor, like.Type, what);
        return tensor.Data;
    }
}
