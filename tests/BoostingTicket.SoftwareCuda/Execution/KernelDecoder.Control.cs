using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private Instruction? DecodeControl(Modifiers modifiers)
    {
        switch (_source.Words[0])
        {
            case "bra":
                modifiers.Take("uni");
                return new BranchInstruction(Place(((NameOperand)Operand(0)).Name)) { Source = _source, Guard = _guard };
            case "brx":
                return DecodeIndexedBranch(modifiers);
            case "ret":
                modifiers.Take("uni");
                return new ReturnInstruction { Source = _source, Guard = _guard };
            case "exit":
                return new ExitInstruction { Source = _source, Guard = _guard };
            case "call":
                modifiers.Take("uni");
                return DecodeCall();
            case "trap":
                return new TrapInstruction { Source = _source, Guard = _guard };
            case "bar":
            case "barrier":
                return DecodeBarrier(modifiers);
            case "membar":
            case "fence":
                return DecodeFence(modifiers);
            default:
                return null;
        }
    }

    private IndexedBranchInstruction DecodeIndexedBranch(Modifiers modifiers)
    {
        if (!modifiers.Take("idx"))
            throw modifiers.Unsupported("only brx.idx is known");
        modifiers.Take("uni");
        string list = ((NameOperand)Operand(1)).Name;
        if (!_function.BranchTargets.TryGetValue(list, out IReadOnlyList<string>? targets))
            throw modifiers.Unsupported($"there is no list of targets {list}");
        return new IndexedBranchInstruction(Source(0, PtxType.U32), [.. targets.Select(Place)])
        { Source = _source, Guard = _guard };
    }

    private CallInstruction DecodeCall()
    {
        PtxFunction callee = Callee(_source);
        int position = 0;
        List<LocalCopy> results = [], arguments = [];
        if (Operand(0) is ListOperand given)
        {
            results = Copies(given, callee, callee.Results, into: false);
            position++;
        }
        position++;
        if (position < _source.Operands.Count)
            arguments = Copies((ListOperand)Operand(position), callee, callee.Parameters, into: true);
        return new CallInstruction(_starts[callee], [.. arguments], [.. results]) { Source = _source, Guard = _guard };
    }

    private List<LocalCopy> Copies(ListOperand list, PtxFunction callee, IReadOnlyList<PtxVariable> formal, bool into)
    {
        if (list.Elements.Count != formal.Count)
            throw new Modifiers(_source).Unsupported($"{callee.Name} has {formal.Count} parameters or results");
        var copies = new List<LocalCopy>();
        for (int i = 0; i < formal.Count; i++)
        {
            int theirs = _variables[(callee, formal[i].Name)].Offset;
            int ours = (int)AddressOf(((NameOperand)list.Elements[i]).Name).Address;
            copies.Add(into ? new LocalCopy(ours, theirs, formal[i].Bytes) : new LocalCopy(theirs, ours, formal[i].Bytes));
        }
        return copies;
    }

    private Instruction DecodeBarrier(Modifiers modifiers)
    {
        if (modifiers.Take("warp"))
        {
            if (!modifiers.Take("sync"))
                throw modifiers.Unsupported("only bar.warp.sync is known");
            return new WarpBarrierInstruction(Source(0, PtxType.U32)) { Source = _source, Guard = _guard };
        }
        modifiers.Take("cta");
        modifiers.Take("aligned");
        string kind = modifiers.TakeOneOf("sync", "arrive", "red") ?? throw modifiers.Unsupported("its kind is unknown");
        if (kind != "red")
        {
            int threads = _source.Operands.Count > 1 ? Source(1, PtxType.U32) : -1;
            if (kind == "arrive" && threads < 0)
                throw modifiers.Unsupported("it must name the number of threads");
            return new BarrierInstruction(
                Source(0, PtxType.U32), threads, kind == "sync", BarrierReduction.None, -1, -1, false)
            { Source = _source, Guard = _guard };
        }
        BarrierReduction reduction = modifiers.TakeOneOf("popc", "and", "or") switch
        {
            "popc" => BarrierReduction.Count,
            "and" => BarrierReduction.And,
            "or" => BarrierReduction.Or,
            _ => throw modifiers.Unsupported("its operation is unknown"),
        };
        modifiers.TakeType();
        int last = _source.Operands.Count - 1;
        (int predicate, bool negated) = Predicate(last);
        return new BarrierInstruction(
            Source(1, PtxType.U32), last > 2 ? Source(2, PtxType.U32) : -1, true, reduction, Destination(0), predicate, negated)
        { Source = _source, Guard = _guard };
    }

    private FenceInstruction DecodeFence(Modifiers modifiers)
    {
        modifiers.TakeOneOf("sc", "acq_rel");
        string? scope = modifiers.TakeOneOf("cta", "gl", "gpu", "sys");
        return new FenceInstruction(scope is not (null or "cta")) { Source = _source, Guard = _guard };
    }

    private Instruction? DecodeWarp(Modifiers modifiers)
    {
        switch (_source.Words[0])
        {
            case "shfl":
                return DecodeShuffle(modifiers);
            case "vote":
                return DecodeVote(modifiers);
            case "match":
                return DecodeMatch(modifiers);
            case "redux":
                return DecodeReduction(modifiers);
            case "activemask":
                modifiers.TakeType();
                return new ActiveMaskInstruction(Destination(0)) { Source = _source, Guard = _guard };
            default:
                return null;
        }
    }

    private ShuffleInstruction DecodeShuffle(Modifiers modifiers)
    {
        RequireSync(modifiers);
        ShuffleMode mode = modifiers.TakeOneOf("up", "down", "bfly", "idx") switch
        {
            "up" => ShuffleMode.Up,
            "down" => ShuffleMode.Down,
            "bfly" => ShuffleMode.Butterfly,
            "idx" => ShuffleMode.Index,
            _ => throw modifiers.Unsupported("its mode is unknown"),
        };
        PtxType type = modifiers.TakeType();
        PtxOperand to = Operand(0);
        int predicate = to is PairOperand pair ? Destination(pair.Second) : -1;
        int destination = Destination(to is PairOperand both ? both.First : to);
        return new ShuffleInstruction(
            mode, destination, predicate, Source(1, type), Source(2, PtxType.U32), Source(3, PtxType.U32), Source(4, PtxType.U32))
        { Source = _source, Guard = _guard };
    }

    private VoteInstruction DecodeVote(Modifiers modifiers)
    {
        RequireSync(modifiers);
        VoteMode mode = modifiers.TakeOneOf("all", "any", "uni", "ballot") switch
        {
            "all" => VoteMode.All,
            "any" => VoteMode.Any,
            "uni" => VoteMode.Uniform,
            "ballot" => VoteMode.Ballot,
            _ => throw modifiers.Unsupported("its mode is unknown"),
        };
        modifiers.TakeType();
        (int predicate, bool negated) = Predicate(1);
        return new VoteInstruction(mode, Destination(0), predicate, negated, Source(2, PtxType.U32))
        { Source = _source, Guard = _guard };
    }

    private MatchInstruction DecodeMatch(Modifiers modifiers)
    {
        bool all = modifiers.TakeOneOf("any", "all") == "all";
        RequireSync(modifiers);
        PtxType type = modifiers.TakeType();
        PtxOperand to = Operand(0);
        int predicate = to is PairOperand pair ? Destination(pair.Second) : -1;
        int destination = Destination(to is PairOperand both ? both.First : to);
        return new MatchInstruction(all, destination, predicate, Source(1, type), Source(2, PtxType.U32))
        { Source = _source, Guard = _guard };
    }

    private ReduceInstruction DecodeReduction(Modifiers modifiers)
    {
        RequireSync(modifiers);
        string? operation = modifiers.TakeOneOf("add", "min", "max", "and", "or", "xor");
        PtxType type = modifiers.TakeType();
        Map2 combine = IntegerCombination(operation, type)
            ?? throw modifiers.Unsupported("its operation is unknown");
        return new ReduceInstruction(combine, Destination(0), Source(1, type), Source(2, PtxType.U32))
        { Source = _source, Guard = _guard };
    }

    private static void RequireSync(Modifiers modifiers)
    {
        if (!modifiers.Take("sync"))
            throw modifiers.Unsupported("GPUs from sm_70 on need .sync");
    }
}
