using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Execution;
using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda;

/// <summary>A CUDA device without a GPU: device memory in checked blocks, PTX executed instruction by instruction, streams whose
/// work is done at once, graphs. What CUDA answers with a status throws <see cref="CudaException"/> with that status; what CUDA
/// leaves undefined, and every defect of a kernel, throws <see cref="SoftwareCudaException"/>.</summary>
/// <remarks>Disposing reports allocations that were never freed.</remarks>
internal sealed unsafe partial class SoftwareCudaDevice : ICudaDriver, ISoftwareDevice
{
    private const nint Context = 0x1000;

    private readonly Lock _lock = new();
    private readonly SoftwareCudaOptions _options;
    private readonly DeviceMemory _memory;
    private readonly BlockState _block;
    private readonly BlockRunner _runner;
    private readonly ThreadLocal<nint> _current = new();
    private int _retained;
    private nint _lastHandle = 0x10_0000;
    private bool _disposed;
    private bool _failed;

    /// <summary>A device with 4 GiB of memory, or one that is described.</summary>
    public SoftwareCudaDevice(SoftwareCudaOptions? options = null)
    {
        _options = options ?? new SoftwareCudaOptions();
        _memory = new DeviceMemory(_options.MemoryBytes);
        _block = new BlockState(_memory);
        _runner = new BlockRunner(_block, _options.StepLimit);
        Coverage = _options.Coverage ?? new SoftwareCudaCoverage();
    }

    /// <summary>What ran.</summary>
    public SoftwareCudaCoverage Coverage { get; }

    /// <summary>Instructions that threads executed.</summary>
    public long ThreadInstructions => _runner.ThreadInstructions;

    /// <inheritdoc/>
    public int Version => 12020;

    /// <inheritdoc/>
    public int DeviceCount => 1;

    /// <inheritdoc/>
    public string DeviceName(int device)
    {
        RequireDevice(device);
        return "Software CUDA device";
    }

    /// <inheritdoc/>
    public int Attribute(DeviceAttribute attribute, int device)
    {
        RequireDevice(device);
        return attribute switch
        {
            DeviceAttribute.MaxThreadsPerBlock => MaxThreads,
            DeviceAttribute.MaxSharedMemoryPerBlock => SharedMemory.Capacity,
            DeviceAttribute.ClockRate => 1_000_000,
            DeviceAttribute.MultiprocessorCount => _options.Multiprocessors,
            DeviceAttribute.MemoryClockRate => 1_000_000,
            DeviceAttribute.MemoryBusWidth => 256,
            DeviceAttribute.L2CacheSize => 4 << 20,
            DeviceAttribute.ComputeCapabilityMajor => _options.ComputeCapability.Major,
            DeviceAttribute.ComputeCapabilityMinor => _options.ComputeCapability.Minor,
            DeviceAttribute.MemoryPoolsSupported => 1,
            DeviceAttribute.PciBus => _options.PciBus,
            DeviceAttribute.PciDevice or DeviceAttribute.PciDomain => 0,
            _ => throw new CudaException(
                CudaLibrary.Driver, 1, $"cuDeviceGetAttribute({attribute}): CUDA_ERROR_INVALID_VALUE (1), an unknown attribute."),
        };
    }

    /// <inheritdoc/>
    public ulong TotalMemory(int device)
    {
        RequireDevice(device);
        return _memory.Capacity;
    }

    /// <inheritdoc/>
    public nint RetainPrimaryContext(int device)
    {
        RequireDevice(device);
        lock (_lock)
            _retained++;
        return Context;
    }

    /// <inheritdoc/>
    public void ReleasePrimaryContext(int device)
    {
        RequireDevice(device);
        lock (_lock)
        {
            if (_retained == 0)
                throw new SoftwareCudaException("ReleasePrimaryContext: the context is not retained.");
            _retained--;
        }
    }

    /// <inheritdoc/>
    public void SetCurrentContext(nint context)
    {
        if (context != Context && context != 0)
            throw new SoftwareCudaException($"SetCurrentContext: 0x{context:x} is no context.");
        if (context != 0 && _retained == 0)
            throw new SoftwareCudaException("SetCurrentContext: the context is not retained.");
        _current.Value = context;
    }

    /// <summary>Allocations that were not freed, a line each; empty when there are none.</summary>
    public string LeakReport() => string.Join(
        Environment.NewLine, _memory.Leaks.Select(block => $"{block.Name} at 0x{block.Address:x} was never freed"));

    /// <summary>Frees everything, and reports allocations of the program that it never freed; not after a defect, which may well
    /// be the reason.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        string leaks = LeakReport();
        int hostLeaks = _hostBlocks.Count;
        FreeHostBlocks();
        _block.Dispose();
        _memory.Dispose();
        _current.Dispose();
        if (_failed)
            return;
        if (leaks.Length > 0)
            throw new SoftwareCudaException($"Memory leak: {leaks}.");
        if (hostLeaks > 0)
            throw new SoftwareCudaException($"Memory leak: {hostLeaks} blocks of page-locked memory were never freed.");
    }

    private static void RequireDevice(int device)
    {
        if (device != 0)
        {
            throw new CudaException(
                CudaLibrary.Driver, 101, $"cuDeviceGet({device}): CUDA_ERROR_INVALID_DEVICE (101), there is one device.");
        }
    }

    // Calls act on the calling thread's context.
    private void Require(string call)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_current.Value != Context || _retained == 0)
        {
            throw new SoftwareCudaException(
                $"{call}: no context is current for the calling thread; call SetCurrentContext(RetainPrimaryContext(0)) there.");
        }
    }

    private nint NewHandle() => _lastHandle += 0x10;

    private static T Known<T>(Dictionary<nint, T> handles, nint handle, string call, string kind) =>
        handles.TryGetValue(handle, out T? value)
            ? value
            : throw new SoftwareCudaException($"{call}: 0x{handle:x} is no {kind} (or no longer).");
}
