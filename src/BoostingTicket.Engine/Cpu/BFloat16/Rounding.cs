using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>float32 to bfloat16: to the nearest, ties to even; a NaN stays one.</summary>
internal static class Rounding
{
    private const uint QuietBit = 0x400000;

    /// <summary>One value.</summary>
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits | QuietBit) >> 16) : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    /// <summary>Back; exact.</summary>
    public static float Widen(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>Sixteen values, in the upper halves of 32 bits; the lower halves hold something.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Round(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> odd = Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One;
        return Vector512.ConditionalSelect(
            Vector512.Equals(value, value).AsUInt32(), bits + odd + Vector512.Create(0x7fffu),
            bits | Vector512.Create(QuietBit));
    }

    /// <summary>Sixteen pairs: <paramref name="first"/> in the lower halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Pair(Vector512<float> first, Vector512<float> second) =>
        Vector512.ShiftRightLogical(Round(first), 16) | (Round(second) & Vector512.Create(0xffff0000u));
}
