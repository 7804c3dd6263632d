namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>bfloat16 by its definition: of the two neighbours the nearer one, of equally near ones that with an even last place.
/// (Written differently from the kernels on purpose.)</summary>
internal static class BFloat16Values
{
    /// <summary>The value of 16 bits.</summary>
    public static float Value(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Nearest bfloat16 of a float32; NaN for NaN.</summary>
    public static ushort Nearest(float value)
    {
        if (float.IsNaN(value))
            return 0x7fc0;
        ushort toZero = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
        if (Value(toZero) == value)
            return toZero;
        ushort away = (ushort)(toZero + 1);
        // Beyond the largest number lies what would be the next one, 2^128, at which infinity begins.
        double near = Value(toZero), far = float.IsInfinity(Value(away)) ? Math.CopySign(Math.Pow(2, 128), value) : Value(away);
        double down = Math.Abs(value - near), up = Math.Abs(far - value);
        return down < up || (down == up && toZero % 2 == 0) ? toZero : away;
    }

    /// <summary>A float32 rounded to bfloat16.</summary>
    public static float Round(float value) => Value(Nearest(value));
}
