using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda.Counting;

/// <summary>The driver of a <see cref="CountingDevice"/>.</summary>
internal sealed unsafe class CountingDriver(CountingDevice device) : ICudaDriver
{
    private const ulong FirstAddress = 0x7f20_0000_0000;
    private const ulong Alignment = 512;
    private const int MostListBytes = 1 << 16;

    private readonly Dictionary<ulong, ulong> _blocks = [];
    private readonly Dictionary<nint, string> _functions = [];
    private readonly Dictionary<ulong, byte[]> _uploads = [];
    private readonly Dictionary<nint, double> _events = [];
    private readonly Dictionary<nint, CountingDevice.Recording> _graphs = [];
    private ulong _next = FirstAddress;
    private ulong _used;
    private nint _lastHandle = 0x1000;

    /// <inheritdoc/>
    public int Version => 12020;

    /// <inheritdoc/>
    public int DeviceCount => 1;

    private ulong Capacity => (ulong)device.Gpu.MemoryBytes;

    /// <summary>The most bytes that were held.</summary>
    public ulong PeakBytes { get; private set; }

    /// <inheritdoc/>
    public string DeviceName(int ordinal) => device.Gpu.Name;

    /// <inheritdoc/>
    public int Attribute(DeviceAttribute attribute, int ordinal) => attribute switch
    {
        DeviceAttribute.MaxThreadsPerBlock => 1024,
        DeviceAttribute.MaxSharedMemoryPerBlock => 48 * 1024,
        DeviceAttribute.MultiprocessorCount => device.Gpu.Multiprocessors,
        DeviceAttribute.ComputeCapabilityMajor => device.Gpu.Major,
        DeviceAttribute.ComputeCapabilityMinor => device.Gpu.Minor,
        DeviceAttribute.MemoryPoolsSupported => 1,
        _ => 0,
    };

    /// <inheritdoc/>
    public ulong TotalMemory(int ordinal) => Capacity;

    /// <inheritdoc/>
    public nint RetainPrimaryContext(int ordinal) => 1;

    /// <inheritdoc/>
    public void ReleasePrimaryContext(int ordinal) { }

    /// <inheritdoc/>
    public void SetCurrentContext(nint context) { }

    /// <inheritdoc/>
    public DevicePointer Allocate(nuint bytes, nint stream)
    {
        if (bytes > Capacity - _used)
        {
            throw new CudaException(
                CudaLibrary.Driver, 2,
                $"cuMemAllocAsync({bytes} bytes): CUDA_ERROR_OUT_OF_MEMORY (2), {Capacity - _used} bytes are free.");
        }
        ulong address = _next;
        _next += (bytes + Alignment - 1) / Alignment * Alignment;
        _blocks[address] = bytes;
        _used += bytes;
        PeakBytes = Math.Max(PeakBytes, _used);
        return new DevicePointer(address);
    }

    /// <inheritdoc/>
    public void Free(DevicePointer pointer, nint stream)
    {
        if (_blocks.Remove(pointer.Address, out ulong bytes))
            _used -= bytes;
    }

    /// <inheritdoc/>
    public (ulong Free, ulong Total) MemoryInfo() => (Capacity - _used, Capacity);

    /// <inheritdoc/>
    public void* AllocateHost(nuint bytes) => NativeMemory.AllocZeroed(bytes);

    /// <inheritdoc/>
    public void FreeHost(void* pointer) => NativeMemory.Free(pointer);

    /// <inheritdoc/>
    public void CopyToDevice(DevicePointer destination, void* source, nuint bytes, nint stream)
    {
        // What kernels read lists from; larger ones are images and weights.
        if (bytes <= MostListBytes)
            _uploads[destination.Address] = new ReadOnlySpan<byte>(source, (int)bytes).ToArray();
        device.Add(new WorkCount { Copies = 1 });
    }

    /// <inheritdoc/>
    public void CopyToHost(void* destination, DevicePointer source, nuint bytes, nint stream)
    {
        NativeMemory.Clear(destination, bytes);
        device.Add(new WorkCount { Copies = 1 });
    }

    /// <inheritdoc/>
    public void CopyOnDevice(DevicePointer destination, DevicePointer source, nuint bytes, nint stream) =>
        device.Add(new WorkCount { Copies = 1 });

    /// <inheritdoc/>
    public void Fill(DevicePointer destination, uint value, nuint words, nint stream) => device.Add(new WorkCount { Copies = 1 });

    /// <inheritdoc/>
    public nint CreateStream() => ++_lastHandle;

    /// <inheritdoc/>
    public void DestroyStream(nint stream) { }

    /// <inheritdoc/>
    public void Synchronize(nint stream) => device.Add(new WorkCount { HostWaits = 1 });

    /// <inheritdoc/>
    public nint CreateEvent() => ++_lastHandle;

    /// <inheritdoc/>
    public void DestroyEvent(nint @event) => _events.Remove(@event);

    /// <inheritdoc/>
    public void Record(nint @event, nint stream) => _events[@event] = device.Milliseconds;

    /// <inheritdoc/>
    public void SynchronizeEvent(nint @event) => device.Add(new WorkCount { HostWaits = 1 });

    /// <inheritdoc/>
    public bool IsReached(nint @event) => true;

    /// <inheritdoc/>
    public float Milliseconds(nint start, nint end) => (float)(_events[end] - _events[start]);

    /// <inheritdoc/>
    public nint LoadModule(ReadOnlySpan<byte> ptx) => ++_lastHandle;

    /// <inheritdoc/>
    public void UnloadModule(nint module) { }

    /// <inheritdoc/>
    public nint Function(nint module, string name)
    {
        _functions[++_lastHandle] = name;
        return _lastHandle;
    }

    /// <inheritdoc/>
    public void Launch(nint function, in LaunchGrid grid, nint stream, void** parameters)
    {
        string kernel = _functions[function];
        device.AddLaunch(kernel, KernelTraffic.Bytes(kernel, grid, new KernelTraffic.Parameters(parameters, Uploaded)));
    }

    private byte[] Uploaded(ulong address) => _uploads[address];

    /// <inheritdoc/>
    public void BeginCapture(nint stream) => device.BeginCapture();

    /// <inheritdoc/>
    public nint EndCapture(nint stream)
    {
        _graphs[++_lastHandle] = device.EndCapture();
        return _lastHandle;
    }

    /// <inheritdoc/>
    public void DestroyGraph(nint graph) => _graphs.Remove(graph);

    /// <inheritdoc/>
    public nint Instantiate(nint graph)
    {
        _graphs[++_lastHandle] = _graphs[graph];
        return _lastHandle;
    }

    /// <inheritdoc/>
    public void LaunchGraph(nint executable, nint stream) => device.Add(_graphs[executable]);

    /// <inheritdoc/>
    public void DestroyExecutable(nint executable) => _graphs.Remove(executable);

    /// <inheritdoc/>
    public void Dispose() { }
}
