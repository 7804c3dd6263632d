namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>The calls of the CUDA driver that the backend makes, and no others. Every call throws
/// <see cref="CudaException"/>, with the call's expression, when its status is not success. Handles are opaque; device work is
/// ordered by its stream. Calls act on the context that is current for the calling thread.</summary>
internal unsafe interface ICudaDriver : IDisposable
{
    /// <summary>CUDA version that the driver supports: 1000 * major + 10 * minor.</summary>
    int Version { get; }

    /// <summary>GPUs.</summary>
    int DeviceCount { get; }

    /// <summary>Product name of a GPU.</summary>
    string DeviceName(int device);

    /// <summary>A number that describes a GPU.</summary>
    int Attribute(DeviceAttribute attribute, int device);

    /// <summary>Bytes of a GPU's memory.</summary>
    ulong TotalMemory(int device);

    /// <summary>The context that the CUDA libraries share (cuDevicePrimaryCtxRetain).</summary>
    nint RetainPrimaryContext(int device);

    /// <summary>Gives the context back.</summary>
    void ReleasePrimaryContext(int device);

    /// <summary>Makes a context current for the calling thread.</summary>
    void SetCurrentContext(nint context);

    /// <summary>Memory in the order of a stream (cuMemAllocAsync, cuMemAlloc where there are no memory pools), aligned to 256
    /// bytes, its contents undefined.</summary>
    /// <exception cref="CudaException">Status 2 when there is not enough.</exception>
    DevicePointer Allocate(nuint bytes, nint stream);

    /// <summary>Frees memory in the order of a stream.</summary>
    void Free(DevicePointer pointer, nint stream);

    /// <summary>Free and total bytes of the current context's GPU.</summary>
    (ulong Free, ulong Total) MemoryInfo();

    /// <summary>Page-locked memory of the host.</summary>
    void* AllocateHost(nuint bytes);

    /// <summary>Frees page-locked memory.</summary>
    void FreeHost(void* pointer);

    /// <summary>Copies to the device; the source must live until the stream got there.</summary>
    void CopyToDevice(DevicePointer destination, void* source, nuint bytes, nint stream);

    /// <summary>Copies from the device; the destination holds the values once the stream was synchronised.</summary>
    void CopyToHost(void* destination, DevicePointer source, nuint bytes, nint stream);

    /// <summary>Copies between two places of the device that do not overlap.</summary>
    void CopyOnDevice(DevicePointer destination, DevicePointer source, nuint bytes, nint stream);

    /// <summary>Sets 32-bit words (cuMemsetD32Async).</summary>
    void Fill(DevicePointer destination, uint value, nuint words, nint stream);

    /// <summary>A stream that does not wait for the legacy default stream.</summary>
    nint CreateStream();

    /// <summary>Destroys a stream.</summary>
    void DestroyStream(nint stream);

    /// <summary>Waits until a stream's work is done.</summary>
    void Synchronize(nint stream);

    /// <summary>An event that takes the time.</summary>
    nint CreateEvent();

    /// <summary>Destroys an event.</summary>
    void DestroyEvent(nint @event);

    /// <summary>Marks the point that a stream has come to.</summary>
    void Record(nint @event, nint stream);

    /// <summary>Waits until the marked point was reached.</summary>
    void SynchronizeEvent(nint @event);

    /// <summary>Whether the marked point was reached.</summary>
    bool IsReached(nint @event);

    /// <summary>Milliseconds between two events that were reached.</summary>
    float Milliseconds(nint start, nint end);

    /// <summary>Compiles and loads PTX text for the current GPU.</summary>
    /// <param name="ptx">ASCII, its last byte 0.</param>
    /// <exception cref="CudaException">The PTX is not accepted; the message holds the compiler's log.</exception>
    nint LoadModule(ReadOnlySpan<byte> ptx);

    /// <summary>Unloads a module.</summary>
    void UnloadModule(nint module);

    /// <summary>A kernel of a module.</summary>
    nint Function(nint module, string name);

    /// <summary>Launches a kernel. Parameter values are read before the call returns.</summary>
    /// <param name="function">From <see cref="Function"/>.</param>
    /// <param name="grid">Blocks and threads.</param>
    /// <param name="stream">Where it is ordered.</param>
    /// <param name="parameters">The address of each parameter's value, in the kernel's order and types.</param>
    void Launch(nint function, in LaunchGrid grid, nint stream, void** parameters);

    /// <summary>Records what the calling thread submits to a stream instead of running it (thread-local mode).</summary>
    void BeginCapture(nint stream);

    /// <summary>Ends a capture; the graph of what was submitted.</summary>
    nint EndCapture(nint stream);

    /// <summary>Destroys a graph; executables made of it stay.</summary>
    void DestroyGraph(nint graph);

    /// <summary>Makes a graph ready to be launched any number of times.</summary>
    nint Instantiate(nint graph);

    /// <summary>Submits everything a graph holds to a stream.</summary>
    void LaunchGraph(nint executable, nint stream);

    /// <summary>Destroys an executable graph.</summary>
    void DestroyExecutable(nint executable);
}

/// <summary>Blocks of a launch and threads of a block.</summary>
internal readonly record struct LaunchGrid(uint GridX, uint GridY, uint GridZ, uint BlockX, uint BlockY, uint BlockZ)
{
    /// <summary>A one-dimensional launch.</summary>
    public LaunchGrid(uint blocks, uint threads) : this(blocks, 1, 1, threads, 1, 1) { }
}

/// <summary>What describes a GPU; values of CUdevice_attribute.</summary>
internal enum DeviceAttribute
{
    /// <summary>Threads of a block, at most.</summary>
    MaxThreadsPerBlock = 1,

    /// <summary>Bytes of shared memory of a block, at most, without opting in to more.</summary>
    MaxSharedMemoryPerBlock = 8,

    /// <summary>Clock in kHz.</summary>
    ClockRate = 13,

    /// <summary>Multiprocessors.</summary>
    MultiprocessorCount = 16,

    /// <summary>Number of the PCI bus that the GPU is on.</summary>
    PciBus = 33,

    /// <summary>Its number there.</summary>
    PciDevice = 34,

    /// <summary>Memory clock in kHz.</summary>
    MemoryClockRate = 36,

    /// <summary>Width of the memory bus in bits.</summary>
    MemoryBusWidth = 37,

    /// <summary>Bytes of the second-level cache.</summary>
    L2CacheSize = 38,

    /// <summary>Number of the PCI domain.</summary>
    PciDomain = 50,

    /// <summary>First number of the compute capability.</summary>
    ComputeCapabilityMajor = 75,

    /// <summary>Second number of the compute capability.</summary>
    ComputeCapabilityMinor = 76,

    /// <summary>1 where cuMemAllocAsync works.</summary>
    MemoryPoolsSupported = 115,
}
