using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private Instruction? DecodeComparison(Modifiers modifiers)
    {
        switch (_source.Words[0])
        {
            case "setp":
                return DecodeSetPredicate(modifiers);
            case "set":
                return DecodeSet(modifiers);
            case "selp":
                return DecodeSelect(modifiers);
            case "slct":
                return DecodeSelectBySign(modifiers);
            case "testp":
                return DecodeTest(modifiers);
            default:
                return null;
        }
    }

    private SetPredicateInstruction DecodeSetPredicate(Modifiers modifiers)
    {
        string? operation = TakeComparison(modifiers);
        string? with = modifiers.TakeOneOf("and", "or", "xor");
        bool flush = modifiers.Take("ftz");
        PtxType type = modifiers.TakeType();
        Map2 compare = Comparison(operation, type, flush) ?? throw modifiers.Unsupported("its comparison is unknown");
        PtxOperand to = Operand(0);
        int destination = Destination(to is PairOperand both ? both.First : to);
        int opposite = to is PairOperand pair ? Destination(pair.Second) : -1;
        (int third, bool negated) = with is null ? (-1, false) : Predicate(3);
        return new SetPredicateInstruction(
            compare, Combination(with), destination, opposite, Source(1, type), Source(2, type), third, negated)
        { Source = _source, Guard = _guard };
    }

    private Instruction DecodeSet(Modifiers modifiers)
    {
        string? operation = TakeComparison(modifiers);
        string? with = modifiers.TakeOneOf("and", "or", "xor");
        bool flush = modifiers.Take("ftz");
        PtxType to = modifiers.TakeType();
        PtxType type = modifiers.TakeType();
        Map2 compare = Comparison(operation, type, flush) ?? throw modifiers.Unsupported("its comparison is unknown");
        ulong truth = to == PtxType.F32 ? 0x3f80_0000UL : to.Mask;
        if (with is null)
            return Map((a, b) => compare(a, b) != 0 ? truth : 0, to, type, type);
        (int third, bool negated) = Predicate(3);
        Map2 combine = Combination(with)!;
        ulong negation = negated ? 1UL : 0;
        return new MapInstruction3(
            (a, b, c) => combine(compare(a, b), c ^ negation) != 0 ? truth : 0,
            Destination(0, to), Source(1, type), Source(2, type), third)
        { Source = _source, Guard = _guard };
    }

    private MapInstruction3 DecodeSelect(Modifiers modifiers)
    {
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        (int predicate, bool negated) = Predicate(3);
        ulong taken = negated ? 0UL : 1;
        return new MapInstruction3(
            (a, b, c) => (c == taken ? a : b) & mask, Destination(0, type), Source(1, type), Source(2, type), predicate)
        { Source = _source, Guard = _guard };
    }

    private MapInstruction3 DecodeSelectBySign(Modifiers modifiers)
    {
        bool flush = modifiers.Take("ftz");
        PtxType type = modifiers.TakeType();
        PtxType sign = modifiers.TakeType();
        ulong mask = type.Mask;
        Map3 map = sign switch
        {
            { Name: "s32" } => (a, b, c) => (Numbers.S(c) >= 0 ? a : b) & mask,
            { Name: "f32" } => (a, b, c) => (Numbers.F(flush ? Numbers.Flush(c) : c) >= 0 ? a : b) & mask,
            _ => throw modifiers.Unsupported("its last operand must be .s32 or .f32"),
        };
        return Map(map, type, type, type, sign);
    }

    private MapInstruction1 DecodeTest(Modifiers modifiers)
    {
        string? kind = modifiers.TakeOneOf("finite", "infinite", "number", "notanumber", "normal", "subnormal");
        PtxType type = modifiers.TakeType();
        if (!type.IsFloat || type.Bits == 16)
            throw modifiers.Unsupported("only .f32 and .f64 can be tested");
        bool single = type.Bits == 32;
        Predicate<double> test = kind switch
        {
            "finite" => double.IsFinite,
            "infinite" => double.IsInfinity,
            "number" => value => !double.IsNaN(value),
            "notanumber" => double.IsNaN,
            "normal" => value => single ? float.IsNormal((float)value) : double.IsNormal(value),
            "subnormal" => value => single ? float.IsSubnormal((float)value) : double.IsSubnormal(value),
            _ => throw modifiers.Unsupported("its kind is unknown"),
        };
        return Map(a => test(single ? Numbers.F(a) : Numbers.D(a)) ? 1UL : 0, PtxType.Predicate, type);
    }

    private static string? TakeComparison(Modifiers modifiers) => modifiers.TakeOneOf(
        "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan");

    private static Map2? Combination(string? name) => name switch
    {
        "and" => (a, b) => a & b,
        "or" => (a, b) => a | b,
        "xor" => (a, b) => a ^ b,
        _ => null,
    };

    private static Map2? Comparison(string? operation, PtxType type, bool flush)
    {
        if (type == PtxType.F64)
            return FloatComparison(operation, Numbers.D);
        if (type == PtxType.F32)
            return FloatComparison(operation, flush ? a => Numbers.F(Numbers.Flush(a)) : a => Numbers.F(a));
        if (type.Name == "f16")
            return FloatComparison(operation, a => (double)BitConverter.UInt16BitsToHalf((ushort)a));
        int bits = type.Bits;
        ulong mask = type.Mask;
        return (operation, type.Kind) switch
        {
            ("eq", _) => (a, b) => ((a ^ b) & mask) == 0 ? 1UL : 0,
            ("ne", _) => (a, b) => ((a ^ b) & mask) != 0 ? 1UL : 0,
            ("lt", PtxKind.Signed) => (a, b) => Numbers.Signed(a, bits) < Numbers.Signed(b, bits) ? 1UL : 0,
            ("le", PtxKind.Signed) => (a, b) => Numbers.Signed(a, bits) <= Numbers.Signed(b, bits) ? 1UL : 0,
            ("gt", PtxKind.Signed) => (a, b) => Numbers.Signed(a, bits) > Numbers.Signed(b, bits) ? 1UL : 0,
            ("ge", PtxKind.Signed) => (a, b) => Numbers.Signed(a, bits) >= Numbers.Signed(b, bits) ? 1UL : 0,
            ("lt" or "lo", PtxKind.Unsigned) => (a, b) => (a & mask) < (b & mask) ? 1UL : 0,
            ("le" or "ls", PtxKind.Unsigned) => (a, b) => (a & mask) <= (b & mask) ? 1UL : 0,
            ("gt" or "hi", PtxKind.Unsigned) => (a, b) => (a & mask) > (b & mask) ? 1UL : 0,
            ("ge" or "hs", PtxKind.Unsigned) => (a, b) => (a & mask) >= (b & mask) ? 1UL : 0,
            _ => null,
        };
    }

    private static Map2? FloatComparison(string? operation, Func<ulong, double> value) => operation switch
    {
        "eq" => (a, b) => value(a) == value(b) ? 1UL : 0,
        "ne" => (a, b) => value(a) < value(b) || value(a) > value(b) ? 1UL : 0,
        "lt" => (a, b) => value(a) < value(b) ? 1UL : 0,
        "le" => (a, b) => value(a) <= value(b) ? 1UL : 0,
        "gt" => (a, b) => value(a) > value(b) ? 1UL : 0,
        "ge" => (a, b) => value(a) >= value(b) ? 1UL : 0,
        "equ" => (a, b) => value(a) < value(b) || value(a) > value(b) ? 0UL : 1,
        "neu" => (a, b) => value(a) != value(b) ? 1UL : 0,
        "ltu" => (a, b) => value(a) >= value(b) ? 0UL : 1,
        "leu" => (a, b) => value(a) > value(b) ? 0UL : 1,
        "gtu" => (a, b) => value(a) <= value(b) ? 0UL : 1,
        "geu" => (a, b) => value(a) < value(b) ? 0UL : 1,
        "num" => (a, b) => double.IsNaN(value(a)) || double.IsNaN(value(b)) ? 0UL : 1,
        "nan" => (a, b) => double.IsNaN(value(a)) || double.IsNaN(value(b)) ? 1UL : 0,
        _ => null,
    };
}
