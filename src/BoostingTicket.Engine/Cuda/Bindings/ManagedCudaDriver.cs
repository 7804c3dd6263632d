using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using BoostingTicket.Engine.Backends;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using Context = ManagedCuda.DriverAPINativeMethods.ContextManagement;
using Copies = ManagedCuda.DriverAPINativeMethods.AsynchronousMemcpy_v2;
using DeviceApi = ManagedCuda.DriverAPINativeMethods.DeviceManagement;
using Events = ManagedCuda.DriverAPINativeMethods.Events;
using Functions = ManagedCuda.DriverAPINativeMethods.FunctionManagement;
using Graphs = ManagedCuda.DriverAPINativeMethods.GraphManagment;
using Memory = ManagedCuda.DriverAPINativeMethods.MemoryManagement;
using Modules = ManagedCuda.DriverAPINativeMethods.ModuleManagement;
using Streams = ManagedCuda.DriverAPINativeMethods.Streams;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>The CUDA driver through ManagedCuda. Needs a driver for CUDA 12.4 or later: ManagedCuda takes a launch's parameters
/// as an array, and only since then can a kernel be asked how many it has.</summary>
internal sealed unsafe class ManagedCudaDriver : ICudaDriver
{
    private const int NameBytes = 256;
    private const int LogBytes = 16 * 1024;
    private const int OldestDriver = 12_040;

    private readonly ConcurrentDictionary<nint, Kernel> _kernels = new();

    /// <summary>Starts the driver for this process.</summary>
    /// <exception cref="CudaException">It cannot be.</exception>
    /// <exception cref="DeviceException">It is for CUDA 12.3 or earlier.</exception>
    public ManagedCudaDriver()
    {
        Check(DriverAPINativeMethods.cuInit(CUInitializationFlags.None));
        if (Version < OldestDriver)
        {
            throw new DeviceException(
                $"The ManagedCuda binding needs a driver for CUDA {CudaInventory.CudaVersion(OldestDriver)} or later, and this "
                + $"one is for "
                + $"CUDA {CudaInventory.CudaVersion(Version)}; update it, or build without -p:CudaBinding=ManagedCuda.");
        }
    }

    /// <inheritdoc/>
    public int Version
    {
        get
        {
            int version = 0;
            Check(DriverAPINativeMethods.cuDriverGetVersion(ref version));
            return version;
        }
    }

    /// <inheritdoc/>
    public int DeviceCount
    {
        get
        {
            int count = 0;
            Check(DeviceApi.cuDeviceGetCount(ref count));
            return count;
        }
    }

    /// <inheritdoc/>
    public string DeviceName(int device)
    {
        byte[] name = new byte[NameBytes];
        Check(DeviceApi.cuDeviceGetName(name, NameBytes, Device(device)));
        return Text(name);
    }

    /// <inheritdoc/>
    public int Attribute(DeviceAttribute attribute, int device) => Attribute(attribute, Device(device));

    /// <inheritdoc/>
    public ulong TotalMemory(int device)
    {
        SizeT bytes = 0;
        Check(DeviceApi.cuDeviceTotalMem_v2(ref bytes, Device(device)));
        return bytes;
    }

    /// <inheritdoc/>
    public nint RetainPrimaryContext(int device)
    {
        CUcontext context = default;
        Check(Context.cuDevicePrimaryCtxRetain(ref context, Device(device)));
        return context.Pointer;
    }

    /// <inheritdoc/>
    public void ReleasePrimaryContext(int device) => Check(Context.cuDevicePrimaryCtxRelease(Device(device)));

    /// <inheritdoc/>
    public void SetCurrentContext(nint context) => Check(Context.cuCtxSetCurrent(new CUcontext { Pointer = context }));

    /// <inheritdoc/>
    public DevicePointer Allocate(nuint bytes, nint stream)
    {
        CUdeviceptr pointer = default;
        if (HasMemoryPools())
            Check(Memory.cuMemAllocAsync(ref pointer, bytes, Stream(stream)));
        else
            Check(Memory.cuMemAlloc_v2(ref pointer, bytes));
        return new DevicePointer(pointer.Pointer);
    }

    /// <inheritdoc/>
    public void Free(DevicePointer pointer, nint stream)
    {
        if (HasMemoryPools())
        {
            Check(Memory.cuMemFreeAsync(Pointer(pointer), Stream(stream)));
            return;
        }

        // Without pools memory is freed at once, whatever the stream still does with it.
        Check(Streams.cuStreamSynchronize(Stream(stream)));
        Check(Memory.cuMemFree_v2(Pointer(pointer)));
    }

    /// <inheritdoc/>
    public (ulong Free, ulong Total) MemoryInfo()
    {
        SizeT free = 0, total = 0;
        Check(Memory.cuMemGetInfo_v2(ref free, ref total));
        return (free, total);
    }

    /// <inheritdoc/>
    public void* AllocateHost(nuint bytes)
    {
        nint pointer = 0;
        Check(Memory.cuMemHostAlloc(ref pointer, bytes, CUMemHostAllocFlags.Portable));
        return (void*)pointer;
    }

    /// <inheritdoc/>
    public void FreeHost(void* pointer) => Check(Memory.cuMemFreeHost((nint)pointer));

    /// <inheritdoc/>
    public void CopyToDevice(DevicePointer destination, void* source, nuint bytes, nint stream) =>
        Check(Copies.cuMemcpyHtoDAsync_v2(Pointer(destination), (nint)source, bytes, Stream(stream)));

    /// <inheritdoc/>
    public void CopyToHost(void* destination, DevicePointer source, nuint bytes, nint stream) =>
        Check(Copies.cuMemcpyDtoHAsync_v2((nint)destination, Pointer(source), bytes, Stream(stream)));

    /// <inheritdoc/>
    public void CopyOnDevice(DevicePointer destination, DevicePointer source, nuint bytes, nint stream) =>
        Check(Copies.cuMemcpyDtoDAsync_v2(Pointer(destination), Pointer(source), bytes, Stream(stream)));

    /// <inheritdoc/>
    public void Fill(DevicePointer destination, uint value, nuint words, nint stream) =>
        Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD32Async(Pointer(destination), value, words, Stream(stream)));

    /// <inheritdoc/>
    public nint CreateStream()
    {
        CUstream stream = default;
        Check(Streams.cuStreamCreate(ref stream, CUStreamFlags.NonBlocking));
        return stream.Pointer;
    }

    /// <inheritdoc/>
    public void DestroyStream(nint stream) => Check(Streams.cuStreamDestroy_v2(Stream(stream)));

    /// <inheritdoc/>
    public void Synchronize(nint stream) => Check(Streams.cuStreamSynchronize(Stream(stream)));

    /// <inheritdoc/>
    public nint CreateEvent()
    {
        CUevent @event = default;
        Check(Events.cuEventCreate(ref @event, CUEventFlags.Default));
        return @event.Pointer;
    }

    /// <inheritdoc/>
    public void DestroyEvent(nint @event) => Check(Events.cuEventDestroy_v2(Event(@event)));

    /// <inheritdoc/>
    public void Record(nint @event, nint stream) => Check(Events.cuEventRecord(Event(@event), Stream(stream)));

    /// <inheritdoc/>
    public void SynchronizeEvent(nint @event) => Check(Events.cuEventSynchronize(Event(@event)));

    /// <inheritdoc/>
    public bool IsReached(nint @event)
    {
        CUResult result = Events.cuEventQuery(Event(@event));
        if (result != CUResult.ErrorNotReady)
            Check(result);
        return result == CUResult.Success;
    }

    /// <inheritdoc/>
    public float Milliseconds(nint start, nint end)
    {
        float milliseconds = 0;
        Check(Events.cuEventElapsedTime(ref milliseconds, Event(start), Event(end)));
        return milliseconds;
    }

    /// <inheritdoc/>
    public nint LoadModule(ReadOnlySpan<byte> ptx)
    {
        if (ptx.IsEmpty || ptx[^1] != 0)
            throw new ArgumentException("PTX must end in a 0 byte.", nameof(ptx));
        byte[] log = new byte[LogBytes];
        CUmodule module = default;
        CUResult status;
        fixed (byte* text = log)
        {
            status = Modules.cuModuleLoadDataEx(
                ref module, ptx.ToArray(), 2, [CUJITOption.ErrorLogBuffer, CUJITOption.ErrorLogBufferSizeBytes],
                [(nint)text, LogBytes]);
        }
        if (status != CUResult.Success)
            Throw(status, "cuModuleLoadDataEx(PTX)", Text(log));
        return module.Pointer;
    }

    /// <inheritdoc/>
    public void UnloadModule(nint module) => Check(Modules.cuModuleUnload(new CUmodule { Pointer = module }));

    /// <inheritdoc/>
    public nint Function(nint module, string name)
    {
        CUfunction function = default;
        CUResult status = Modules.cuModuleGetFunction(ref function, new CUmodule { Pointer = module }, name);
        if (status != CUResult.Success)
            Throw(status, $"cuModuleGetFunction(\"{name}\")");
        int parameters = 0;
        SizeT offset = 0, size = 0;
        while ((status = Functions.cuFuncGetParamInfo(function, parameters, ref offset, ref size)) == CUResult.Success)
            parameters++;
        // The index behind the last parameter is not valid: that is how many there are.
        if (status != CUResult.ErrorInvalidValue)
            Throw(status, $"cuFuncGetParamInfo(\"{name}\", {parameters})");
        _kernels[function.Pointer] = new Kernel(name, new nint[parameters]);
        return function.Pointer;
    }

    /// <inheritdoc/>
    public void Launch(nint function, in LaunchGrid grid, nint stream, void** parameters)
    {
        if (!_kernels.TryGetValue(function, out Kernel? kernel))
            throw new ArgumentException("The function was not made by this driver.", nameof(function));
        CUResult status;
        lock (kernel)
        {
            for (int index = 0; index < kernel.Parameters.Length; index++)
                kernel.Parameters[index] = (nint)parameters[index];
            status = DriverAPINativeMethods.Launch.cuLaunchKernel(
                new CUfunction { Pointer = function }, grid.GridX, grid.GridY, grid.GridZ, grid.BlockX, grid.BlockY, grid.BlockZ,
                0,
                Stream(stream), kernel.Parameters, null);
        }
        if (status != CUResult.Success)
            Throw(status, CudaCalls.Launch(kernel.Name, grid));
    }

    /// <inheritdoc/>
    public void BeginCapture(nint stream) => Check(Streams.cuStreamBeginCapture(Stream(stream), CUstreamCaptureMode.Local));

    /// <inheritdoc/>
    public nint EndCapture(nint stream)
    {
        CUgraph graph = default;
        Check(Streams.cuStreamEndCapture(Stream(stream), ref graph));
        return graph.Pointer;
    }

    /// <inheritdoc/>
    public void DestroyGraph(nint graph) => Check(Graphs.cuGraphDestroy(new CUgraph { Pointer = graph }));

    /// <inheritdoc/>
    public nint Instantiate(nint graph)
    {
        CUgraphExec executable = default;
        Check(Graphs.cuGraphInstantiate(ref executable, new CUgraph { Pointer = graph }, CUgraphInstantiate_flags.None));
        return executable.Pointer;
    }

    /// <inheritdoc/>
    public void LaunchGraph(nint executable, nint stream) =>
        Check(Graphs.cuGraphLaunch(new CUgraphExec { Pointer = executable }, Stream(stream)));

    /// <inheritdoc/>
    public void DestroyExecutable(nint executable) => Check(Graphs.cuGraphExecDestroy(new CUgraphExec { Pointer = executable }));

    /// <summary>Does nothing: the driver belongs to the process.</summary>
    public void Dispose() { }

    private static CUdevice Device(int ordinal)
    {
        CUdevice device = default;
        Check(DeviceApi.cuDeviceGet(ref device, ordinal));
        return device;
    }

    private static int Attribute(DeviceAttribute attribute, CUdevice device)
    {
        int value = 0;
        Check(DeviceApi.cuDeviceGetAttribute(ref value, (CUDeviceAttribute)attribute, device));
        return value;
    }

    private static bool HasMemoryPools()
    {
        CUdevice device = default;
        Check(Context.cuCtxGetDevice(ref device));
        return Attribute(DeviceAttribute.MemoryPoolsSupported, device) != 0;
    }

    private static CUstream Stream(nint stream) => new() { Pointer = stream };

    private static CUevent Event(nint @event) => new() { Pointer = @event };

    private static CUdeviceptr Pointer(DevicePointer pointer) => new(pointer.Address);

    private static string Text(byte[] bytes)
    {
        int end = Array.IndexOf(bytes, (byte)0);
        return Encoding.UTF8.GetString(bytes, 0, end < 0 ? bytes.Length : end);
    }

    private static void Check(CUResult status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != CUResult.Success)
            Throw(status, call);
    }

    [DoesNotReturn]
    private static void Throw(CUResult status, string call, string? detail = null)
    {
        nint name = 0;
        CudaStatus.Throw(
            CudaLibrary.Driver, (int)status, call,
            DriverAPINativeMethods.ErrorHandling.cuGetErrorName(status, ref name) == CUResult.Success
                ? Marshal.PtrToStringUTF8(name)
                : null,
            detail);
    }

    private sealed record Kernel(string Name, nint[] Parameters);
}
