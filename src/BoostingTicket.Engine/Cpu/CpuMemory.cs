using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

/// <summary>Native memory that starts as zeros on a cache-line boundary and is freed exactly once.</summary>
internal sealed unsafe class NativeBlock : SafeHandle
{
    public NativeBlock(long bytes) : base(0, ownsHandle: true)
    {
        Bytes = bytes;
        void* memory;
        try
        {
            nuint alignment = (nuint)(bytes >= LargePages.Least ? LargePages.Size : CpuArena.Alignment);
            memory = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, CpuArena.Alignment), alignment);
        }
        catch (OutOfMemoryException cause)
        {
            throw new DeviceException(
                $"The CPU backend could not get {bytes / 1048576.0:N0} MiB of memory; use a smaller batch.", cause);
        }
        LargePages.Ask(memory, bytes);
        NativeMemory.Clear(memory, (nuint)bytes);
        SetHandle((nint)memory);
        GC.AddMemoryPressure(Math.Max(bytes, 1));
    }

    public long Bytes { get; }

    public byte* Data => !IsClosed ? (byte*)handle : throw new ObjectDisposedException(nameof(NativeBlock));

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        GC.RemoveMemoryPressure(Math.Max(Bytes, 1));
        return true;
    }
}

/// <summary>An arena in native memory.</summary>
internal sealed unsafe class CpuArena(long bytes) : Arena
{
    /// <summary>Bytes of a cache line.</summary>
    public const int Alignment = 64;

    private readonly NativeBlock _memory = new(bytes);

    public override long Bytes => _memory.Bytes;

    public byte* Data => _memory.Data;

    public override void Dispose() => _memory.Dispose();

    public static CpuArena Of(Arena arena) => arena as CpuArena
        ?? throw new ArgumentException("The arena belongs to another backend than the CPU's.", nameof(arena));
}

/// <summary>float32 values in native memory.</summary>
internal sealed unsafe class CpuFloats(int length) : FloatBuffer
{
    private readonly NativeBlock _memory = new((long)length * sizeof(float));

    public override int Length => length;

    public float* Data => (float*)_memory.Data;

    public override nint HostAddress => (nint)Data;

    public override void Dispose() => _memory.Dispose();

    public static CpuFloats Of(FloatBuffer buffer) => buffer as CpuFloats
        ?? throw new ArgumentException("The buffer belongs to another backend than the CPU's.", nameof(buffer));

    /// <summary>First value of a slice, after checking that it lies in its buffer.</summary>
    public static float* Of(BufferSlice slice)
    {
        CpuFloats buffer = Of(slice.Buffer);
        if (slice.Offset < 0 || slice.Length < 0 || (long)slice.Offset + slice.Length > buffer.Length)
            throw new ArgumentOutOfRangeException(nameof(slice), slice, $"The buffer has {buffer.Length} values.");
        return buffer.Data + slice.Offset;
    }

    /// <summary>First value of an optional slice, or null.</summary>
    public static float* OrNull(BufferSlice? slice) => slice is { } some ? Of(some) : null;
}

/// <summary>int32 values in native memory.</summary>
internal sealed unsafe class CpuInts(int length) : IntBuffer
{
    private readonly NativeBlock _memory = new((long)length * sizeof(int));

    public override int Length => length;

    public int* Data => (int*)_memory.Data;

    public override void Dispose() => _memory.Dispose();

    public static CpuInts Of(IntBuffer buffer) => buffer as CpuInts
        ?? throw new ArgumentException("The buffer belongs to another backend than the CPU's.", nameof(buffer));

    /// <summary>The first of at least so many numbers.</summary>
    public static int* First(IntBuffer buffer, int count, string what)
    {
        CpuInts ints = Of(buffer);
        return ints.Length >= count
            ? ints.Data
            : throw new ArgumentException($"There are {ints.Length} {what} for {count} values.");
    }
}
