using System.Runtime.InteropServices;

namespace BoostingTicket.SoftwareCuda.Memory;

/// <summary>A block's shared memory with a note for each byte whether anybody wrote it, and who read and wrote it.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    /// <summary>Bytes that a block gets without asking for more.</summary>
    public const int Capacity = 48 * 1024;

    private const int Slack = 16;

    private readonly byte* _data = (byte*)NativeMemory.AlignedAlloc(Capacity + Slack, 64);
    private readonly byte* _written = (byte*)NativeMemory.AllocZeroed(Capacity + Slack);

    /// <summary>Bytes of the running block.</summary>
    public int Bytes { get; private set; }

    /// <summary>Who accessed it.</summary>
    public AccessLog Accesses { get; } = new(Capacity + Slack);

    /// <summary>Forgets everything for a new block.</summary>
    public void Begin(int bytes)
    {
        Bytes = bytes;
        new Span<byte>(_data, bytes).Fill(0xCD);
        new Span<byte>(_written, bytes).Clear();
    }

    /// <summary>The bytes that a thread reads, or an explanation of what is wrong.</summary>
    public byte* Read(uint offset, int bytes, out string? defect)
    {
        defect = Outside(offset, bytes);
        if (defect is not null)
            return null;
        int unwritten = new ReadOnlySpan<byte>(_written + offset, bytes).IndexOf((byte)0);
        if (unwritten >= 0)
            defect = $"read of shared memory that nobody wrote: byte {offset + (uint)unwritten}";
        return _data + offset;
    }

    /// <summary>The place that a thread writes to, or an explanation of what is wrong.</summary>
    public byte* Write(uint offset, int bytes, out string? defect)
    {
        defect = Outside(offset, bytes);
        if (defect is not null)
            return null;
        new Span<byte>(_written + offset, bytes).Fill(1);
        return _data + offset;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_data);
        NativeMemory.Free(_written);
        Accesses.Free();
    }

    private string? Outside(uint offset, int bytes) => offset + (ulong)bytes <= (ulong)Bytes
        ? null
        : $"out of bounds: bytes {offset} to {offset + (ulong)bytes - 1} of shared memory, of which the kernel declares {Bytes}";
}
