using System.Runtime.InteropServices;

namespace BoostingTicket.SoftwareCuda.Memory;

/// <summary>A block's shared memory with a note for each byte who read and wrote it since when, so that accesses that no barrier
/// orders are found.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    /// <summary>Bytes that a block gets without asking for more.</summary>
    public const int Capacity = 48 * 1024;

    private const ushort SeveralWarps = 0x2000;
    private const ushort OneWarp = 0x1000;
    private const ushort Atomic = 0x4000;

    private readonly byte* _data = (byte*)NativeMemory.AlignedAlloc(Capacity + 16, 64);
    private readonly byte* _written = (byte*)NativeMemory.AllocZeroed(Capacity + 16);
    private readonly Note* _writers = (Note*)NativeMemory.AllocZeroed(Capacity + 16, (nuint)sizeof(Note));
    private readonly Note* _readers = (Note*)NativeMemory.AllocZeroed(Capacity + 16, (nuint)sizeof(Note));
    private readonly int[] _warpPhases = new int[32];
    private uint _phase;

    // When (the phase between two barriers), in which phase of its warp, and who.
    private struct Note
    {
        public uint Phase;
        public ushort WarpPhase;
        public ushort Thread;
    }

    /// <summary>Bytes of the running block.</summary>
    public int Bytes { get; private set; }

    /// <summary>Forgets everything for a new block.</summary>
    public void Begin(int bytes)
    {
        Bytes = bytes;
        new Span<byte>(_data, bytes).Fill(0xCD);
        new Span<byte>(_written, bytes).Clear();
        Barrier();
    }

    /// <summary>All threads waited for each other.</summary>
    public void Barrier()
    {
        _phase++;
        Array.Clear(_warpPhases);
    }

    /// <summary>The threads of a warp waited for each other.</summary>
    public void WarpBarrier(int warp) => _warpPhases[warp]++;

    /// <summary>The bytes that a thread reads, or an explanation of what is wrong.</summary>
    public byte* Read(uint offset, int bytes, int thread, bool atomic, out string? defect)
    {
        defect = Outside(offset, bytes);
        if (defect is not null)
            return null;
        for (uint i = offset; i < offset + (uint)bytes; i++)
        {
            if (_written[i] == 0)
            {
                defect = $"read of shared memory that nobody wrote: byte {i}";
                return null;
            }
            Note writer = _writers[i];
            if (writer.Phase == _phase && !IsOrdered(writer, thread) && !(atomic && (writer.Thread & Atomic) != 0))
            {
                defect = $"missing barrier: byte {i} of shared memory was written by thread {writer.Thread & ~Atomic} "
                    + "and nothing orders the two accesses";
                return null;
            }
            NoteReader(i, thread);
        }
        return _data + offset;
    }

    /// <summary>The place that a thread writes <paramref name="value"/> to, or an explanation of what is wrong.</summary>
    public byte* Write(uint offset, int bytes, ReadOnlySpan<byte> value, int thread, bool atomic, out string? defect)
    {
        defect = Outside(offset, bytes);
        if (defect is not null)
            return null;
        for (uint i = offset; i < offset + (uint)bytes; i++)
        {
            Note writer = _writers[i];
            bool unordered = writer.Phase == _phase && !IsOrdered(writer, thread)
                && !(atomic && (writer.Thread & Atomic) != 0) && _data[i] != value[(int)(i - offset)];
            Note reader = _readers[i];
            bool wasRead = reader.Phase == _phase && !IsOrdered(reader, thread) && !atomic;
            if (unordered || wasRead)
            {
                string who = unordered ? $"written by thread {writer.Thread & ~Atomic}"
                    : reader.Thread >= OneWarp ? "read by other threads" : $"read by thread {reader.Thread}";
                defect = $"missing barrier: byte {i} of shared memory was {who} and nothing orders the two accesses";
                return null;
            }
            _writers[i] = New(thread, atomic ? Atomic : (ushort)0);
            _written[i] = 1;
        }
        return _data + offset;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_data);
        NativeMemory.Free(_written);
        NativeMemory.Free(_writers);
        NativeMemory.Free(_readers);
    }

    private string? Outside(uint offset, int bytes) => offset + (ulong)bytes <= (ulong)Bytes
        ? null
        : $"out of bounds: bytes {offset} to {offset + (ulong)bytes - 1} of shared memory, of which the kernel declares {Bytes}";

    private Note New(int thread, ushort flag) =>
        new() { Phase = _phase, WarpPhase = (ushort)_warpPhases[thread >> 5], Thread = (ushort)(thread | flag) };

    private bool IsOrdered(Note note, int thread)
    {
        if ((note.Thread & SeveralWarps) != 0)
            return false;
        int other = note.Thread & 0x3ff;
        if ((note.Thread & OneWarp) != 0)
            return other == thread >> 5 && note.WarpPhase != _warpPhases[other];
        return other == thread || (other >> 5 == thread >> 5 && note.WarpPhase != (ushort)_warpPhases[other >> 5]);
    }

    private void NoteReader(uint i, int thread)
    {
        Note old = _readers[i];
        if (old.Phase != _phase)
        {
            _readers[i] = New(thread, 0);
            return;
        }
        if (old.Thread == thread || (old.Thread & SeveralWarps) != 0)
        {
            _readers[i].WarpPhase = (ushort)_warpPhases[thread >> 5];
            return;
        }
        int oldWarp = (old.Thread & OneWarp) != 0 ? old.Thread & 0x3ff : old.Thread >> 5;
        _readers[i] = New(thread, 0);
        _readers[i].Thread = oldWarp == thread >> 5 ? (ushort)(OneWarp | oldWarp) : SeveralWarps;
    }
}
