using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private Instruction? DecodeArithmetic(Modifiers modifiers)
    {
        string name = _source.Words[0];
        switch (name)
        {
            case "addc" or "subc" or "madc":
                return DecodeCarry(modifiers, name);
            case "add" or "sub" or "mad" when _source.Words.Contains("cc"):
                return DecodeCarry(modifiers, name);
            case "mul24" or "mad24":
                return DecodeShortMultiply(modifiers, name == "mad24");
            case "sad":
                return DecodeDifference(modifiers);
            case "dp4a":
                return DecodeDotProduct(modifiers);
        }
        PtxType? last = _source.Words.Skip(1).Select(PtxType.Find).LastOrDefault(type => type is not null);
        return last is { IsFloat: true } ? DecodeFloat(modifiers, name) : DecodeInteger(modifiers, name);
    }

    private Instruction? DecodeInteger(Modifiers modifiers, string name)
    {
        switch (name)
        {
            case "mul" or "mad":
                return DecodeMultiply(modifiers, name == "mad");
            case "div" or "rem":
                return DecodeDivision(modifiers, name == "div");
        }
        bool saturate = modifiers.Take("sat");
        if (name is not ("add" or "sub" or "min" or "max" or "abs" or "neg"))
            return null;
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        int bits = type.Bits;
        if (saturate && (type.Name != "s32" || name is not ("add" or "sub")))
            throw modifiers.Unsupported(".sat is only for .s32 sums");
        if (type.Kind == PtxKind.Bits)
            throw modifiers.Unsupported("it needs a type with a meaning");
        switch (name)
        {
            case "abs":
                return Map(a => Numbers.Signed(a, bits) < 0 ? (0 - a) & mask : a & mask, type, type);
            case "neg":
                return Map(a => (0 - a) & mask, type, type);
            case "add" when saturate:
                return Map((a, b) => Clamp((long)Numbers.S(a) + Numbers.S(b)), type, type, type);
            case "sub" when saturate:
                return Map((a, b) => Clamp((long)Numbers.S(a) - Numbers.S(b)), type, type, type);
            case "sub":
                return Map((a, b) => (a - b) & mask, type, type, type);
            default:
                return Map(IntegerCombination(name, type)!, type, type, type);
        }
    }

    private static ulong Clamp(long value) => (uint)Math.Clamp(value, int.MinValue, int.MaxValue);

    private Instruction DecodeMultiply(Modifiers modifiers, bool adds)
    {
        string part = modifiers.TakeOneOf("lo", "hi", "wide") ?? throw modifiers.Unsupported("it needs .lo, .hi or .wide");
        PtxType type = modifiers.TakeType();
        int bits = type.Bits;
        if (part == "wide" && bits > 32)
            throw modifiers.Unsupported(".wide is for 16 and 32 bits");
        PtxType to = part == "wide" ? PtxType.Find($"{type.Name[0]}{bits * 2}")! : type;
        ulong mask = to.Mask;
        Map2 product = (part, type.IsSigned) switch
        {
            ("lo", _) => (a, b) => (a * b) & mask,
            ("wide", true) => (a, b) => (ulong)(Numbers.Signed(a, bits) * Numbers.Signed(b, bits)) & mask,
            ("wide", false) => (a, b) => (a & type.Mask) * (b & type.Mask),
            (_, true) when bits == 64 => (a, b) => (ulong)Math.BigMul((long)a, (long)b, out _),
            (_, true) => (a, b) => (ulong)(Numbers.Signed(a, bits) * Numbers.Signed(b, bits) >> bits) & mask,
            (_, false) when bits == 64 => (a, b) => Math.BigMul(a, b, out _),
            _ => (a, b) => ((a & type.Mask) * (b & type.Mask)) >> bits,
        };
        bool saturate = adds && modifiers.Take("sat");
        if (saturate)
        {
            if (part != "hi" || type.Name != "s32")
                throw modifiers.Unsupported(".sat is only for .hi.s32");
            return Map((a, b, c) => Clamp((long)Numbers.S(product(a, b)) + Numbers.S(c)), to, type, type, to);
        }
        return adds
            ? Map((a, b, c) => (product(a, b) + c) & mask, to, type, type, to)
            : Map(product, to, type, type);
    }

    private DivideInstruction DecodeDivision(Modifiers modifiers, bool quotient)
    {
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        int bits = type.Bits;
        Map2 map = (quotient, type.IsSigned) switch
        {
            (true, false) => (a, b) => (a & mask) / (b & mask),
            (false, false) => (a, b) => (a & mask) % (b & mask),
            (true, true) => (a, b) => Numbers.Signed(b, bits) == -1
                ? (0 - a) & mask : (ulong)(Numbers.Signed(a, bits) / Numbers.Signed(b, bits)) & mask,
            _ => (a, b) => Numbers.Signed(b, bits) == -1
                ? 0 : (ulong)(Numbers.Signed(a, bits) % Numbers.Signed(b, bits)) & mask,
        };
        return new DivideInstruction(map, Destination(0, type), Source(1, type), Source(2, type))
        { Source = _source, Guard = _guard };
    }

    // Products of the low 24 bits; .hi is bits 16 to 47.
    private Instruction DecodeShortMultiply(Modifiers modifiers, bool adds)
    {
        int shift = modifiers.TakeOneOf("lo", "hi") == "hi" ? 16 : 0;
        PtxType type = modifiers.TakeType();
        Map2 product = type.IsSigned
            ? (a, b) => (uint)(Numbers.Signed(a, 24) * Numbers.Signed(b, 24) >> shift)
            : (a, b) => (uint)((a & 0xff_ffff) * (b & 0xff_ffff) >> shift);
        return adds
            ? Map((a, b, c) => (uint)(product(a, b) + c), type, type, type, type)
            : Map(product, type, type, type);
    }

    private MapInstruction3 DecodeDifference(Modifiers modifiers)
    {
        PtxType type = modifiers.TakeType();
        int bits = type.Bits;
        return Map(
            (a, b, c) =>
            {
                bool less = type.IsSigned ? Numbers.Signed(a, bits) < Numbers.Signed(b, bits) : (a & type.Mask) < (b & type.Mask);
                return (c + (less ? b - a : a - b)) & type.Mask;
            },
            type, type, type, type);
    }

    private MapInstruction3 DecodeDotProduct(Modifiers modifiers)
    {
        PtxType first = modifiers.TakeType();
        PtxType second = modifiers.TakeType();
        return Map(
            (a, b, c) =>
            {
                uint sum = (uint)c;
                for (int i = 0; i < 32; i += 8)
                    sum += (uint)(Part(a >> i, first) * Part(b >> i, second));
                return sum;
            },
            PtxType.U32, first, second, PtxType.U32);

        static long Part(ulong bits, PtxType type) => type.IsSigned ? (sbyte)bits : (byte)bits;
    }

    private CarryInstruction DecodeCarry(Modifiers modifiers, string name)
    {
        bool writes = modifiers.Take("cc");
        bool reads = name.EndsWith('c');
        bool high = modifiers.TakeOneOf("lo", "hi") == "hi";
        PtxType type = modifiers.TakeType();
        bool multiplies = name.StartsWith("mad", StringComparison.Ordinal);
        bool subtracts = name.StartsWith("sub", StringComparison.Ordinal);
        int bits = type.Bits;
        int first = Source(1, type), second = Source(2, type), third = multiplies ? Source(3, type) : first;
        return new CarryInstruction(
            (a, b, c, carry) =>
            {
                UInt128 left = multiplies ? Product(a, b) : a;
                UInt128 right = multiplies ? c : b;
                UInt128 total = subtracts ? left - right - carry : left + right + carry;
                return ((ulong)total & type.Mask, (ulong)(total >> bits) & 1);
            },
            Destination(0, type), first, second, third, CarryRow, reads, writes)
        { Source = _source, Guard = _guard };

        ulong Product(ulong a, ulong b)
        {
            Int128 product = type.IsSigned
                ? (Int128)Numbers.Signed(a, bits) * Numbers.Signed(b, bits)
                : (Int128)((UInt128)(a & type.Mask) * (b & type.Mask));
            return (ulong)(UInt128)(high ? product >> bits : product) & type.Mask;
        }
    }
}
