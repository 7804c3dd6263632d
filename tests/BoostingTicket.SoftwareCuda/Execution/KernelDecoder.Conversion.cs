using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private MapInstruction1? DecodeConversion(Modifiers modifiers)
    {
        if (_source.Words[0] != "cvt")
            return null;
        string? integral = modifiers.TakeOneOf("rni", "rzi", "rmi", "rpi");
        bool rounds = _source.Words.Any(word => word is "rn" or "rz" or "rm" or "rp");
        Rounding rounding = integral switch
        {
            "rni" => Rounding.Nearest,
            "rzi" => Rounding.Zero,
            "rmi" => Rounding.Down,
            "rpi" => Rounding.Up,
            _ => modifiers.TakeRounding(),
        };
        bool flush = modifiers.Take("ftz");
        bool saturate = modifiers.Take("sat");
        PtxType to = modifiers.TakeType();
        PtxType from = modifiers.TakeType();
        if (to.Kind == PtxKind.Bits || from.Kind == PtxKind.Bits)
            throw modifiers.Unsupported("conversions need types that have a meaning");
        if (from.IsFloat && !to.IsFloat && integral is null)
            throw modifiers.Unsupported("a conversion to integers needs a rounding");
        if (to.IsFloat && (!from.IsFloat || to.Bits < from.Bits) && !rounds)
            throw modifiers.Unsupported("a conversion that may be inexact needs a rounding");
        ulong mask = RegisterType(Operand(0)).Mask;
        Map1 map = (from.IsFloat, to.IsFloat) switch
        {
            (false, false) => IntegerToInteger(from, to, saturate, mask),
            (true, false) => FloatToInteger(from, to, rounding, flush, mask),
            (false, true) => IntegerToFloat(from, to, rounding, saturate, modifiers),
            _ => FloatToFloat(from, to, integral is not null, rounding, flush, saturate, modifiers),
        };
        return Map(map, to, from);
    }

    private static Map1 IntegerToInteger(PtxType from, PtxType to, bool saturate, ulong mask)
    {
        if (saturate)
        {
            Int128 least = to.IsSigned ? -(Int128.One << (to.Bits - 1)) : 0;
            Int128 most = (Int128.One << (to.IsSigned ? to.Bits - 1 : to.Bits)) - 1;
            return a => (ulong)(long)(UInt128)Int128.Clamp(Widen(a, from), least, most) & mask;
        }
        // Narrowing cuts, and the register above the value is filled with its sign.
        return a => (ulong)(to.IsSigned ? Numbers.Signed(Low(a), to.Bits) : (long)(Low(a) & to.Mask)) & mask;

        ulong Low(ulong a) => from.IsSigned ? (ulong)Numbers.Signed(a, from.Bits) : a & from.Mask;
    }

    private static Int128 Widen(ulong a, PtxType type) => type.IsSigned ? Numbers.Signed(a, type.Bits) : a & type.Mask;

    // Too large numbers become the nearest integer; of NaN the manual says which.
    private static Map1 FloatToInteger(PtxType from, PtxType to, Rounding rounding, bool flush, ulong mask)
    {
        ulong ofNaN = from.Bits == 64 || to.Bits == 64 ? 1UL << (to.Bits - 1) : 0;
        double least = to.IsSigned ? -Math.ScaleB(1, to.Bits - 1) : 0;
        double beyond = Math.ScaleB(1, to.IsSigned ? to.Bits - 1 : to.Bits);
        ulong most = to.IsSigned ? to.Mask >> 1 : to.Mask;
        return a =>
        {
            double value = Numbers.ToIntegral(ToDouble(a, from, flush), rounding);
            if (double.IsNaN(value))
                return ofNaN;
            if (value >= beyond)
                return most;
            if (value <= least)
                return (ulong)(to.IsSigned ? (long)least : 0) & mask;
            return (to.IsSigned ? (ulong)(long)value : (ulong)value) & mask;
        };
    }

    private static Map1 IntegerToFloat(PtxType from, PtxType to, Rounding rounding, bool saturate, Modifiers modifiers)
    {
        if (to.Name is "bf16" || (to.Name == "f16" && rounding != Rounding.Nearest) || saturate)
            throw modifiers.Unsupported("that conversion is unknown");
        int precision = to.Bits == 32 ? 24 : 53;
        return a =>
        {
            bool negative = from.IsSigned && Numbers.Signed(a, from.Bits) < 0;
            ulong magnitude = negative ? (ulong)-Numbers.Signed(a, from.Bits) : a & from.Mask;
            double value = Numbers.FromInteger(negative, magnitude, precision, rounding);
            return to.Bits switch
            {
                16 => BitConverter.HalfToUInt16Bits((Half)value),
                32 => Numbers.B((float)(value == 0 ? 0 : value)),
                _ => Numbers.B(value == 0 ? 0 : value),
            };
        };
    }

    private static Map1 FloatToFloat(
        PtxType from, PtxType to, bool integral, Rounding rounding, bool flush, bool saturate, Modifiers modifiers)
    {
        if (to.Bits == 16 && from.Name != to.Name && (rounding != Rounding.Nearest || from.Bits == 64 || saturate))
            throw modifiers.Unsupported("that conversion is unknown");
        if (from.Name == to.Name && !integral && !saturate)
            return flush && to.Bits == 32 ? Numbers.Flush : a => a & to.Mask;
        return a =>
        {
            double value = ToDouble(a, from, flush);
            if (integral)
                value = Numbers.ToIntegral(value, rounding);
            ulong result = to.Name switch
            {
                "f64" => Numbers.B(value),
                "f32" => Numbers.B(Numbers.ToSingle(value, integral ? Rounding.Nearest : rounding)),
                "f16" => double.IsNaN(value) ? 0x7fffUL : BitConverter.HalfToUInt16Bits((Half)value),
                _ => ToBFloat16(Numbers.B((float)value)),
            };
            if (flush && to.Bits == 32)
                result = Numbers.Flush(result);
            if (!saturate)
                return result;
            return to.Bits == 64 ? Numbers.B(value > 0 ? Math.Min(value, 1) : 0) : Numbers.Saturate(result);
        };
    }

    private static double ToDouble(ulong bits, PtxType type, bool flush) => type.Name switch
    {
        "f64" => Numbers.D(bits),
        "f32" => Numbers.F(flush ? Numbers.Flush(bits) : bits),
        "f16" => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        _ => Numbers.F(bits << 16),
    };

    private static ulong ToBFloat16(ulong bits) => float.IsNaN(Numbers.F(bits))
        ? 0x7fffUL
        : ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) & 0xffff;
}
