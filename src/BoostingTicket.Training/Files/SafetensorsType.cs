namespace BoostingTicket.Training.Files;

/// <summary>
/// The element types of the safetensors format, in the order in which the reference implementation lays tensors out
/// (largest first, so that every tensor is aligned to its element).
/// </summary>
internal enum SafetensorsType
{
    /// <summary>Truth value, 1 byte.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    F8E5M2,

    /// <summary>8-bit float, 4 exponent bits.</summary>
    F8E4M3,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of an IEEE single.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>A type that this program does not know; such tensors can be listed and passed over, not read.</summary>
    Unknown,
}

/// <summary>Names and sizes of the element types.</summary>
internal static class SafetensorsTypes
{
    /// <summary>Bytes of one element; 1 for an unknown type, whose elements are taken for bytes.</summary>
    /// <param name="type">The element type.</param>
    public static int Size(this SafetensorsType type) => type switch
    {
        <= SafetensorsType.F8E4M3 => 1,
        <= SafetensorsType.BF16 => 2,
        <= SafetensorsType.F32 => 4,
        <= SafetensorsType.U64 => 8,
        _ => 1,
    };

    /// <summary>The name in the header of a file.</summary>
    /// <param name="type">The element type.</param>
    public static string HeaderName(this SafetensorsType type) => type switch
    {
        SafetensorsType.Bool => "BOOL",
        SafetensorsType.F8E5M2 => "F8_E5M2",
        SafetensorsType.F8E4M3 => "F8_E4M3",
        _ => type.ToString(),
    };

    /// <summary>The type with the given header name; false if there is none.</summary>
    /// <param name="headerName">Such as <c>F32</c>.</param>
    /// <param name="type">The type, if found; otherwise <see cref="SafetensorsType.Unknown"/>.</param>
    public static bool TryParse(string headerName, out SafetensorsType type)
    {
        foreach (SafetensorsType candidate in Enum.GetValues<SafetensorsType>())
        {
            if (candidate != SafetensorsType.Unknown && candidate.HeaderName() == headerName)
            {
                type = candidate;
                return true;
            }
        }

        type = SafetensorsType.Unknown;
        return false;
    }
}
