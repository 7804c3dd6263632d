using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>Two accesses to one byte, at least one of them a write, that nothing orders.</summary>
/// <param name="Offset">The byte, within its memory.</param>
/// <param name="Other">The earlier access.</param>
/// <param name="Wrote">Whether that was a write.</param>
internal readonly record struct Race(long Offset, Access Other, bool Wrote);

/// <summary>Finds accesses of different threads to the same byte that nothing orders, although the device runs threads in an
/// order that gives the right result. Between blocks of a launch there is no order; within a block barriers of the block order
/// everything, barriers of a warp (<c>bar.warp.sync</c> of all its threads) the accesses of its threads. Shuffles and votes of a
/// whole warp exchange values and are no fences: they order what was read before after nothing but later writes, since a value
/// has arrived when it is passed on. Atomic operations do not race with each other.</summary>
/// <remarks>A last write and two readers suffice to notice every race of plain accesses: what is ordered after the last write is
/// ordered after those before, and of two or more threads that read, the two that are kept are never both ordered before a write
/// that races with any. A barrier of a part of a block (<c>bar.sync n, threads</c>) counts as one of the whole.</remarks>
internal sealed unsafe class RaceDetector
{
    private readonly uint[] _warpBarriers = new uint[32];
    private readonly uint[] _warpExchanges = new uint[32];
    private readonly List<(uint Epoch, uint X, uint Y, uint Z)> _blocks = [];
    private uint _epoch;
    private uint _launch;
    private uint _block;

    /// <summary>Whether the running block knows that others are done, so that its accesses to what they touched are no
    /// race.</summary>
    public bool KnowsOtherBlocks { get; set; }

    /// <summary>Bytes of device memory that the launch read before anybody in it wrote them, each once.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Bytes of device memory that the launch wrote, each once.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>A launch begins: what was before it is done.</summary>
    public void BeginLaunch()
    {
        _launch = NextEpoch();
        _blocks.Clear();
        BytesRead = 0;
        BytesWritten = 0;
    }

    /// <summary>A block of the launch begins.</summary>
    public void BeginBlock(uint x, uint y, uint z)
    {
        _block = NextEpoch();
        _blocks.Add((_block, x, y, z));
        Array.Clear(_warpBarriers);
        Array.Clear(_warpExchanges);
        KnowsOtherBlocks = false;
    }

    /// <summary>The block's threads waited for each other.</summary>
    public void Barrier() => NextEpoch();

    /// <summary>The warp's threads waited for each other.</summary>
    public void WarpBarrier(int warp)
    {
        _warpBarriers[warp]++;
        _warpExchanges[warp]++;
    }

    /// <summary>All of the warp's threads exchanged values.</summary>
    public void WarpExchange(int warp) => _warpExchanges[warp]++;

    /// <summary>A thread reads; null when it may.</summary>
    /// <param name="log">The memory's histories.</param>
    /// <param name="shared">Whether it is the block's own memory, which no other block sees.</param>
    /// <param name="offset">First byte, aligned to <paramref name="bytes"/>.</param>
    /// <param name="bytes">1, 2, 4, 8 or 16.</param>
    /// <param name="who">The thread's number in its block, with <see cref="Access.Atomic"/> where it is.</param>
    /// <param name="place">Number of the instruction in its kernel.</param>
    public Race? Read(AccessLog log, bool shared, long offset, int bytes, int who, int place)
    {
        Access now = Now(who, place, _warpExchanges);
        uint horizon = Horizon(shared);
        int unit = shared ? 0 : 1;
        AccessHistory* word = log.Word(offset >> 2);
        if (bytes < 4)
        {
            if (!word->IsSplit)
                log.Split(offset >> 2);
            return ReadParts(log, offset, bytes, now, horizon, unit);
        }
        for (int i = 0; i < bytes; i += 4, word++)
        {
            if (word->IsSplit)
            {
                if (ReadParts(log, offset + i, 4, now, horizon, unit) is { } race)
                    return race;
            }
            else if (!Read(word, now, horizon, 4 * unit))
            {
                return new Race(offset + i, word->Writer, true);
            }
        }
        return null;
    }

    /// <summary>A thread writes; null when it may.</summary>
    /// <inheritdoc cref="Read(AccessLog, bool, long, int, int, int)"/>
    public Race? Write(AccessLog log, bool shared, long offset, int bytes, int who, int place)
    {
        Access now = Now(who, place, _warpBarriers);
        uint horizon = Horizon(shared);
        int unit = shared ? 0 : 1;
        AccessHistory* word = log.Word(offset >> 2);
        if (bytes < 4)
        {
            if (!word->IsSplit)
                log.Split(offset >> 2);
            return WriteParts(log, offset, bytes, now, horizon, unit);
        }
        for (int i = 0; i < bytes; i += 4, word++)
        {
            Race? found = word->IsSplit
                ? WriteParts(log, offset + i, 4, now, horizon, unit)
                : Write(word, offset + i, now, horizon, 4 * unit);
            if (found is not null)
                return found;
        }
        return null;
    }

    /// <summary>Whether the last write to any of the bytes happened in the running launch, so that the read-only path
    /// (<c>ld.global.nc</c>) may not see it.</summary>
    public bool WasWrittenInLaunch(AccessLog log, long offset, int bytes)
    {
        for (long i = offset; i < offset + bytes; i++)
        {
            AccessHistory* history = log.Word(i >> 2);
            if (history->IsSplit)
                history = log.Bytes(i >> 2) + (i & 3);
            if (history->Writer.Epoch > _launch)
                return true;
        }
        return false;
    }

    /// <summary>Whether an access was made by another block than the running one.</summary>
    public bool IsOfOtherBlock(in Access access) => access.Epoch < _block;

    /// <summary>Place in the grid of the block that made an access in the running launch.</summary>
    public (uint X, uint Y, uint Z) BlockOf(in Access access)
    {
        int low = 0, high = _blocks.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_blocks[middle].Epoch <= access.Epoch)
                low = middle;
            else
                high = middle - 1;
        }
        return (_blocks[low].X, _blocks[low].Y, _blocks[low].Z);
    }

    private uint NextEpoch() => _epoch = checked(_epoch + 1);

    // Accesses up to it do not matter any more. A block's shared memory is new.
    private uint Horizon(bool shared) => shared ? _block - 1 : _launch;

    private Access Now(int who, int place, uint[] clocks) => new()
    {
        Epoch = _epoch,
        WarpClock = clocks[(who & Access.ThreadMask) >> 5],
        Who = (ushort)who,
        Place = place < Access.NoPlace ? (ushort)place : Access.NoPlace,
    };

    private Race? ReadParts(AccessLog log, long offset, int bytes, in Access now, uint horizon, int unit)
    {
        AccessHistory* part = log.Bytes(offset >> 2) + (offset & 3);
        for (int i = 0; i < bytes; i++, part++)
        {
            if (!Read(part, now, horizon, unit))
                return new Race(offset + i, part->Writer, true);
        }
        return null;
    }

    private Race? WriteParts(AccessLog log, long offset, int bytes, in Access now, uint horizon, int unit)
    {
        AccessHistory* part = log.Bytes(offset >> 2) + (offset & 3);
        for (int i = 0; i < bytes; i++, part++)
        {
            if (Write(part, offset + i, now, horizon, unit) is { } race)
                return race;
        }
        return null;
    }

    // `counted` are the bytes of device memory.
    private bool Read(AccessHistory* history, in Access now, uint horizon, int counted)
    {
        if (history->Writer.Epoch > horizon && Races(history->Writer, now, _warpBarriers))
            return false;
        Access last = history->Reader;
        if (last.Epoch > horizon)
        {
            // An atomic read races with fewer writes: it must not take the place of another.
            if (now.IsAtomic && last.Epoch == now.Epoch && !last.IsAtomic)
                return true;
            int rank = Rank(last, now, horizon);
            if (rank > 0 && rank >= Rank(history->OtherReader, now, horizon))
                history->OtherReader = last;
        }
        else if (history->Writer.Epoch <= horizon)
        {
            BytesRead += counted;
        }
        history->Reader = now;
        return true;
    }

    private Race? Write(AccessHistory* history, long offset, in Access now, uint horizon, int counted)
    {
        if (history->Writer.Epoch <= horizon)
            BytesWritten += counted;
        if (history->Writer.Epoch > horizon && Races(history->Writer, now, _warpBarriers))
            return new Race(offset, history->Writer, true);
        if (history->Reader.Epoch > horizon)
        {
            if (Races(history->Reader, now, _warpExchanges))
                return new Race(offset, history->Reader, false);
            if (history->OtherReader.Epoch > horizon && Races(history->OtherReader, now, _warpExchanges))
                return new Race(offset, history->OtherReader, false);
        }
        bool several = history->Writer.Epoch == now.Epoch && history->Writer.IsAtomic
            && (history->Writer.Thread != now.Thread || (history->Writer.Who & Access.Several) != 0);
        history->Writer = now;
        if (several)
            history->Writer.Who |= Access.Several;
        return null;
    }

    // Whether nothing orders two accesses of the running launch, of which one is a write.
    private bool Races(in Access other, in Access now, uint[] clocks)
    {
        if (other.IsAtomic && now.IsAtomic)
            return false;
        if (other.Epoch != now.Epoch)
            return other.Epoch < _block && !KnowsOtherBlocks;
        if ((other.Who & Access.Several) != 0)
            return true;
        if (other.Thread == now.Thread)
            return false;
        return other.Thread >> 5 != now.Thread >> 5 || other.WarpClock == clocks[now.Thread >> 5];
    }

    // How much an earlier read adds to the last one.
    private int Rank(in Access earlier, in Access now, uint horizon)
    {
        if (earlier.Epoch <= horizon)
            return 0;
        if (earlier.Epoch < _block)
            return 3;
        if (earlier.Epoch != now.Epoch || earlier.Thread == now.Thread)
            return 0;
        return earlier.Thread >> 5 != now.Thread >> 5 ? 2 : 1;
    }
}
