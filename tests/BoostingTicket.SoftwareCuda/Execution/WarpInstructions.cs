using System.Numerics;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>An instruction that the named threads of a warp execute together. It is executed warp by warp, when all of them have
/// come.</summary>
internal abstract unsafe class WarpInstruction(int members) : Instruction
{
    /// <summary>Row of the mask of threads that take part.</summary>
    public int Members => members;

    /// <inheritdoc/>
    public override Flow Flow => Flow.Warp;
}

/// <summary>The warp's threads wait for each other, and what they wrote is visible (bar.warp.sync).</summary>
internal sealed unsafe class WarpBarrierInstruction(int members) : WarpInstruction(members)
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        // The threads of a partial mask are ordered among themselves only, which the race detector cannot tell.
        int existing = Math.Min(32, block.Threads - (lanes[0] & ~31));
        if (count == existing)
            block.Races.WarpBarrier(lanes[0] >> 5);
    }
}

/// <summary>Where a shuffle takes its value.</summary>
internal enum ShuffleMode
{
    /// <summary>From a lane below.</summary>
    Up,

    /// <summary>From a lane above.</summary>
    Down,

    /// <summary>From the lane whose number differs in some bits.</summary>
    Butterfly,

    /// <summary>From a lane.</summary>
    Index,
}

/// <summary>Takes a value from another thread of the warp (shfl.sync).</summary>
internal sealed unsafe class ShuffleInstruction(
    ShuffleMode mode, int destination, int predicate, int value, int operand, int clamp, int members) : WarpInstruction(members)
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = destination < 0 ? null : block.Row(destination), inRange = predicate < 0 ? null : block.Row(predicate);
        ulong* from = block.Row(value), second = block.Row(operand), third = block.Row(clamp);
        int warp = lanes[0] & ~31;
        uint present = 0;
        ulong* values = stackalloc ulong[32];
        for (int i = 0; i < count; i++)
        {
            present |= 1u << (lanes[i] & 31);
            values[lanes[i] & 31] = (uint)from[lanes[i]];
        }
        for (int i = 0; i < count; i++)
        {
            int thread = lanes[i];
            (int source, bool valid) = Origin(thread & 31, (int)(second[thread] & 31), (uint)third[thread]);
            if (!valid)
                source = thread & 31;
            if ((present >> source & 1) == 0)
            {
                throw block.Fault(
                    this, thread, $"the value comes from lane {source} (thread {warp + source}), which takes no part");
            }
            if (to is not null)
                to[thread] = values[source];
            if (inRange is not null)
                inRange[thread] = valid ? 1UL : 0;
        }
    }

    private (int Source, bool Valid) Origin(int lane, int b, uint c)
    {
        int segment = (int)(c >> 8 & 31);
        int limit = (int)(c & 31);
        int most = (lane & segment) | (limit & ~segment);
        int least = lane & segment;
        switch (mode)
        {
            case ShuffleMode.Up:
                return (lane - b, lane - b >= most);
            case ShuffleMode.Down:
                return (lane + b, lane + b <= most);
            case ShuffleMode.Butterfly:
                return (lane ^ b, (lane ^ b) <= most);
            default:
                int source = least | (b & ~segment);
                return (source, source <= most);
        }
    }
}

/// <summary>What a vote asks.</summary>
internal enum VoteMode
{
    /// <summary>Whether all predicates hold.</summary>
    All,

    /// <summary>Whether any holds.</summary>
    Any,

    /// <summary>Whether all are equal.</summary>
    Uniform,

    /// <summary>For whom it holds.</summary>
    Ballot,
}

/// <summary>Combines predicates of a warp (vote.sync).</summary>
internal sealed unsafe class VoteInstruction(VoteMode mode, int destination, int predicate, bool negated, int members)
    : WarpInstruction(members)
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* values = block.Row(predicate), to = block.Row(destination);
        uint ballot = 0;
        for (int i = 0; i < count; i++)
            ballot |= (uint)((values[lanes[i]] & 1) ^ (negated ? 1UL : 0)) << (lanes[i] & 31);
        int holds = BitOperations.PopCount(ballot);
        ulong result = mode switch
        {
            VoteMode.All => holds == count ? 1UL : 0,
            VoteMode.Any => holds > 0 ? 1UL : 0,
            VoteMode.Uniform => holds == 0 || holds == count ? 1UL : 0,
            _ => ballot,
        };
        for (int i = 0; i < count; i++)
            to[lanes[i]] = result;
    }
}

/// <summary>Finds the warp's threads with equal values (match.sync).</summary>
internal sealed unsafe class MatchInstruction(bool all, int destination, int predicate, int value, int members)
    : WarpInstruction(members)
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* values = block.Row(value), to = block.Row(destination);
        uint* masks = stackalloc uint[32];
        for (int i = 0; i < count; i++)
        {
            uint mask = 0;
            for (int j = 0; j < count; j++)
                mask |= values[lanes[i]] == values[lanes[j]] ? 1u << (lanes[j] & 31) : 0;
            masks[i] = all && BitOperations.PopCount(mask) != count ? 0 : mask;
        }
        for (int i = 0; i < count; i++)
        {
            to[lanes[i]] = masks[i];
            if (predicate >= 0)
                block.Row(predicate)[lanes[i]] = masks[i] != 0 ? 1UL : 0;
        }
    }
}

/// <summary>Combines integers of a warp (redux.sync).</summary>
internal sealed unsafe class ReduceInstruction(Map2 combine, int destination, int value, int members) : WarpInstruction(members)
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* values = block.Row(value), to = block.Row(destination);
        ulong result = values[lanes[0]];
        for (int i = 1; i < count; i++)
            result = combine(result, values[lanes[i]]);
        for (int i = 0; i < count; i++)
            to[lanes[i]] = result;
    }
}

/// <summary>The threads of the warp that execute together (activemask).</summary>
internal sealed unsafe class ActiveMaskInstruction(int destination) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination);
        uint* masks = stackalloc uint[32];
        new Span<uint>(masks, 32).Clear();
        for (int i = 0; i < count; i++)
            masks[lanes[i] >> 5] |= 1u << (lanes[i] & 31);
        for (int i = 0; i < count; i++)
            to[lanes[i]] = masks[lanes[i] >> 5];
    }
}
