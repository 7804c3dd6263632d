namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>An instruction that <see cref="BlockRunner"/> itself carries out.</summary>
internal abstract unsafe class ControlInstruction : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count) =>
        throw new InvalidOperationException("Control flow is not executed by the instruction.");
}

/// <summary>A jump.</summary>
internal sealed class BranchInstruction(int target) : ControlInstruction
{
    /// <summary>Number of the next instruction.</summary>
    public int Target => target;

    /// <inheritdoc/>
    public override Flow Flow => Flow.Branch;
}

/// <summary>A jump to one of several places (brx.idx).</summary>
internal sealed class IndexedBranchInstruction(int index, int[] targets) : ControlInstruction
{
    /// <summary>Row of the index.</summary>
    public int Index => index;

    /// <summary>Numbers of instructions.</summary>
    public int[] Targets => targets;

    /// <inheritdoc/>
    public override Flow Flow => Flow.IndexedBranch;
}

/// <summary>A call: arguments are copied, the function runs, results are copied back.</summary>
/// <param name="target">Number of the function's first instruction.</param>
/// <param name="arguments">Copies within the thread's memory.</param>
/// <param name="results">Copies within the thread's memory when it returns.</param>
internal sealed class CallInstruction(int target, LocalCopy[] arguments, LocalCopy[] results) : ControlInstruction
{
    /// <summary>Number of the function's first instruction.</summary>
    public int Target => target;

    /// <summary>What is copied before.</summary>
    public LocalCopy[] Arguments => arguments;

    /// <summary>What is copied afterwards.</summary>
    public LocalCopy[] Results => results;

    /// <inheritdoc/>
    public override Flow Flow => Flow.Call;
}

/// <summary>A copy within a thread's memory.</summary>
internal readonly record struct LocalCopy(int From, int To, int Bytes);

/// <summary>The end of a function, or of the thread in a kernel.</summary>
internal sealed class ReturnInstruction : ControlInstruction
{
    /// <inheritdoc/>
    public override Flow Flow => Flow.Return;
}

/// <summary>The end of the thread.</summary>
internal sealed class ExitInstruction : ControlInstruction
{
    /// <inheritdoc/>
    public override Flow Flow => Flow.Exit;
}

/// <summary>What the threads at a barrier combine.</summary>
internal enum BarrierReduction
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Whether the predicate holds for all.</summary>
    And,

    /// <summary>Whether it holds for any.</summary>
    Or,

    /// <summary>For how many it holds.</summary>
    Count,
}

/// <summary>Waits for the threads of the block.</summary>
/// <param name="barrier">Row of the barrier's number.</param>
/// <param name="threads">Row of the number of threads; -1 for all.</param>
/// <param name="waits">False for bar.arrive.</param>
/// <param name="reduction">What is combined.</param>
/// <param name="destination">Row of the result; -1 for none.</param>
/// <param name="predicate">Row of each thread's contribution; -1 for none.</param>
/// <param name="negated">Whether the contribution is negated.</param>
internal sealed class BarrierInstruction(
    int barrier, int threads, bool waits, BarrierReduction reduction, int destination, int predicate, bool negated)
    : ControlInstruction
{
    /// <summary>Row of the barrier's number.</summary>
    public int Barrier => barrier;

    /// <summary>Row of the number of threads; -1 for all.</summary>
    public int Threads => threads;

    /// <summary>Whether threads stop here.</summary>
    public bool Waits => waits;

    /// <summary>What is combined.</summary>
    public BarrierReduction Reduction => reduction;

    /// <summary>Row of the result.</summary>
    public int Destination => destination;

    /// <summary>Row of each thread's contribution.</summary>
    public int Predicate => predicate;

    /// <summary>Whether the contribution is negated.</summary>
    public bool Negated => negated;

    /// <inheritdoc/>
    public override Flow Flow => Flow.Barrier;
}

/// <summary>The kernel gives up (trap): an assertion of the kernel failed.</summary>
internal sealed unsafe class TrapInstruction : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count) =>
        throw block.Fault(this, lanes[0], "the kernel trapped");
}
