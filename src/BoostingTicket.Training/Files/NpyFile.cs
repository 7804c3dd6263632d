using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace BoostingTicket.Training.Files;

/// <summary>Writes NumPy's <c>.npy</c> format, version 1.0 (NumPy Enhancement Proposal 1): little-endian float32 in C
/// order.</summary>
internal static class NpyFile
{
    private const int Alignment = 64;

    private static readonly byte[] Magic = [0x93, .. "NUMPY"u8, 1, 0];

    /// <summary>Writes an array; the file is written whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">Dimensions, whose product is the number of values.</param>
    /// <param name="values">The values, the last dimension fastest.</param>
    /// <exception cref="ConfigurationException">The file cannot be written there.</exception>
    public static void Write(string path, IReadOnlyList<int> shape, ReadOnlySpan<float> values)
    {
        ArgumentNullException.ThrowIfNull(shape);
        long product = shape.Aggregate(1L, (sum, dimension) => sum * dimension);
        if (product != values.Length)
            throw new ArgumentException($"The shape holds {product} values, but there are {values.Length}.", nameof(shape));
        string dimensions = string.Concat(
            shape.Select(dimension => dimension.ToString(CultureInfo.InvariantCulture) + ", ")).TrimEnd();
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({dimensions}), }}";
        int prefix = Magic.Length + sizeof(ushort);
        int length = (prefix + header.Length + 1 + Alignment - 1) / Alignment * Alignment - prefix;
        byte[] head = [
            .. Magic, (byte)length, (byte)(length >> 8), .. Encoding.ASCII.GetBytes(header.PadRight(length - 1) + '\n')];
        byte[] body = MemoryMarshal.AsBytes(values).ToArray();
        if (!BitConverter.IsLittleEndian)
        {
            for (int i = 0; i < body.Length; i += sizeof(float))
                Array.Reverse(body, i, sizeof(float));
        }
        AtomicFile.Write(path, stream =>
        {
            stream.Write(head);
            stream.Write(body);
        });
    }
}
