using System.Globalization;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>Reads masks of any number format: U8 as this program writes them, truth values, whole numbers and floating-point
/// numbers as others do.</summary>
internal static class MaskValues
{
    /// <summary>Reads a mask.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">A tensor of it.</param>
    /// <param name="mask">Receives a 1 or 0 for each element.</param>
    /// <exception cref="DamagedFileException">An element is neither 0 nor 1, or of no such format.</exception>
    public static void Read(SafetensorsFile file, SafetensorsEntry entry, Span<byte> mask)
    {
        if (entry.Type is SafetensorsType.F32 or SafetensorsType.F64 or SafetensorsType.F16 or SafetensorsType.BF16)
        {
            float[] values = new float[mask.Length];
            file.ReadSingles(entry, values);
            for (int i = 0; i < values.Length; i++)
                mask[i] = values[i] is 0 or 1 ? (byte)values[i] : throw Wrong(file, entry, values[i], i);
            return;
        }

        if (entry.Type is SafetensorsType.Unknown or SafetensorsType.F8E4M3 or SafetensorsType.F8E5M2)
            throw new DamagedFileException(
                $"Tensor '{entry.Name}' of {file.Path} is of type {entry.TypeName} where a mask is needed; save it as U8, or "
                    + "give another file.");
        int size = entry.Type.Size();
        byte[] bytes = new byte[entry.ByteLength];
        file.ReadBytes(entry, bytes);
        for (int i = 0; i < mask.Length; i++)
        {
            ReadOnlySpan<byte> element = bytes.AsSpan(i * size, size);
            if (element[0] > 1 || element[1..].ContainsAnyExcept((byte)0))
                throw Wrong(file, entry, element[0], i);
            mask[i] = element[0];
        }
    }

    private static DamagedFileException Wrong(SafetensorsFile file, SafetensorsEntry entry, float value, int index) =>
        new(string.Create(
            CultureInfo.InvariantCulture,
            $"Tensor '{entry.Name}' of {file.Path} holds {value} at index {index} where a mask has 0 or 1; give another file."));
}
