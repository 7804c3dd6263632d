namespace BoostingTicket.SoftwareCuda.Memory;

/// <summary>One access to a place in memory: when, by whom, at which instruction. 12 bytes.</summary>
internal struct Access
{
    /// <summary>Threads of a block are numbered with this many bits.</summary>
    public const ushort ThreadMask = 0x3ff;

    /// <summary>Flag of <see cref="Who"/>: an atomic operation, or one that other threads may meet (volatile, relaxed,
    /// acquire).</summary>
    public const ushort Atomic = 0x400;

    /// <summary>Flag of <see cref="Who"/>: several threads made it, none after the other.</summary>
    public const ushort Several = 0x800;

    /// <summary>Flag of <see cref="Who"/> in a word: its bytes have histories of their own.</summary>
    public const ushort Split = 0x1000;

    /// <summary>Number of the instruction in its kernel when it has none.</summary>
    public const ushort NoPlace = ushort.MaxValue;

    /// <summary>Number of the time between two barriers of a block; ascends over all blocks and launches. 0 for never.</summary>
    public uint Epoch;

    /// <summary>What the thread's warp had done before it: for a write barriers, for a read barriers and exchanges of
    /// values.</summary>
    public uint WarpClock;

    /// <summary>The thread's number in its block, and flags.</summary>
    public ushort Who;

    /// <summary>Number of the instruction in its kernel.</summary>
    public ushort Place;

    /// <summary>The thread's number in its block.</summary>
    public readonly int Thread => Who & ThreadMask;

    /// <summary>Whether it is an atomic operation.</summary>
    public readonly bool IsAtomic => (Who & Atomic) != 0;
}

/// <summary>What is remembered of a word or a byte: enough that an access which nothing orders after an earlier one is
/// found.</summary>
internal struct AccessHistory
{
    /// <summary>The last write.</summary>
    public Access Writer;

    /// <summary>The last read.</summary>
    public Access Reader;

    /// <summary>An earlier read by somebody else: of another block if there is one, else of another warp, else of another
    /// thread.</summary>
    public Access OtherReader;

    /// <summary>Whether the bytes of the word have histories of their own.</summary>
    public readonly bool IsSplit => (Writer.Who & Access.Split) != 0;
}
