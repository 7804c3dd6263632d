using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace BoostingTicket.Training.Files;

/// <summary>An array in NumPy's <c>.npy</c> format, versions 1.0 to 3.0 (NumPy Enhancement Proposal 1), as it is read. NumSharp,
/// the kept library for such files, believes a header before it has seen a byte, and brings an array library that nothing else
/// here needs; so that this reader is the project's own. It is fuzzed.</summary>
/// <param name="Type">Kind of element, a letter, and its bytes: <c>u1</c>, <c>f4</c>; <c>U</c> and characters for text.</param>
/// <param name="Shape">Sizes, outermost first; none for a scalar.</param>
/// <param name="Bytes">Little-endian elements, the last dimension fastest.</param>
internal sealed partial record NpyArray(string Type, IReadOnlyList<int> Shape, byte[] Bytes)
{
    private const int LongestHeader = 1 << 16;

    private static readonly string[] Numbers = ["u1", "i1", "b1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"];

    /// <summary>Elements.</summary>
    public int Length => Shape.Aggregate(1, (product, size) => product * size);

    /// <summary>Whether the elements are whole numbers or truth values.</summary>
    public bool IsWhole => Type[0] is 'u' or 'i' or 'b';

    /// <summary>Whether the elements are floating-point numbers.</summary>
    public bool IsReal => Type[0] == 'f';

    private int Size => int.Parse(Type.AsSpan(1), CultureInfo.InvariantCulture) * (Type[0] == 'U' ? sizeof(uint) : 1);

    /// <summary>Reads an array.</summary>
    /// <param name="stream">The content of a file, from its beginning.</param>
    /// <exception cref="FormatException">It is no such array, or one of a kind that is not read; the message says why, as the end
    /// of a sentence.</exception>
    public static NpyArray Read(Stream stream)
    {
        Span<byte> start = stackalloc byte[8];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length
            || !start[..6].SequenceEqual((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8]))
            throw new FormatException("is not an array of NumPy");
        int digits = start[6] switch
        {
            1 => 2,
            2 or 3 => 4,
            _ => throw new FormatException($"is of a version {start[6]} that is not known"),
        };
        byte[] length = Exactly(stream, digits);
        long headerLength = digits == 2 ? BitConverter.ToUInt16(length) : BitConverter.ToUInt32(length);
        if (headerLength > LongestHeader)
            throw new FormatException($"has a header of {headerLength} bytes");
        string header = Encoding.Latin1.GetString(Exactly(stream, (int)headerLength));
        Match kind = Kind().Match(header), order = Order().Match(header), sizes = Sizes().Match(header);
        if (!kind.Success || !order.Success || !sizes.Success)
            throw new FormatException("has a header that is not NumPy's");
        string type = TypeOf(kind.Groups[1].Value);
        if (order.Groups[1].Value == "True")
            throw new FormatException("is in Fortran's order; save numpy.ascontiguousarray of it");
        var array = new NpyArray(type, ShapeOf(sizes.Groups[1].Value), []);
        long bytes = array.Size;
        foreach (int size in array.Shape)
        {
            if (size > 0 && bytes > Array.MaxLength / size)
                throw new FormatException("has 2 GiB of elements or more");
            bytes *= size;
        }

        return array with { Bytes = Exactly(stream, (int)bytes) };
    }

    /// <summary>A whole number.</summary>
    /// <param name="index">Which.</param>
    /// <exception cref="InvalidOperationException">The elements are others.</exception>
    public long Whole(int index)
    {
        ReadOnlySpan<byte> value = Bytes.AsSpan(index * Size, Size);
        return Type switch
        {
            "u1" or "b1" => value[0],
            "i1" => (sbyte)value[0],
            "u2" => BitConverter.ToUInt16(value),
            "i2" => BitConverter.ToInt16(value),
            "u4" => BitConverter.ToUInt32(value),
            "i4" => BitConverter.ToInt32(value),
            "u8" => (long)Math.Min(BitConverter.ToUInt64(value), long.MaxValue),
            "i8" => BitConverter.ToInt64(value),
            _ => throw new InvalidOperationException($"an array of {Type} has no whole numbers"),
        };
    }

    /// <summary>A floating-point number.</summary>
    /// <param name="index">Which.</param>
    /// <exception cref="InvalidOperationException">The elements are others.</exception>
    public double Real(int index)
    {
        ReadOnlySpan<byte> value = Bytes.AsSpan(index * Size, Size);
        return Type switch
        {
            "f2" => (double)BitConverter.ToHalf(value),
            "f4" => BitConverter.ToSingle(value),
            "f8" => BitConverter.ToDouble(value),
            _ => throw new InvalidOperationException($"an array of {Type} has no real numbers"),
        };
    }

    /// <summary>The texts of an array of text; null of another.</summary>
    public IReadOnlyList<string>? Texts() => Type[0] != 'U' || Size == 0
        ? null
        : [.. Enumerable.Range(0, Length).Select(
            index => Encoding.UTF32.GetString(Bytes.AsSpan(index * Size, Size)).TrimEnd('\0'))];

    private static string TypeOf(string kind)
    {
        if (kind.Length > 1 && kind[0] == '>' && kind[^1] != '1')
            throw new FormatException("is big-endian; save it with astype of a little-endian type");
        string type = kind.TrimStart('<', '|', '=', '>');
        if (Numbers.Contains(type) || (type.StartsWith('U') && type.Length is > 1 and <= 5))
            return type;
        throw new FormatException(kind.Contains('O', StringComparison.Ordinal)
            ? "holds objects of Python, which are not read"
            : $"has elements of the type {kind}, which is not read");
    }

    private static List<int> ShapeOf(string sizes)
    {
        var shape = new List<int>();
        foreach (string size in sizes.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                throw new FormatException($"has a size of {PlainText.Name(size)}");
            shape.Add(number);
        }

        return shape;
    }

    private static byte[] Exactly(Stream stream, int length)
    {
        byte[] bytes = BoundedRead.Bytes(stream, length);
        return bytes.Length == length ? bytes : throw new FormatException("is cut off");
    }

    [GeneratedRegex("""'descr'\s*:\s*'([<>|=]?[A-Za-z]\d{0,4})'""")]
    private static partial Regex Kind();

    [GeneratedRegex("""'fortran_order'\s*:\s*(True|False)""")]
    private static partial Regex Order();

    [GeneratedRegex("""'shape'\s*:\s*\(([\d\s,]*)\)""")]
    private static partial Regex Sizes();
}
