namespace BoostingTicket.Training.Files;

/// <summary>One tensor of a safetensors file, as its header describes it.</summary>
/// <param name="Name">The name, unique in the file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The sizes, outermost first; empty for a scalar.</param>
/// <param name="Begin">Where its bytes begin, counted from the end of the header.</param>
/// <param name="End">Where they end (exclusive); <c>End - Begin</c> is the element count times the element size.</param>
internal sealed record SafetensorsEntry(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>The type as the file's header names it.</summary>
    public string TypeName { get; init; } = Type.HeaderName();

    /// <summary>Number of elements.</summary>
    public long Length => (End - Begin) / Type.Size();

    /// <summary>Number of bytes.</summary>
    public long ByteLength => End - Begin;

    /// <summary>Type and shape for people: <c>F32 [64, 3, 3, 3]</c>.</summary>
    public string Description => $"{TypeName} [{string.Join(", ", Shape)}]";

    /// <summary>Type and shape for people: <c>F32 [64, 3, 3, 3]</c>.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The sizes, outermost first.</param>
    public static string Describe(SafetensorsType type, IEnumerable<long> shape) =>
        $"{type.HeaderName()} [{string.Join(", ", shape)}]";
}
