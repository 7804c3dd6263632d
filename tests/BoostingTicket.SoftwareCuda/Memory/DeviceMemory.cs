namespace BoostingTicket.SoftwareCuda.Memory;

/// <summary>The device's memory: blocks at addresses like a GPU's, with gaps between them, at places that are never used
/// again.</summary>
internal sealed unsafe class DeviceMemory : IDisposable
{
    /// <summary>First address.</summary>
    public const ulong Start = 0x7f20_0000_0000;

    /// <summary>Alignment of blocks, and of nothing larger: every second one is not aligned to more.</summary>
    public const int Alignment = 256;

    private const int Gap = 4096;

    // In the order of their addresses, which only ascend.
    private readonly List<Allocation> _blocks = [];
    private readonly ulong _capacity;
    private ulong _next = Start;
    private long _count;

    /// <summary>Memory of a size in bytes.</summary>
    public DeviceMemory(ulong capacity) => _capacity = capacity;

    /// <summary>Size.</summary>
    public ulong Capacity => _capacity;

    /// <summary>Bytes that the program holds.</summary>
    public ulong Used { get; private set; }

    /// <summary>The most that it ever held.</summary>
    public ulong Peak { get; private set; }

    /// <summary>Blocks of the program that were not freed.</summary>
    public IEnumerable<Allocation> Leaks => _blocks.Where(block => !block.IsFreed && block.Kind == AllocationKind.Program);

    /// <summary>Takes a block; null when there is not enough left.</summary>
    public Allocation? Allocate(long bytes, AllocationKind kind, string? name = null)
    {
        ulong charge = kind == AllocationKind.Program ? (ulong)(bytes + Alignment - 1) / Alignment * Alignment : 0;
        if (charge > _capacity - Used)
            return null;
        Used += charge;
        Peak = Math.Max(Peak, Used);
        var block = new Allocation(_next, bytes, kind, name ?? $"allocation {++_count} ({bytes} bytes)");
        _blocks.Add(block);
        ulong end = _next + (ulong)bytes + Gap;
        _next = (end + (2 * Alignment) - 1) / (2 * Alignment) * (2 * Alignment);
        if (_blocks.Count % 2 == 1)
            _next += Alignment;
        return block;
    }

    /// <summary>Frees the block that starts at an address.</summary>
    public void Free(ulong address, string caller)
    {
        Allocation? block = Nearest(address);
        if (block is null || block.Address != address || block.Kind != AllocationKind.Program)
            throw new SoftwareCudaException($"{caller}: 0x{address:x} is not the start of an allocation; {Describe(address)}.");
        if (block.IsFreed)
            throw new SoftwareCudaException($"{caller}: {block.Name} at 0x{address:x} was freed before.");
        Release(block);
    }

    /// <summary>Frees a block.</summary>
    public void Release(Allocation block)
    {
        if (block.Kind == AllocationKind.Program)
            Used -= (ulong)(block.Bytes + Alignment - 1) / Alignment * Alignment;
        block.Free();
    }

    /// <summary>The living block that holds all bytes of a range; null when there is none.</summary>
    public Allocation? Find(ulong address, long bytes)
    {
        Allocation? block = Nearest(address);
        return block is { IsFreed: false } && Contains(block, address, bytes) ? block : null;
    }

    /// <summary>Why a range cannot be accessed, in words.</summary>
    public string Explain(ulong address, long bytes)
    {
        Allocation? block = Nearest(address);
        if (block is not null && block.IsFreed && address - block.Address < (ulong)Math.Max(block.Bytes, 1))
            return $"use after free of {block.Name}, byte {address - block.Address}";
        if (block is not null && !block.IsFreed && address - block.Address < (ulong)block.Bytes)
        {
            return $"out of bounds: bytes {address - block.Address} to {address - block.Address + (ulong)bytes - 1} of "
                + $"{block.Name}, which ends after byte {block.Bytes - 1}";
        }
        return $"out of bounds: {Describe(address)}";
    }

    /// <summary>The range's first byte that nobody wrote, relative to the block; -1 when all were.</summary>
    public static long FirstUnwritten(Allocation block, ulong address, long bytes)
    {
        long offset = (long)(address - block.Address);
        long done = 0;
        while (done < bytes)
        {
            int part = (int)Math.Min(bytes - done, 1 << 30);
            int found = new ReadOnlySpan<byte>(block.Written + offset + done, part).IndexOf((byte)0);
            if (found >= 0)
                return offset + done + found;
            done += part;
        }
        return -1;
    }

    /// <summary>Notes that a range was written, or that it no longer counts as written.</summary>
    public static void Mark(Allocation block, ulong address, long bytes, bool written)
    {
        byte* first = block.Written + (address - block.Address);
        for (long done = 0; done < bytes; done += 1 << 30)
            new Span<byte>(first + done, (int)Math.Min(bytes - done, 1 << 30)).Fill(written ? (byte)1 : (byte)0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Allocation block in _blocks)
        {
            if (!block.IsFreed)
                block.Free();
        }
    }

    private static bool Contains(Allocation block, ulong address, long bytes) =>
        address >= block.Address && address - block.Address <= (ulong)block.Bytes
        && bytes <= block.Bytes - (long)(address - block.Address);

    // The last block that starts at or before an address.
    private Allocation? Nearest(ulong address)
    {
        int low = 0, high = _blocks.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_blocks[middle].Address <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 ? _blocks[low - 1] : null;
    }

    private string Describe(ulong address)
    {
        Allocation? before = Nearest(address);
        Allocation? after = _blocks.FirstOrDefault(block => block.Address > address);
        if (before is null && after is null)
            return $"0x{address:x}, and nothing is allocated";
        ulong behind = before is null ? ulong.MaxValue : address - before.Address - (ulong)before.Bytes;
        ulong ahead = after is null ? ulong.MaxValue : after.Address - address;
        return behind <= ahead
            ? $"0x{address:x} is {behind + 1} bytes behind the last byte of {before!.Name}{Freed(before)}"
            : $"0x{address:x} is {ahead} bytes before {after!.Name}{Freed(after)}";
    }

    private static string Freed(Allocation block) => block.IsFreed ? ", which was freed" : "";
}
