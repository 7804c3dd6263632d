using System.Runtime.InteropServices;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>Number formats of the device's memory and tensor cores.</summary>
internal static class DeviceNumbers
{
    private const uint ExponentMask = 0x7f800000;
    private const int TensorFloatDropped = 13;

    /// <summary>A factor as tensor cores take it: 10 mantissa bits, to nearest, ties away from zero (cvt.rna.tf32.f32).</summary>
    public static float RoundToTensorFloat32(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if ((bits & ExponentMask) == ExponentMask)
            return value;
        bits += 1u << (TensorFloatDropped - 1);
        return BitConverter.UInt32BitsToSingle(bits & ~((1u << TensorFloatDropped) - 1));
    }

    /// <summary>The bits of the nearest bfloat16, ties to even; NaN stays NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The value of a bfloat16.</summary>
    public static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Reads elements as double.</summary>
    /// <param name="source">The memory.</param>
    /// <param name="isBFloat16">bfloat16 or float32.</param>
    /// <param name="destination">As many values.</param>
    /// <param name="roundToTensorFloat32">Whether float32 is rounded as tensor cores do.</param>
    public static void Load(
        ReadOnlySpan<byte> source, bool isBFloat16, Span<double> destination, bool roundToTensorFloat32 = false)
    {
        if (isBFloat16)
        {
            ReadOnlySpan<ushort> values = MemoryMarshal.Cast<byte, ushort>(source);
            for (int i = 0; i < destination.Length; i++)
                destination[i] = FromBFloat16(values[i]);
            return;
        }

        ReadOnlySpan<float> singles = MemoryMarshal.Cast<byte, float>(source);
        for (int i = 0; i < destination.Length; i++)
            destination[i] = roundToTensorFloat32 ? RoundToTensorFloat32(singles[i]) : singles[i];
    }

    /// <summary>Writes elements, each rounded to float32 and from there to bfloat16 if that is the format.</summary>
    /// <param name="values">The values.</param>
    /// <param name="isBFloat16">bfloat16 or float32.</param>
    /// <param name="destination">The memory.</param>
    public static void Store(ReadOnlySpan<double> values, bool isBFloat16, Span<byte> destination)
    {
        if (isBFloat16)
        {
            Span<ushort> shorts = MemoryMarshal.Cast<byte, ushort>(destination);
            for (int i = 0; i < values.Length; i++)
                shorts[i] = ToBFloat16((float)values[i]);
            return;
        }

        Span<float> singles = MemoryMarshal.Cast<byte, float>(destination);
        for (int i = 0; i < values.Length; i++)
            singles[i] = (float)values[i];
    }
}
