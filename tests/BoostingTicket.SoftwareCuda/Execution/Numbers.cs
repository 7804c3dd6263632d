namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>Rounding modes of PTX.</summary>
internal enum Rounding
{
    /// <summary>To the nearest, ties to even (.rn).</summary>
    Nearest,

    /// <summary>Towards zero (.rz).</summary>
    Zero,

    /// <summary>Towards minus infinity (.rm).</summary>
    Down,

    /// <summary>Towards plus infinity (.rp).</summary>
    Up,
}

/// <summary>Numbers as registers hold them: in the low bits of 64, the others zero.</summary>
internal static class Numbers
{
    /// <summary>The NaN that float32 instructions give.</summary>
    public const uint NaN32 = 0x7fff_ffff;

    /// <summary>A register's float32.</summary>
    public static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    /// <summary>A float32 result; every NaN is the canonical one.</summary>
    public static ulong B(float value) => float.IsNaN(value) ? NaN32 : BitConverter.SingleToUInt32Bits(value);

    /// <summary>A register's float64.</summary>
    public static double D(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    /// <summary>A float64 result.</summary>
    public static ulong B(double value) => BitConverter.DoubleToUInt64Bits(value);

    /// <summary>A register's signed 32-bit number.</summary>
    public static int S(ulong bits) => (int)(uint)bits;

    /// <summary>A signed number of some bits, extended to 64.</summary>
    public static long Signed(ulong bits, int width) => (long)(bits << (64 - width)) >> (64 - width);

    /// <summary>A subnormal float32 becomes a zero of its sign (.ftz).</summary>
    public static ulong Flush(ulong bits) => (bits & 0x7f80_0000) == 0 ? bits & 0x8000_0000 : bits;

    /// <summary>A float32 clamped to [0, 1], NaN to 0 (.sat).</summary>
    public static ulong Saturate(ulong bits)
    {
        float value = F(bits);
        return value > 0 ? B(Math.Min(value, 1)) : 0;
    }

    /// <summary>The sum, rounded to odd: exact sums of float32 products that are rounded to float32 afterwards in any mode come
    /// out as if rounded once.</summary>
    public static double AddToOdd(double a, double b)
    {
        double sum = a + b;
        double second = sum - a;
        return ToOdd(sum, a - (sum - second) + (b - second));
    }

    /// <summary>The quotient, rounded to odd.</summary>
    public static double DivideToOdd(double a, double b)
    {
        double quotient = a / b;
        double rest = Math.FusedMultiplyAdd(-quotient, b, a);
        return ToOdd(quotient, double.IsNegative(b) ? -rest : rest);
    }

    /// <summary>The square root, rounded to odd.</summary>
    public static double SqrtToOdd(double a)
    {
        double root = Math.Sqrt(a);
        return ToOdd(root, Math.FusedMultiplyAdd(-root, root, a));
    }

    /// <summary>Rounds to float32.</summary>
    public static float ToSingle(double value, Rounding rounding)
    {
        float nearest = (float)value;
        if (nearest == value || double.IsNaN(value) || rounding == Rounding.Nearest)
            return nearest;
        bool up = rounding switch
        {
            Rounding.Up => true,
            Rounding.Down => false,
            _ => value < 0,
        };
        if (up)
            return nearest < value ? MathF.BitIncrement(nearest) : nearest;
        return nearest > value ? MathF.BitDecrement(nearest) : nearest;
    }

    /// <summary>Rounds an integer, given as sign and magnitude, to a float32 or float64.</summary>
    public static double FromInteger(bool negative, ulong magnitude, int precision, Rounding rounding)
    {
        int excess = 64 - System.Numerics.BitOperations.LeadingZeroCount(magnitude) - precision;
        ulong kept = magnitude;
        if (excess > 0)
        {
            ulong unit = 1UL << excess;
            ulong rest = magnitude & (unit - 1);
            kept = magnitude - rest;
            bool away = rounding switch
            {
                Rounding.Nearest => rest > unit / 2 || (rest == unit / 2 && (kept & unit) != 0),
                Rounding.Up => rest != 0 && !negative,
                Rounding.Down => rest != 0 && negative,
                _ => false,
            };
            if (away && kept + unit < kept)
                return negative ? -18446744073709551616.0 : 18446744073709551616.0;
            if (away)
                kept += unit;
        }
        // At most as many bits as the format holds, in two halves that convert exactly.
        double value = ((uint)(kept >> 32) * 4294967296.0) + (uint)kept;
        return negative ? -value : value;
    }

    /// <summary>Rounds a float to an integer that is still a float.</summary>
    public static double ToIntegral(double value, Rounding rounding) => rounding switch
    {
        Rounding.Nearest => Math.Round(value, MidpointRounding.ToEven),
        Rounding.Zero => Math.Truncate(value),
        Rounding.Down => Math.Floor(value),
        _ => Math.Ceiling(value),
    };

    // The exact result is value + error, |error| at most half a unit: of its two neighbours takes the odd one.
    private static double ToOdd(double value, double error)
    {
        if (error == 0 || double.IsNaN(error) || !double.IsFinite(value) || value == 0)
            return value;
        long bits = BitConverter.DoubleToInt64Bits(value);
        if ((bits & 1) != 0)
            return value;
        return BitConverter.Int64BitsToDouble(error > 0 == value > 0 ? bits + 1 : bits - 1);
    }
}
