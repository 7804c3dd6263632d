using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Page-locked host memory through which everything goes to the device and back. Uploads take consecutive pieces and
/// return at once; the device is waited for only when the ring is full.</summary>
internal sealed unsafe class HostStaging : IDisposable
{
    private const long Capacity = 16L << 20;
    private const long PieceAlignment = 64;

    private readonly CudaContext _context;
    private readonly byte* _memory;
    private long _used;

    public HostStaging(CudaContext context)
    {
        _context = context;
        _memory = (byte*)context.Driver.AllocateHost((nuint)Capacity);
    }

    /// <summary>Copies to the device in the order of the stream. The source may change as soon as this returns.</summary>
    public void Upload<T>(ReadOnlySpan<T> source, DevicePointer destination)
        where T : unmanaged
    {
        _context.RequireNotRecording("upload");
        _context.EnterThread();
        int most = (int)(Capacity / sizeof(T));
        while (!source.IsEmpty)
        {
            int count = Math.Min(most, source.Length);
            long bytes = (long)count * sizeof(T);
            if (_used + bytes > Capacity)
            {
                _context.Synchronize();
                _used = 0;
            }
            source[..count].CopyTo(new Span<T>(_memory + _used, count));
            _context.Driver.CopyToDevice(destination, _memory + _used, (nuint)bytes, _context.Stream);
            _used += (bytes + PieceAlignment - 1) / PieceAlignment * PieceAlignment;
            source = source[count..];
            destination += bytes;
        }
    }

    /// <summary>Waits for the device and copies from it.</summary>
    public void Download<T>(DevicePointer source, Span<T> destination)
        where T : unmanaged
    {
        _context.RequireNotRecording("download");
        _context.EnterThread();
        int most = (int)(Capacity / sizeof(T));
        while (!destination.IsEmpty)
        {
            int count = Math.Min(most, destination.Length);
            long bytes = (long)count * sizeof(T);
            if (_used + bytes > Capacity)
                _context.Synchronize();
            if (_used + bytes > Capacity)
                _used = 0;
            _context.Driver.CopyToHost(_memory + _used, source, (nuint)bytes, _context.Stream);
            _context.Synchronize();
            new Span<T>(_memory + _used, count).CopyTo(destination);
            // Everything before is done: the ring is empty.
            _used = 0;
            destination = destination[count..];
            source += bytes;
        }
    }

    public void Dispose() => _context.Driver.FreeHost(_memory);
}
