using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private Instruction? DecodeFloat(Modifiers modifiers, string name)
    {
        bool exact = name is "div" or "rcp" or "sqrt" or "fma";
        if (exact && !_source.Words.Any(word => word is "rn" or "rz" or "rm" or "rp" or "approx" or "full"))
            throw modifiers.Unsupported("it needs a rounding, .approx or .full");
        Rounding rounding = modifiers.TakeRounding();
        bool approximate = modifiers.TakeOneOf("approx", "full") is not null;
        bool flush = modifiers.Take("ftz");
        bool saturate = modifiers.Take("sat");
        bool propagates = modifiers.Take("NaN");
        PtxType type = modifiers.TakeType();
        if (type.Bits == 16)
            throw modifiers.Unsupported("arithmetic of 16-bit floats is not known");
        if (propagates && name is not ("min" or "max"))
            throw modifiers.Unsupported(".NaN is for min and max");
        if (type.Bits == 64)
        {
            if (approximate && flush && !saturate && name is "rcp" or "rsqrt")
                return DecodeGrossApproximation(name, type);
            if ((approximate && name != "rsqrt") || rounding != Rounding.Nearest || flush || saturate)
                throw modifiers.Unsupported("float64 is rounded to nearest only");
            return DecodeDouble(name, propagates, type);
        }
        return DecodeSingle(name, rounding, flush, saturate, propagates, type);
    }

    private Instruction? DecodeSingle(
        string name, Rounding rounding, bool flush, bool saturate, bool propagates, PtxType type)
    {
        switch (name)
        {
            case "fma" or "mad":
                return Map(Modified(FusedMultiplyAdd(rounding), flush, saturate), type, type, type, type);
            case "add" or "sub" or "mul" or "div" or "min" or "max":
                return Map(Modified(Binary(name, rounding, propagates), flush, saturate), type, type, type);
            case "copysign":
                // The sign is the first operand's.
                return Map((a, b) => (a & 0x8000_0000) | (b & 0x7fff_ffff), type, type, type);
            default:
                Map1? map = Unary(name, rounding);
                return map is null ? null : Map(Modified(map, flush, saturate), type, type);
        }
    }

    private static Map3 FusedMultiplyAdd(Rounding rounding) => rounding == Rounding.Nearest
        ? (a, b, c) => Numbers.B(MathF.FusedMultiplyAdd(Numbers.F(a), Numbers.F(b), Numbers.F(c)))
        : (a, b, c) =>
        {
            double product = (double)Numbers.F(a) * Numbers.F(b);
            return Numbers.B(RoundSum(product, Numbers.F(c), rounding));
        };

    // A sum that is exactly zero is negative when rounded down, unless both summands are positive zeros.
    private static float RoundSum(double a, double b, Rounding rounding)
    {
        double sum = Numbers.AddToOdd(a, b);
        if (sum == 0 && rounding == Rounding.Down && (double.IsNegative(a) || double.IsNegative(b)))
            return -0f;
        return Numbers.ToSingle(sum, rounding);
    }

    private static Map2 Binary(string name, Rounding rounding, bool propagates) => (name, rounding) switch
    {
        ("add", Rounding.Nearest) => (a, b) => Numbers.B(Numbers.F(a) + Numbers.F(b)),
        ("sub", Rounding.Nearest) => (a, b) => Numbers.B(Numbers.F(a) - Numbers.F(b)),
        ("mul", Rounding.Nearest) => (a, b) => Numbers.B(Numbers.F(a) * Numbers.F(b)),
        ("div", Rounding.Nearest) => (a, b) => Numbers.B(Numbers.F(a) / Numbers.F(b)),
        ("add", _) => (a, b) => Numbers.B(RoundSum(Numbers.F(a), Numbers.F(b), rounding)),
        ("sub", _) => (a, b) => Numbers.B(RoundSum(Numbers.F(a), -Numbers.F(b), rounding)),
        ("mul", _) => (a, b) => Numbers.B(Numbers.ToSingle((double)Numbers.F(a) * Numbers.F(b), rounding)),
        ("div", _) => (a, b) => Numbers.B(Numbers.ToSingle(Numbers.DivideToOdd(Numbers.F(a), Numbers.F(b)), rounding)),
        ("min", _) when propagates => (a, b) => Numbers.B(MathF.Min(Numbers.F(a), Numbers.F(b))),
        ("min", _) => (a, b) => Numbers.B(float.MinNumber(Numbers.F(a), Numbers.F(b))),
        (_, _) when propagates => (a, b) => Numbers.B(MathF.Max(Numbers.F(a), Numbers.F(b))),
        _ => (a, b) => Numbers.B(float.MaxNumber(Numbers.F(a), Numbers.F(b))),
    };

    // Approximations are computed more exactly than a GPU does: within its documented error.
    private static Map1? Unary(string name, Rounding rounding) => name switch
    {
        "abs" => a => a & 0x7fff_ffff,
        "neg" => a => (a ^ 0x8000_0000) & 0xffff_ffff,
        "sqrt" => a => Numbers.B(Numbers.ToSingle(Numbers.SqrtToOdd(Numbers.F(a)), rounding)),
        "rcp" => a => Numbers.B(Numbers.ToSingle(Numbers.DivideToOdd(1, Numbers.F(a)), rounding)),
        "rsqrt" => a => Numbers.B((float)(1 / Math.Sqrt(Numbers.F(a)))),
        "ex2" => a => Numbers.B((float)Math.Pow(2, Numbers.F(a))),
        "lg2" => a => Numbers.B((float)Math.Log2(Numbers.F(a))),
        "sin" => a => Numbers.B((float)Math.Sin(Numbers.F(a))),
        "cos" => a => Numbers.B((float)Math.Cos(Numbers.F(a))),
        "tanh" => a => Numbers.B((float)Math.Tanh(Numbers.F(a))),
        _ => null,
    };

    private static Map1 Modified(Map1 map, bool flush, bool saturate)
    {
        Map1 result = map;
        if (flush)
            result = a => Numbers.Flush(map(Numbers.Flush(a)));
        Map1 inner = result;
        return saturate ? a => Numbers.Saturate(inner(a)) : result;
    }

    private static Map2 Modified(Map2 map, bool flush, bool saturate)
    {
        Map2 result = map;
        if (flush)
            result = (a, b) => Numbers.Flush(map(Numbers.Flush(a), Numbers.Flush(b)));
        Map2 inner = result;
        return saturate ? (a, b) => Numbers.Saturate(inner(a, b)) : result;
    }

    private static Map3 Modified(Map3 map, bool flush, bool saturate)
    {
        Map3 result = map;
        if (flush)
            result = (a, b, c) => Numbers.Flush(map(Numbers.Flush(a), Numbers.Flush(b), Numbers.Flush(c)));
        Map3 inner = result;
        return saturate ? (a, b, c) => Numbers.Saturate(inner(a, b, c)) : result;
    }

    // The upper halves of operand and result count; the lower half of the result is zero.
    private MapInstruction1 DecodeGrossApproximation(string name, PtxType type)
    {
        const ulong Upper = 0xffff_ffff_0000_0000;
        bool root = name == "rsqrt";
        return Map(
            a =>
            {
                double value = Numbers.D(Flush(a & Upper));
                double result = 1 / (root ? Math.Sqrt(value) : value);
                return double.IsNaN(result) ? 0x7fff_ffff_0000_0000 : Flush(Numbers.B(result) & Upper);
            },
            type, type);

        static ulong Flush(ulong bits) => (bits & 0x7ff0_0000_0000_0000) == 0 ? bits & (1UL << 63) : bits;
    }

    private Instruction? DecodeDouble(string name, bool propagates, PtxType type)
    {
        if (propagates)
            throw new Modifiers(_source).Unsupported(".NaN is not for float64");
        switch (name)
        {
            case "fma" or "mad":
                return Map(
                    (a, b, c) =>
                        Numbers.B(Math.FusedMultiplyAdd(Numbers.D(a), Numbers.D(b), Numbers.D(c))), type, type, type, type);
            case "copysign":
                return Map((a, b) => (a & (1UL << 63)) | (b & ~(1UL << 63)), type, type, type);
            case "add":
                return Map((a, b) => Numbers.B(Numbers.D(a) + Numbers.D(b)), type, type, type);
            case "sub":
                return Map((a, b) => Numbers.B(Numbers.D(a) - Numbers.D(b)), type, type, type);
            case "mul":
                return Map((a, b) => Numbers.B(Numbers.D(a) * Numbers.D(b)), type, type, type);
            case "div":
                return Map((a, b) => Numbers.B(Numbers.D(a) / Numbers.D(b)), type, type, type);
            case "min":
                return Map((a, b) => Numbers.B(double.MinNumber(Numbers.D(a), Numbers.D(b))), type, type, type);
            case "max":
                return Map((a, b) => Numbers.B(double.MaxNumber(Numbers.D(a), Numbers.D(b))), type, type, type);
            case "abs":
                return Map(a => a & ~(1UL << 63), type, type);
            case "neg":
                return Map(a => a ^ (1UL << 63), type, type);
            case "sqrt":
                return Map(a => Numbers.B(Math.Sqrt(Numbers.D(a))), type, type);
            case "rcp":
                return Map(a => Numbers.B(1 / Numbers.D(a)), type, type);
            case "rsqrt":
                return Map(a => Numbers.B(1 / Math.Sqrt(Numbers.D(a))), type, type);
            default:
                return null;
        }
    }
}
