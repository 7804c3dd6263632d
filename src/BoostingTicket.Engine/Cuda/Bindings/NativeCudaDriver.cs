using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>The CUDA driver, called directly.</summary>
internal sealed unsafe class NativeCudaDriver : ICudaDriver
{
    private const uint NonBlockingStream = 1;
    private const uint PortableHostMemory = 1;
    private const int ThreadLocalCapture = 1;
    private const int NameBytes = 256;
    private const int LogBytes = 16 * 1024;

    private readonly CudaDriverFunctions _cuda;
    private readonly ConcurrentDictionary<nint, string> _kernels = new();

    /// <summary>Takes the functions of a library; <see cref="Initialize"/> comes before everything but <see
    /// cref="Version"/>.</summary>
    /// <exception cref="Backends.DeviceException">The library lacks functions.</exception>
    public NativeCudaDriver(NativeModule library)
    {
        _cuda = library.Bind<CudaDriverFunctions>(CudaDriverFunctions.Names);
    }

    /// <summary>Starts the driver for this process.</summary>
    /// <exception cref="CudaException">It cannot be: no GPU (100), a stub (34), a half-installed driver (803).</exception>
    public void Initialize() => Check(_cuda.cuInit(0));

    /// <inheritdoc/>
    public int Version
    {
        get
        {
            int version;
            Check(_cuda.cuDriverGetVersion(&version));
            return version;
        }
    }

    /// <inheritdoc/>
    public int DeviceCount
    {
        get
        {
            int count;
            Check(_cuda.cuDeviceGetCount(&count));
            return count;
        }
    }

    /// <inheritdoc/>
    public string DeviceName(int device)
    {
        byte* name = stackalloc byte[NameBytes];
        Check(_cuda.cuDeviceGetName(name, NameBytes, Device(device)));
        return Marshal.PtrToStringUTF8((nint)name) ?? "";
    }

    /// <inheritdoc/>
    public int Attribute(DeviceAttribute attribute, int device)
    {
        int value;
        Check(_cuda.cuDeviceGetAttribute(&value, (int)attribute, Device(device)));
        return value;
    }

    /// <inheritdoc/>
    public ulong TotalMemory(int device)
    {
        nuint bytes;
        Check(_cuda.cuDeviceTotalMem_v2(&bytes, Device(device)));
        return bytes;
    }

    /// <inheritdoc/>
    public nint RetainPrimaryContext(int device)
    {
        nint context;
        Check(_cuda.cuDevicePrimaryCtxRetain(&context, Device(device)));
        return context;
    }

    /// <inheritdoc/>
    public void ReleasePrimaryContext(int device) => Check(_cuda.cuDevicePrimaryCtxRelease_v2(Device(device)));

    /// <inheritdoc/>
    public void SetCurrentContext(nint context) => Check(_cuda.cuCtxSetCurrent(context));

    /// <inheritdoc/>
    public DevicePointer Allocate(nuint bytes, nint stream)
    {
        ulong address;
        if (HasMemoryPools())
            Check(_cuda.cuMemAllocAsync(&address, bytes, stream));
        else
            Check(_cuda.cuMemAlloc_v2(&address, bytes));
        return new DevicePointer(address);
    }

    /// <inheritdoc/>
    public void Free(DevicePointer pointer, nint stream)
    {
        if (HasMemoryPools())
        {
            Check(_cuda.cuMemFreeAsync(pointer.Address, stream));
            return;
        }

        // Without pools memory is freed at once, whatever the stream still does with it.
        Check(_cuda.cuStreamSynchronize(stream));
        Check(_cuda.cuMemFree_v2(pointer.Address));
    }

    /// <inheritdoc/>
    public (ulong Free, ulong Total) MemoryInfo()
    {
        nuint free, total;
        Check(_cuda.cuMemGetInfo_v2(&free, &total));
        return (free, total);
    }

    /// <inheritdoc/>
    public void* AllocateHost(nuint bytes)
    {
        void* pointer;
        Check(_cuda.cuMemHostAlloc(&pointer, bytes, PortableHostMemory));
        return pointer;
    }

    /// <inheritdoc/>
    public void FreeHost(void* pointer) => Check(_cuda.cuMemFreeHost(pointer));

    /// <inheritdoc/>
    public void CopyToDevice(DevicePointer destination, void* source, nuint bytes, nint stream) =>
        Check(_cuda.cuMemcpyHtoDAsync_v2(destination.Address, source, bytes, stream));

    /// <inheritdoc/>
    public void CopyToHost(void* destination, DevicePointer source, nuint bytes, nint stream) =>
        Check(_cuda.cuMemcpyDtoHAsync_v2(destination, source.Address, bytes, stream));

    /// <inheritdoc/>
    public void CopyOnDevice(DevicePointer destination, DevicePointer source, nuint bytes, nint stream) =>
        Check(_cuda.cuMemcpyDtoDAsync_v2(destination.Address, source.Address, bytes, stream));

    /// <inheritdoc/>
    public void Fill(DevicePointer destination, uint value, nuint words, nint stream) =>
        Check(_cuda.cuMemsetD32Async(destination.Address, value, words, stream));

    /// <inheritdoc/>
    public nint CreateStream()
    {
        nint stream;
        Check(_cuda.cuStreamCreate(&stream, NonBlockingStream));
        return stream;
    }

    /// <inheritdoc/>
    public void DestroyStream(nint stream) => Check(_cuda.cuStreamDestroy_v2(stream));

    /// <inheritdoc/>
    public void Synchronize(nint stream) => Check(_cuda.cuStreamSynchronize(stream));

    /// <inheritdoc/>
    public nint CreateEvent()
    {
        nint @event;
        Check(_cuda.cuEventCreate(&@event, 0));
        return @event;
    }

    /// <inheritdoc/>
    public void DestroyEvent(nint @event) => Check(_cuda.cuEventDestroy_v2(@event));

    /// <inheritdoc/>
    public void Record(nint @event, nint stream) => Check(_cuda.cuEventRecord(@event, stream));

    /// <inheritdoc/>
    public void SynchronizeEvent(nint @event) => Check(_cuda.cuEventSynchronize(@event));

    /// <inheritdoc/>
    public bool IsReached(nint @event)
    {
        int status = _cuda.cuEventQuery(@event);
        if (status is not (CudaStatus.Success or CudaStatus.NotReady))
            Throw(status, "cuEventQuery(event)");
        return status == CudaStatus.Success;
    }

    /// <inheritdoc/>
    public float Milliseconds(nint start, nint end)
    {
        float milliseconds;
        Check(_cuda.cuEventElapsedTime(&milliseconds, start, end));
        return milliseconds;
    }

    /// <inheritdoc/>
    public nint LoadModule(ReadOnlySpan<byte> ptx)
    {
        if (ptx.IsEmpty || ptx[^1] != 0)
            throw new ArgumentException("PTX must end in a 0 byte.", nameof(ptx));
        byte[] log = new byte[LogBytes];
        nint module;
        int status;
        fixed (byte* image = ptx, text = log)
        {
            // A size is given in the pointer's own place; the driver leaves the used bytes there.
            JitOption* options = stackalloc JitOption[] { JitOption.ErrorLogBuffer, JitOption.ErrorLogBufferSizeBytes };
            void** values = stackalloc void*[] { text, (void*)(nuint)LogBytes };
            status = _cuda.cuModuleLoadDataEx(&module, image, 2, (int*)options, values);
        }

        if (status != CudaStatus.Success)
        {
            int end = Array.IndexOf(log, (byte)0);
            Throw(status, "cuModuleLoadDataEx(PTX)", Encoding.UTF8.GetString(log, 0, end < 0 ? log.Length : end));
        }
        return module;
    }

    /// <inheritdoc/>
    public void UnloadModule(nint module) => Check(_cuda.cuModuleUnload(module));

    /// <inheritdoc/>
    public nint Function(nint module, string name)
    {
        nint function;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
        {
            int status = _cuda.cuModuleGetFunction(&function, module, text);
            if (status != CudaStatus.Success)
                Throw(status, $"cuModuleGetFunction(\"{name}\")");
        }
        _kernels[function] = name;
        return function;
    }

    /// <inheritdoc/>
    public void Launch(nint function, in LaunchGrid grid, nint stream, void** parameters)
    {
        int status = _cuda.cuLaunchKernel(
            function, grid.GridX, grid.GridY, grid.GridZ, grid.BlockX, grid.BlockY, grid.BlockZ, 0, stream, parameters, null);
        if (status != CudaStatus.Success)
            ThrowLaunch(status, function, grid);
    }

    /// <inheritdoc/>
    public void BeginCapture(nint stream) => Check(_cuda.cuStreamBeginCapture_v2(stream, ThreadLocalCapture));

    /// <inheritdoc/>
    public nint EndCapture(nint stream)
    {
        nint graph;
        Check(_cuda.cuStreamEndCapture(stream, &graph));
        return graph;
    }

    /// <inheritdoc/>
    public void DestroyGraph(nint graph) => Check(_cuda.cuGraphDestroy(graph));

    /// <inheritdoc/>
    public nint Instantiate(nint graph)
    {
        nint executable;
        Check(_cuda.cuGraphInstantiateWithFlags(&executable, graph, 0));
        return executable;
    }

    /// <inheritdoc/>
    public void LaunchGraph(nint executable, nint stream) => Check(_cuda.cuGraphLaunch(executable, stream));

    /// <inheritdoc/>
    public void DestroyExecutable(nint executable) => Check(_cuda.cuGraphExecDestroy(executable));

    /// <summary>Does nothing: the driver belongs to the process.</summary>
    public void Dispose() { }

    private int Device(int ordinal)
    {
        int device;
        Check(_cuda.cuDeviceGet(&device, ordinal));
        return device;
    }

    private bool HasMemoryPools()
    {
        int device, supported;
        Check(_cuda.cuCtxGetDevice(&device));
        Check(_cuda.cuDeviceGetAttribute(&supported, (int)DeviceAttribute.MemoryPoolsSupported, device));
        return supported != 0;
    }

    private void Check(int status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != CudaStatus.Success)
            Throw(status, call);
    }

    [DoesNotReturn]
    private void ThrowLaunch(int status, nint function, LaunchGrid grid)
    {
        string kernel = _kernels.TryGetValue(function, out string? name) ? name : "an unknown function";
        Throw(status, CudaCalls.Launch(kernel, grid));
    }

    [DoesNotReturn]
    private void Throw(int status, string call, string? detail = null)
    {
        byte* name;
        CudaStatus.Throw(
            CudaLibrary.Driver, status, call,
            _cuda.cuGetErrorName(status, &name) == CudaStatus.Success ? Marshal.PtrToStringUTF8((nint)name) : null, detail);
    }
}

/// <summary>Calls of the driver in words.</summary>
internal static class CudaCalls
{
    /// <summary>A launch with its kernel and grid.</summary>
    public static string Launch(string kernel, LaunchGrid grid) => FormattableString.Invariant(
        $"cuLaunchKernel({kernel}, {grid.GridX} x {grid.GridY} x {grid.GridZ} blocks of ")
        + FormattableString.Invariant($"{grid.BlockX} x {grid.BlockY} x {grid.BlockZ} threads)");
}

/// <summary>Options of the driver's compiler; values of CUjit_option.</summary>
internal enum JitOption
{
    /// <summary>Memory for what the compiler says of errors.</summary>
    ErrorLogBuffer = 5,

    /// <summary>Its bytes.</summary>
    ErrorLogBufferSizeBytes = 6,
}
