using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>What an instruction does to the order of execution.</summary>
internal enum Flow
{
    /// <summary>The next instruction follows.</summary>
    Next,

    /// <summary>A jump for the threads whose guard holds.</summary>
    Branch,

    /// <summary>A jump to one of several places.</summary>
    IndexedBranch,

    /// <summary>A call of a function of the module.</summary>
    Call,

    /// <summary>The end of a function, or of the thread in a kernel.</summary>
    Return,

    /// <summary>The end of the thread.</summary>
    Exit,

    /// <summary>Threads of the block wait for each other.</summary>
    Barrier,

    /// <summary>Threads of a warp wait for each other and exchange values.</summary>
    Warp,
}

/// <summary>A decoded instruction, executed by several threads of a block at once.</summary>
internal abstract unsafe class Instruction
{
    /// <summary>The instruction as written.</summary>
    public required PtxInstruction Source { get; init; }

    /// <summary>Row of the predicate that must hold; -1 for none.</summary>
    public required int Guard { get; init; }

    /// <summary>Whether the predicate must be false instead.</summary>
    public bool GuardNegated => Source.GuardNegated;

    /// <summary>Number of the instruction in its kernel.</summary>
    public int Place { get; set; }

    /// <summary>Threads that executed it, over all launches.</summary>
    public long Executions { get; set; }

    /// <summary>What follows.</summary>
    public virtual Flow Flow => Flow.Next;

    /// <summary>Executes it.</summary>
    /// <param name="block">The block's registers and memory.</param>
    /// <param name="lanes">The threads, ascending.</param>
    /// <param name="count">How many.</param>
    public abstract void Execute(BlockState block, int* lanes, int count);
}

/// <summary>A value of one.</summary>
internal delegate ulong Map1(ulong a);

/// <summary>A value of two.</summary>
internal delegate ulong Map2(ulong a, ulong b);

/// <summary>A value of three.</summary>
internal delegate ulong Map3(ulong a, ulong b, ulong c);

/// <summary>A value of four.</summary>
internal delegate ulong Map4(ulong a, ulong b, ulong c, ulong d);

/// <summary>Computes a register from another.</summary>
internal sealed unsafe class MapInstruction1(Map1 map, int destination, int a) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination), first = block.Row(a);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            to[lane] = map(first[lane]);
        }
    }
}

/// <summary>Computes a register from two.</summary>
internal sealed unsafe class MapInstruction2(Map2 map, int destination, int a, int b) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination), first = block.Row(a), second = block.Row(b);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            to[lane] = map(first[lane], second[lane]);
        }
    }
}

/// <summary>Computes a register from three.</summary>
internal sealed unsafe class MapInstruction3(Map3 map, int destination, int a, int b, int c) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination), first = block.Row(a), second = block.Row(b), third = block.Row(c);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            to[lane] = map(first[lane], second[lane], third[lane]);
        }
    }
}

/// <summary>Computes a register from four.</summary>
internal sealed unsafe class MapInstruction4(Map4 map, int destination, int a, int b, int c, int d) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination), first = block.Row(a), second = block.Row(b), third = block.Row(c);
        ulong* fourth = block.Row(d);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            to[lane] = map(first[lane], second[lane], third[lane], fourth[lane]);
        }
    }
}

/// <summary>A quotient or rest of integers; a divisor of zero, whose result PTX leaves open, is reported.</summary>
internal sealed unsafe class DivideInstruction(Map2 map, int destination, int a, int b) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination), first = block.Row(a), second = block.Row(b);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            if (second[lane] == 0)
                throw block.Fault(this, lane, "integer division by zero");
            to[lane] = map(first[lane], second[lane]);
        }
    }
}

/// <summary>Compares, and combines the truth with another; a second destination gets the opposite.</summary>
/// <param name="compare">1 where it holds.</param>
/// <param name="combine">With the third operand; null for none.</param>
/// <param name="destination">Row of the truth; -1 for none.</param>
/// <param name="opposite">Row of the opposite; -1 for none.</param>
/// <param name="a">Row of the first operand.</param>
/// <param name="b">Row of the second.</param>
/// <param name="c">Row of the predicate to combine with; -1 for none.</param>
/// <param name="negateC">Whether that one is negated.</param>
internal sealed unsafe class SetPredicateInstruction(
    Map2 compare, Map2? combine, int destination, int opposite, int a, int b, int c, bool negateC) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* first = block.Row(a), second = block.Row(b);
        ulong* third = combine is null ? null : block.Row(c);
        ulong* to = destination < 0 ? null : block.Row(destination), not = opposite < 0 ? null : block.Row(opposite);
        ulong negation = negateC ? 1UL : 0;
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            ulong truth = compare(first[lane], second[lane]);
            ulong with = combine is null ? 0 : third[lane] ^ negation;
            if (to is not null)
                to[lane] = combine is null ? truth : combine(truth, with);
            if (not is not null)
                not[lane] = combine is null ? truth ^ 1 : combine(truth ^ 1, with);
        }
    }
}

/// <summary>Does nothing.</summary>
internal sealed unsafe class NoInstruction : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count) { }
}
