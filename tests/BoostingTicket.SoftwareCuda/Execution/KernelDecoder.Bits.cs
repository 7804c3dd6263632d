using System.Numerics;
using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private Instruction? DecodeBits(Modifiers modifiers)
    {
        switch (_source.Words[0])
        {
            case "and" or "or" or "xor":
                return DecodeLogic(modifiers, _source.Words[0]);
            case "not" or "cnot":
                return DecodeNot(modifiers, _source.Words[0] == "cnot");
            case "shl" or "shr":
                return DecodeShift(modifiers, _source.Words[0] == "shl");
            case "shf":
                return DecodeFunnelShift(modifiers);
            case "lop3":
                return DecodeLogic3(modifiers);
            case "prmt":
                return DecodePermute(modifiers);
            case "bfe":
                return DecodeExtract(modifiers);
            case "bfi":
                return DecodeInsert(modifiers);
            case "popc" or "clz" or "brev" or "bfind":
                return DecodeCount(modifiers, _source.Words[0]);
            default:
                return null;
        }
    }

    private MapInstruction2 DecodeLogic(Modifiers modifiers, string name)
    {
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        Map2 map = name switch
        {
            "and" => (a, b) => a & b & mask,
            "or" => (a, b) => (a | b) & mask,
            _ => (a, b) => (a ^ b) & mask,
        };
        if (type.Kind != PtxKind.Predicate)
            return Map(map, type, type, type);
        (int first, bool notFirst) = Predicate(1);
        (int second, bool notSecond) = Predicate(2);
        ulong flipFirst = notFirst ? 1UL : 0, flipSecond = notSecond ? 1UL : 0;
        return new MapInstruction2((a, b) => map(a ^ flipFirst, b ^ flipSecond), Destination(0, type), first, second)
        { Source = _source, Guard = _guard };
    }

    private MapInstruction1 DecodeNot(Modifiers modifiers, bool logical)
    {
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        return Map(logical ? a => (a & mask) == 0 ? 1UL : 0 : a => ~a & mask, type, type);
    }

    // Amounts beyond the width count as the width.
    private MapInstruction2 DecodeShift(Modifiers modifiers, bool left)
    {
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        int bits = type.Bits;
        Map2 map;
        if (left)
            map = (a, b) => (uint)b >= bits ? 0 : (a << (int)b) & mask;
        else if (type.IsSigned)
            map = (a, b) => (ulong)(Numbers.Signed(a, bits) >> (int)Math.Min((uint)b, 63)) & mask;
        else
            map = (a, b) => (uint)b >= bits ? 0 : (a & mask) >> (int)b;
        return Map(map, type, type, PtxType.U32);
    }

    private MapInstruction3 DecodeFunnelShift(Modifiers modifiers)
    {
        bool left = modifiers.TakeOneOf("l", "r") switch
        {
            "l" => true,
            "r" => false,
            _ => throw modifiers.Unsupported("its direction is unknown"),
        };
        bool wraps = modifiers.TakeOneOf("wrap", "clamp") switch
        {
            "wrap" => true,
            "clamp" => false,
            _ => throw modifiers.Unsupported("its mode is unknown"),
        };
        PtxType type = modifiers.TakeType();
        Map3 map = (a, b, c) =>
        {
            int amount = wraps ? (int)(c & 31) : (int)Math.Min((uint)c, 32);
            ulong both = (b << 32) | (uint)a;
            return left ? (uint)(both << amount >> 32) : (uint)(both >> amount);
        };
        return Map(map, type, type, type, PtxType.U32);
    }

    private MapInstruction3 DecodeLogic3(Modifiers modifiers)
    {
        PtxType type = modifiers.TakeType();
        uint table = (uint)((NumberOperand)Operand(4)).Bits;
        return Map(
            (a, b, c) =>
            {
                ulong result = 0;
                for (int i = 0; i < 8; i++)
                {
                    if ((table >> i & 1) != 0)
                        result |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
                }
                return (uint)result;
            },
            type, type, type, type);
    }

    private MapInstruction3 DecodePermute(Modifiers modifiers)
    {
        string? mode = modifiers.TakeOneOf("f4e", "b4e", "rc8", "ecl", "ecr", "rc16");
        PtxType type = modifiers.TakeType();
        return Map(
            (a, b, c) =>
            {
                ulong bytes = (b << 32) | (uint)a;
                uint result = 0;
                for (int i = 0; i < 4; i++)
                {
                    uint selector = Selector(mode, (uint)c, i);
                    uint value = (uint)(bytes >> (int)(8 * (selector & 7))) & 0xff;
                    if ((selector & 8) != 0)
                        value = (value & 0x80) != 0 ? 0xffu : 0;
                    result |= value << (8 * i);
                }
                return result;
            },
            type, type, type, type);
    }

    // Which byte goes to place i; bit 3 asks for its sign.
    private static uint Selector(string? mode, uint control, int i)
    {
        uint c = control & 3;
        uint place = (uint)i;
        return mode switch
        {
            null => control >> (4 * i) & 15,
            "f4e" => c + place,
            "b4e" => (c - place) & 7,
            "rc8" => c,
            "ecl" => Math.Max(place, c),
            "ecr" => Math.Min(place, c),
            _ => ((c & 1) << 1) | (place & 1),
        };
    }

    private MapInstruction3 DecodeExtract(Modifiers modifiers)
    {
        PtxType type = modifiers.TakeType();
        int bits = type.Bits;
        return Map(
            (a, b, c) =>
            {
                int start = (int)(b & 0xff), length = (int)(c & 0xff);
                bool sign = type.IsSigned && length > 0 && (a >> Math.Min(start + length - 1, bits - 1) & 1) != 0;
                ulong field = start >= bits ? 0 : (a & type.Mask) >> start;
                int kept = Math.Min(length, Math.Max(0, bits - start));
                ulong low = kept >= 64 ? ulong.MaxValue : (1UL << kept) - 1;
                return ((field & low) | (sign ? ~low : 0)) & type.Mask;
            },
            type, type, PtxType.U32, PtxType.U32);
    }

    private MapInstruction4 DecodeInsert(Modifiers modifiers)
    {
        PtxType type = modifiers.TakeType();
        int bits = type.Bits;
        return Map(
            (a, b, c, d) =>
            {
                int start = (int)(c & 0xff), length = Math.Min((int)(d & 0xff), bits);
                if (start >= bits)
                    return b & type.Mask;
                ulong field = (length >= 64 ? ulong.MaxValue : (1UL << length) - 1) << start;
                return ((b & ~field) | ((a << start) & field)) & type.Mask;
            },
            type, type, type, PtxType.U32, PtxType.U32);
    }

    private MapInstruction1 DecodeCount(Modifiers modifiers, string name)
    {
        bool amount = modifiers.Take("shiftamt");
        PtxType type = modifiers.TakeType();
        ulong mask = type.Mask;
        int bits = type.Bits;
        switch (name)
        {
            case "popc":
                return Map(a => (ulong)BitOperations.PopCount(a & mask), PtxType.U32, type);
            case "clz":
                return Map(a => (ulong)(BitOperations.LeadingZeroCount(a & mask) - (64 - bits)), PtxType.U32, type);
            case "brev":
                return Map(a => Reverse(a & mask) >> (64 - bits), type, type);
            default:
                return Map(
                    a =>
                    {
                        ulong value = type.IsSigned && Numbers.Signed(a, bits) < 0 ? ~a & mask : a & mask;
                        if (value == 0)
                            return uint.MaxValue;
                        int place = BitOperations.Log2(value);
                        return (ulong)(amount ? bits - 1 - place : place);
                    },
                    PtxType.U32, type);
        }
    }

    private static ulong Reverse(ulong value)
    {
        ulong result = 0;
        for (int i = 0; i < 64; i++, value >>= 1)
            result = (result << 1) | (value & 1);
        return result;
    }
}
