namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Functions of the CUDA driver under their exported names: cuda.h's plain names are macros for these, and the exports
/// of the plain names are older functions with other parameters.</summary>
internal unsafe struct CudaDriverFunctions
{
    // Nothing but function pointers, in the order of Names.
    public delegate* unmanaged<uint, int> cuInit;
    public delegate* unmanaged<int*, int> cuDriverGetVersion;
    public delegate* unmanaged<int*, int> cuDeviceGetCount;
    public delegate* unmanaged<int*, int, int> cuDeviceGet;
    public delegate* unmanaged<byte*, int, int, int> cuDeviceGetName;
    public delegate* unmanaged<int*, int, int, int> cuDeviceGetAttribute;
    public delegate* unmanaged<nuint*, int, int> cuDeviceTotalMem_v2;
    public delegate* unmanaged<nint*, int, int> cuDevicePrimaryCtxRetain;
    public delegate* unmanaged<int, int> cuDevicePrimaryCtxRelease_v2;
    public delegate* unmanaged<nint, int> cuCtxSetCurrent;
    public delegate* unmanaged<int*, int> cuCtxGetDevice;
    public delegate* unmanaged<ulong*, nuint, int> cuMemAlloc_v2;
    public delegate* unmanaged<ulong, int> cuMemFree_v2;
    public delegate* unmanaged<ulong*, nuint, nint, int> cuMemAllocAsync;
    public delegate* unmanaged<ulong, nint, int> cuMemFreeAsync;
    public delegate* unmanaged<nuint*, nuint*, int> cuMemGetInfo_v2;
    public delegate* unmanaged<void**, nuint, uint, int> cuMemHostAlloc;
    public delegate* unmanaged<void*, int> cuMemFreeHost;
    public delegate* unmanaged<ulong, void*, nuint, nint, int> cuMemcpyHtoDAsync_v2;
    public delegate* unmanaged<void*, ulong, nuint, nint, int> cuMemcpyDtoHAsync_v2;
    public delegate* unmanaged<ulong, ulong, nuint, nint, int> cuMemcpyDtoDAsync_v2;
    public delegate* unmanaged<ulong, uint, nuint, nint, int> cuMemsetD32Async;
    public delegate* unmanaged<nint*, uint, int> cuStreamCreate;
    public delegate* unmanaged<nint, int> cuStreamDestroy_v2;
    public delegate* unmanaged<nint, int> cuStreamSynchronize;
    public delegate* unmanaged<nint*, uint, int> cuEventCreate;
    public delegate* unmanaged<nint, int> cuEventDestroy_v2;
    public delegate* unmanaged<nint, nint, int> cuEventRecord;
    public delegate* unmanaged<nint, int> cuEventSynchronize;
    public delegate* unmanaged<nint, int> cuEventQuery;
    public delegate* unmanaged<float*, nint, nint, int> cuEventElapsedTime;
    public delegate* unmanaged<nint*, void*, uint, int*, void**, int> cuModuleLoadDataEx;
    public delegate* unmanaged<nint, int> cuModuleUnload;
    public delegate* unmanaged<nint*, nint, byte*, int> cuModuleGetFunction;
    public delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> cuLaunchKernel;
    public delegate* unmanaged<nint, int, int> cuStreamBeginCapture_v2;
    public delegate* unmanaged<nint, nint*, int> cuStreamEndCapture;
    public delegate* unmanaged<nint, int> cuGraphDestroy;
    public delegate* unmanaged<nint*, nint, ulong, int> cuGraphInstantiateWithFlags;
    public delegate* unmanaged<nint, nint, int> cuGraphLaunch;
    public delegate* unmanaged<nint, int> cuGraphExecDestroy;
    public delegate* unmanaged<int, byte**, int> cuGetErrorName;

    /// <summary>Exported names of the fields, in their order.</summary>
    public static readonly string[] Names =
    [
        nameof(cuInit), nameof(cuDriverGetVersion), nameof(cuDeviceGetCount), nameof(cuDeviceGet), nameof(cuDeviceGetName),
        nameof(cuDeviceGetAttribute), nameof(cuDeviceTotalMem_v2), nameof(cuDevicePrimaryCtxRetain),
        nameof(cuDevicePrimaryCtxRelease_v2), nameof(cuCtxSetCurrent), nameof(cuCtxGetDevice), nameof(cuMemAlloc_v2),
        nameof(cuMemFree_v2), nameof(cuMemAllocAsync), nameof(cuMemFreeAsync), nameof(cuMemGetInfo_v2), nameof(cuMemHostAlloc),
        nameof(cuMemFreeHost), nameof(cuMemcpyHtoDAsync_v2), nameof(cuMemcpyDtoHAsync_v2), nameof(cuMemcpyDtoDAsync_v2),
        nameof(cuMemsetD32Async), nameof(cuStreamCreate), nameof(cuStreamDestroy_v2), nameof(cuStreamSynchronize),
        nameof(cuEventCreate), nameof(cuEventDestroy_v2), nameof(cuEventRecord), nameof(cuEventSynchronize),
        nameof(cuEventQuery), nameof(cuEventElapsedTime), nameof(cuModuleLoadDataEx), nameof(cuModuleUnload),
        nameof(cuModuleGetFunction),
        nameof(cuLaunchKernel), nameof(cuStreamBeginCapture_v2), nameof(cuStreamEndCapture), nameof(cuGraphDestroy),
        nameof(cuGraphInstantiateWithFlags), nameof(cuGraphLaunch), nameof(cuGraphExecDestroy), nameof(cuGetErrorName),
    ];
}
