using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private Instruction? DecodeMemory(Modifiers modifiers)
    {
        switch (_source.Words[0])
        {
            case "ld" or "ldu":
                return DecodeLoad(modifiers);
            case "st":
                return DecodeStore(modifiers);
            case "atom" or "red":
                return DecodeAtomic(modifiers);
            case "mov":
                return DecodeMove(modifiers);
            case "cvta":
                return DecodeWindow(modifiers);
            case "isspacep":
                return new WindowInstruction(
                    TakeSpace(modifiers), asks: true, Destination(0, PtxType.Predicate), Source(1, PtxType.U64))
                { Source = _source, Guard = _guard };
            case "prefetch" or "prefetchu":
                TakeSpace(modifiers);
                modifiers.TakeOneOf("L1", "L2");
                return new NoInstruction { Source = _source, Guard = _guard };
            default:
                return null;
        }
    }

    private static AddressSpace TakeSpace(Modifiers modifiers) =>
        modifiers.TakeOneOf("global", "shared", "shared::cta", "local", "const", "param") switch
        {
            "global" => AddressSpace.Global,
            "shared" or "shared::cta" => AddressSpace.Shared,
            "local" => AddressSpace.Local,
            "const" => AddressSpace.Constant,
            "param" => AddressSpace.Parameter,
            _ => AddressSpace.Generic,
        };

    // Orderings and caching.
    private static AccessKind TakeOrdering(Modifiers modifiers)
    {
        modifiers.Take("weak");
        bool strong = modifiers.TakeOneOf("volatile", "relaxed", "acquire", "release", "acq_rel") is not null;
        modifiers.TakeOneOf("cta", "gpu", "sys");
        modifiers.TakeOneOf("ca", "cg", "cs", "lu", "cv", "wb", "wt");
        bool readOnly = modifiers.Take("nc");
        modifiers.TakeOneOf("L1::evict_normal", "L1::evict_first", "L1::evict_last", "L1::no_allocate", "L1::evict_unchanged");
        modifiers.TakeOneOf("L2::64B", "L2::128B", "L2::256B");
        return strong ? AccessKind.Strong : readOnly ? AccessKind.ReadOnly : AccessKind.Plain;
    }

    private static int TakeLanes(Modifiers modifiers) => modifiers.TakeOneOf("v2", "v4") switch
    {
        "v2" => 2,
        "v4" => 4,
        _ => 1,
    };

    private LoadInstruction DecodeGeneralLoad(
        Modifiers modifiers, AddressSpace space, PtxType type, IReadOnlyList<PtxOperand> to, AccessKind kind)
    {
        MemoryPlace place = Place((AddressOperand)Operand(1), space, type, to.Count, modifiers);
        return new LoadInstruction(place, Destinations(to, type), type.IsSigned, kind) { Source = _source, Guard = _guard };
    }

    private Instruction DecodeLoad(Modifiers modifiers)
    {
        AccessKind kind = TakeOrdering(modifiers);
        AddressSpace space = TakeSpace(modifiers);
        int lanes = TakeLanes(modifiers);
        PtxType type = modifiers.TakeType();
        IReadOnlyList<PtxOperand> to = Operand(0) is VectorOperand vector ? vector.Elements : [Operand(0)];
        if (to.Count != lanes)
            throw modifiers.Unsupported($"it needs {lanes} destinations");
        var from = (AddressOperand)Operand(1);
        if (space == AddressSpace.Parameter && from.Base is NameOperand name
            && AddressOf(name.Name).Space == AddressSpace.Parameter)
        {
            KernelParameter parameter = _parameters.Find(one => one.Name == name.Name);
            int offset = checked((int)from.Offset);
            int bytes = type.Bytes * lanes;
            if (offset < 0 || offset + bytes > parameter.Bytes || (parameter.Offset + offset) % bytes != 0)
                throw modifiers.Unsupported($"it lies outside the parameter of {parameter.Bytes} bytes, or is misaligned");
            return new LoadParameterInstruction(parameter.Offset + offset, type.Bytes, Destinations(to, type), type.IsSigned)
            { Source = _source, Guard = _guard };
        }
        return DecodeGeneralLoad(modifiers, space, type, to, kind);
    }

    private (int Row, ulong Mask)[] Destinations(IReadOnlyList<PtxOperand> operands, PtxType type) =>
        [.. operands.Select(operand =>
        {
            if (operand is SinkOperand)
                return (-1, 0UL);
            RequireWidth((RegisterOperand)operand, type);
            return (Destination(operand), RegisterType(operand).Mask);
        })];

    private MemoryPlace Place(AddressOperand operand, AddressSpace space, PtxType type, int lanes, Modifiers modifiers)
    {
        if (type.Kind == PtxKind.Predicate || type.Bytes * lanes > 16)
            throw modifiers.Unsupported("its size is not one of 1 to 16 bytes");
        if (operand.Base is NameOperand name && !SpecialRegisters.Exists(name.Name))
        {
            (AddressSpace found, ulong address) = AddressOf(name.Name);
            bool fits = space == found || space == AddressSpace.Parameter && found == AddressSpace.Local
                || space == AddressSpace.Constant && found == AddressSpace.Global;
            if (!fits)
                throw modifiers.Unsupported($"{name.Name} lies in another space");
            return new MemoryPlace(
                space == AddressSpace.Parameter ? found : space, Constant(address), operand.Offset, type.Bytes);
        }
        if (space == AddressSpace.Parameter)
            throw modifiers.Unsupported("pointers to parameters are not supported");
        // Addresses of shared and own memory may be 32 bits wide.
        PtxType width = operand.Base is RegisterOperand { } register && _function.Registers[register.Register].Bits == 32
            && space is AddressSpace.Shared or AddressSpace.Local or AddressSpace.Constant
            ? PtxType.U32 : PtxType.U64;
        return new MemoryPlace(space, Source(operand.Base, width), operand.Offset, type.Bytes);
    }

    private StoreInstruction DecodeStore(Modifiers modifiers)
    {
        AccessKind kind = TakeOrdering(modifiers);
        AddressSpace space = TakeSpace(modifiers);
        int lanes = TakeLanes(modifiers);
        PtxType type = modifiers.TakeType();
        IReadOnlyList<PtxOperand> from = Operand(1) is VectorOperand vector ? vector.Elements : [Operand(1)];
        if (from.Count != lanes)
            throw modifiers.Unsupported($"it needs {lanes} values");
        MemoryPlace place = Place((AddressOperand)Operand(0), space, type, lanes, modifiers);
        return new StoreInstruction(place, [.. from.Select(operand => Source(operand, type))], kind)
        { Source = _source, Guard = _guard };
    }

    private AtomicInstruction DecodeAtomic(Modifiers modifiers)
    {
        bool returns = _source.Words[0] == "atom";
        bool fences = modifiers.TakeOneOf("acquire", "release", "acq_rel") is not null;
        modifiers.Take("relaxed");
        modifiers.TakeOneOf("cta", "gpu", "sys");
        AddressSpace space = TakeSpace(modifiers);
        string? operation = modifiers.TakeOneOf("exch", "add", "min", "max", "inc", "dec", "cas", "and", "or", "xor");
        PtxType type = modifiers.TakeType();
        int first = returns ? 1 : 0;
        MemoryPlace place = Place((AddressOperand)Operand(first), space, type, 1, modifiers);
        int b = Source(first + 1, type);
        int c = operation == "cas" ? Source(first + 2, type) : b;
        int destination = returns ? Destination(0) : -1;
        return new AtomicInstruction(place, destination, AtomicCombination(operation, type, modifiers), b, c, fences)
        { Source = _source, Guard = _guard };
    }

    private static Map3 AtomicCombination(string? operation, PtxType type, Modifiers modifiers)
    {
        if (operation == "exch" && type.Bits >= 32)
            return (old, b, c) => b;
        if (operation == "cas")
            return (old, b, c) => old == b ? c : old;
        if (operation == "inc" && type.Name == "u32")
            return (old, b, c) => old >= b ? 0 : old + 1;
        if (operation == "dec" && type.Name == "u32")
            return (old, b, c) => old == 0 || old > b ? b : old - 1;
        if (operation == "add" && type == PtxType.F32)
            return (old, b, c) => Numbers.B(Numbers.F(old) + Numbers.F(b));
        if (operation == "add" && type == PtxType.F64)
            return (old, b, c) => Numbers.B(Numbers.D(old) + Numbers.D(b));
        if (!type.IsFloat && type.Bits >= 32 && IntegerCombination(operation, type) is { } combine)
            return (old, b, c) => combine(old, b);
        throw modifiers.Unsupported("its operation is unknown for that type");
    }

    /// <summary>Operations of integers that need no order.</summary>
    private static Map2? IntegerCombination(string? operation, PtxType type)
    {
        ulong mask = type.Mask;
        int bits = type.Bits;
        return (operation, type.IsSigned) switch
        {
            ("add", _) => (a, b) => (a + b) & mask,
            ("and", _) => (a, b) => a & b,
            ("or", _) => (a, b) => a | b,
            ("xor", _) => (a, b) => a ^ b,
            ("min", false) => (a, b) => Math.Min(a, b),
            ("max", false) => (a, b) => Math.Max(a, b),
            ("min", true) => (a, b) => Numbers.Signed(a, bits) <= Numbers.Signed(b, bits) ? a : b,
            ("max", true) => (a, b) => Numbers.Signed(a, bits) >= Numbers.Signed(b, bits) ? a : b,
            _ => null,
        };
    }

    private Instruction DecodeMove(Modifiers modifiers)
    {
        PtxType type = modifiers.TakeType();
        if (Operand(0) is VectorOperand to)
        {
            int[] parts = [.. to.Elements.Select(Destination)];
            return new PackInstruction(parts, type.Bits / parts.Length, Source(1, type), splits: true)
            { Source = _source, Guard = _guard };
        }
        if (Operand(1) is VectorOperand from)
        {
            PtxType part = PtxType.Find($"b{type.Bits / from.Elements.Count}")
                ?? throw modifiers.Unsupported("its parts are too small");
            int[] parts = [.. from.Elements.Select(operand => Source(operand, part))];
            return new PackInstruction(parts, part.Bits, Destination(0, type), splits: false)
            { Source = _source, Guard = _guard };
        }
        ulong mask = type.Mask;
        return Map(a => a & mask, type, type);
    }

    private Instruction DecodeWindow(Modifiers modifiers)
    {
        bool to = modifiers.Take("to");
        AddressSpace space = TakeSpace(modifiers);
        PtxType type = modifiers.TakeType();
        if (to)
        {
            return new WindowInstruction(space, asks: false, Destination(0, type), Source(1, type))
            { Source = _source, Guard = _guard };
        }
        ulong start = space switch
        {
            AddressSpace.Shared => BlockState.SharedWindow,
            AddressSpace.Local => BlockState.LocalWindow,
            AddressSpace.Global or AddressSpace.Constant => 0,
            _ => throw modifiers.Unsupported("its space is unknown"),
        };
        return Map(a => a + start, type, type);
    }
}
