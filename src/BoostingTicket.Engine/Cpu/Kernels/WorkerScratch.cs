namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Scratch memory for each worker of a pool, shared by all passes of a backend, which never run at the same time.
/// Grows when a pass is made, not when it runs.</summary>
/// <param name="workers">Threads.</param>
internal sealed unsafe class WorkerScratch(int workers) : IDisposable
{
    // A stride that is no power of two keeps workers' scratch out of each other's cache sets.
    private const long Padding = 4096 + 64;

    private NativeBlock _memory = new(0);
    private NativeBlock _shared = new(0);
    private long _bytes;
    private long _sharedBytes;

    /// <summary>Makes sure that every worker has so many bytes. Contents are lost when it grows.</summary>
    public void Reserve(long bytes)
    {
        bytes = (bytes + Padding - 1) / 64 * 64 + 64;
        if (bytes <= _bytes)
            return;
        _memory.Dispose();
        _memory = new NativeBlock(bytes * workers);
        _bytes = bytes;
    }

    /// <summary>Makes sure that there are so many bytes for all workers together. Contents are lost when it grows.</summary>
    public void ReserveShared(long bytes)
    {
        if (bytes <= _sharedBytes)
            return;
        _shared.Dispose();
        _shared = new NativeBlock(bytes);
        _sharedBytes = bytes;
    }

    /// <summary>The memory of all workers together, 64-byte aligned.</summary>
    public byte* Shared => _shared.Data;

    /// <summary>A worker's scratch, 64-byte aligned.</summary>
    public byte* Of(int worker) => _memory.Data + worker * _bytes;

    public void Dispose()
    {
        _memory.Dispose();
        _shared.Dispose();
    }
}
