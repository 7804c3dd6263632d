using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>A block of device memory, freed once.</summary>
internal sealed class DeviceBlock : IDisposable
{
    private readonly CudaContext _context;
    private DevicePointer _pointer;

    /// <summary>Allocates.</summary>
    /// <exception cref="DeviceException">The device does not have that much free memory.</exception>
    public DeviceBlock(CudaContext context, long bytes, string purpose)
    {
        _context = context;
        Bytes = bytes;
        _pointer = context.Allocate(bytes, purpose);
    }

    public long Bytes { get; }

    public DevicePointer Pointer => !_pointer.IsNull
        ? _pointer
        : throw new ObjectDisposedException(nameof(DeviceBlock), "Device memory was used after it was freed.");

    public void Dispose()
    {
        if (_pointer.IsNull)
            return;
        _context.Free(_pointer);
        _pointer = DevicePointer.Null;
    }
}

/// <summary>Device memory that grows to the largest need so far. Its contents last for one operation.</summary>
internal sealed class DeviceScratch(CudaContext context, string purpose) : IDisposable
{
    private DeviceBlock? _block;

    /// <summary>At least <paramref name="bytes"/> bytes.</summary>
    public DevicePointer Reserve(long bytes)
    {
        if (_block is null || _block.Bytes < bytes)
        {
            context.RequireNotRecording("grow its scratch memory");
            _block?.Dispose();
            _block = null;
            _block = new DeviceBlock(context, Math.Max(bytes, 1 << 16), purpose);
        }
        return _block.Pointer;
    }

    public void Dispose() => _block?.Dispose();
}

/// <summary>An arena on the device.</summary>
internal sealed class CudaArena(CudaContext context, long bytes) : Arena
{
    private readonly DeviceBlock _block = new(context, Math.Max(bytes, 1), "feature maps");

    public override long Bytes => bytes;

    public DevicePointer Pointer => _block.Pointer;

    public override void Dispose() => _block.Dispose();

    /// <summary>The CUDA form of a backend-neutral arena.</summary>
    public static CudaArena Of(Arena arena) => arena as CudaArena
        ?? throw new ArgumentException("The arena belongs to another backend than CUDA's.", nameof(arena));
}

/// <summary>A flat float32 buffer on the device.</summary>
internal sealed class CudaFloats : FloatBuffer
{
    private readonly DeviceBlock _block;

    public CudaFloats(CudaContext context, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _block = new DeviceBlock(context, Math.Max(1L, length) * sizeof(float), "parameters");
        context.Driver.Fill(_block.Pointer, 0, (nuint)Math.Max(1, length), context.Stream);
    }

    public override int Length { get; }

    public override void Dispose() => _block.Dispose();

    /// <summary>The first value of a slice; refuses slices that leave their buffer.</summary>
    public static DevicePointer Of(BufferSlice slice)
    {
        if (slice.Offset < 0 || slice.Length < 0 || slice.Offset > slice.Buffer.Length - slice.Length)
            throw new ArgumentOutOfRangeException(
                nameof(slice), $"{slice.Length} values from {slice.Offset} on are not in a buffer of {slice.Buffer.Length}.");
        return Pointer(slice.Buffer) + (long)slice.Offset * sizeof(float);
    }

    /// <summary>The first value of a slice of a known length.</summary>
    public static DevicePointer Of(BufferSlice slice, int length, string name) => slice.Length == length
        ? Of(slice)
        : throw new ArgumentException($"The {name} has {slice.Length} values instead of {length}.");

    /// <summary>The first value of a slice of a known length, or null.</summary>
    public static DevicePointer Of(BufferSlice? slice, int length, string name) =>
        slice is { } values ? Of(values, length, name) : DevicePointer.Null;

    /// <summary>The first value of a buffer that holds a value for each sample.</summary>
    public static DevicePointer PerSample(FloatBuffer buffer, int batch, string name) => buffer.Length >= batch
        ? Pointer(buffer)
        : throw new ArgumentException($"The {name} have room for {buffer.Length} samples, the batch has {batch}.");

    private static DevicePointer Pointer(FloatBuffer buffer) => buffer is CudaFloats floats
        ? floats._block.Pointer
        : throw new ArgumentException("The buffer belongs to another backend than CUDA's.", nameof(buffer));
}

/// <summary>Integers on the device.</summary>
internal sealed class CudaInts : IntBuffer
{
    private readonly DeviceBlock _block;

    public CudaInts(CudaContext context, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _block = new DeviceBlock(context, Math.Max(1L, length) * sizeof(int), "labels");
        context.Driver.Fill(_block.Pointer, 0, (nuint)Math.Max(1, length), context.Stream);
    }

    public override int Length { get; }

    public override void Dispose() => _block.Dispose();

    /// <summary>The first value of a buffer that holds a value for each sample.</summary>
    public static DevicePointer PerSample(IntBuffer buffer, int batch, string name) => buffer.Length >= batch
        ? Pointer(buffer)
        : throw new ArgumentException($"The {name} have room for {buffer.Length} samples, the batch has {batch}.");

    /// <summary>The first of at least so many numbers.</summary>
    public static DevicePointer First(IntBuffer buffer, int count, string name) => buffer.Length >= count
        ? Pointer(buffer)
        : throw new ArgumentException($"There are {buffer.Length} {name} for {count} values.");

    private static DevicePointer Pointer(IntBuffer buffer) => buffer is CudaInts ints
        ? ints._block.Pointer
        : throw new ArgumentException("The buffer belongs to another backend than CUDA's.", nameof(buffer));
}
