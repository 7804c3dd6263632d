using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Turns statuses into exceptions that say which call failed, what the status is called and what it means
/// here.</summary>
internal static class CudaStatus
{
    /// <summary>Every library's status of a call that worked.</summary>
    public const int Success = 0;

    /// <summary>The driver's status of an event that was not reached yet.</summary>
    public const int NotReady = 600;

    /// <summary>NCCL's status of a call that goes on.</summary>
    public const int NcclInProgress = 7;

    /// <summary>The exception of a failed call.</summary>
    /// <param name="library">Who answered.</param>
    /// <param name="status">What it answered.</param>
    /// <param name="call">The call's expression.</param>
    /// <param name="name">The status's name, if the library gave it.</param>
    /// <param name="detail">What else the library said.</param>
    public static CudaException Exception(CudaLibrary library, int status, string call, string? name, string? detail = null)
    {
        string product = library switch
        {
            CudaLibrary.Driver => "The CUDA driver",
            CudaLibrary.Cublas => "cuBLAS",
            CudaLibrary.Cudnn => "cuDNN",
            _ => "NCCL",
        };
        string? meaning = Meaning(library, status);
        return new CudaException(library, status, string.Create(
            CultureInfo.InvariantCulture,
            $"{product} answered {name ?? Name(library, status) ?? "an unknown status"} ({status}) to {WithoutReceiver(call)}"
            + $"{(meaning is null ? "" : $": {meaning}")}"
            + $"{(string.IsNullOrWhiteSpace(detail) ? "" : $"; it says: {detail.Trim()}")}"));
    }

    /// <summary>Throws <see cref="Exception"/>: kept out of calls that are made often.</summary>
    [DoesNotReturn]
    public static void Throw(CudaLibrary library, int status, string call, string? name, string? detail = null) =>
        throw Exception(library, status, call, name, detail);

    // "_cuda.cuMemAlloc_v2(&address, bytes)" -> "cuMemAlloc_v2(&address, bytes)"
    private static string WithoutReceiver(string call)
    {
        int open = call.IndexOf('(', StringComparison.Ordinal);
        int dot = open < 0 ? -1 : call.LastIndexOf('.', open);
        return dot < 0 ? call : call[(dot + 1)..];
    }

    // Names for libraries that are too old to give them.
    private static string? Name(CudaLibrary library, int status) => (library, status) switch
    {
        (CudaLibrary.Cublas, 1) => "CUBLAS_STATUS_NOT_INITIALIZED",
        (CudaLibrary.Cublas, 3) => "CUBLAS_STATUS_ALLOC_FAILED",
        (CudaLibrary.Cublas, 7) => "CUBLAS_STATUS_INVALID_VALUE",
        (CudaLibrary.Cublas, 8) => "CUBLAS_STATUS_ARCH_MISMATCH",
        (CudaLibrary.Cublas, 11) => "CUBLAS_STATUS_MAPPING_ERROR",
        (CudaLibrary.Cublas, 13) => "CUBLAS_STATUS_EXECUTION_FAILED",
        (CudaLibrary.Cublas, 14) => "CUBLAS_STATUS_INTERNAL_ERROR",
        (CudaLibrary.Cublas, 15) => "CUBLAS_STATUS_NOT_SUPPORTED",
        (CudaLibrary.Cublas, 16) => "CUBLAS_STATUS_LICENSE_ERROR",
        (CudaLibrary.Nccl, 1) => "ncclUnhandledCudaError",
        (CudaLibrary.Nccl, 2) => "ncclSystemError",
        (CudaLibrary.Nccl, 3) => "ncclInternalError",
        (CudaLibrary.Nccl, 4) => "ncclInvalidArgument",
        (CudaLibrary.Nccl, 5) => "ncclInvalidUsage",
        (CudaLibrary.Nccl, 6) => "ncclRemoteError",
        (CudaLibrary.Nccl, 8) => "ncclTimeout",
        _ => null,
    };

    /// <summary>What a status means and what to do about it; null when its name says it all.</summary>
    public static string? Meaning(CudaLibrary library, int status) => library switch
    {
        CudaLibrary.Driver => DriverMeaning(status),
        CudaLibrary.Cublas => CublasMeaning(status),
        CudaLibrary.Nccl => NcclMeaning(status),
        _ => status < 1000 ? Cudnn8Meaning(status) : Cudnn9Meaning(status),
    };

    private static string? DriverMeaning(int status) => status switch
    {
        1 => "a value is not valid",
        2 => "not enough memory on the GPU",
        3 => "the driver was not initialised",
        34 => "this is the toolkit's stub, not the driver; take its folder off the library path",
        100 => "the driver sees no NVIDIA GPU (hidden by CUDA_VISIBLE_DEVICES, or not passed into the container)",
        101 => "there is no such GPU",
        200 or 218 => "the kernel's code is not valid",
        201 => "no context is current for this thread",
        209 => "the kernel has no code for this GPU",
        222 => "the PTX is newer than the driver; install a driver for CUDA 12 or later",
        400 => "a handle is not valid",
        500 => "there is no kernel or symbol of that name",
        700 => "a kernel accessed an address outside its memory; the process cannot use the GPU any more",
        701 => "the launch needs more registers or shared memory than a multiprocessor has",
        702 => "a kernel ran longer than the system allows; the process cannot use the GPU any more",
        716 => "a kernel made a misaligned access; the process cannot use the GPU any more",
        714 or 715 or 717 or 718 or 719 => "a kernel failed; the process cannot use the GPU any more",
        801 => "this GPU or driver cannot do that",
        803 => "the driver's library and its kernel module are of different versions; restart the machine or reinstall the "
            + "driver",
        804 => "the compatibility package of CUDA does not support this GPU; take its folder off LD_LIBRARY_PATH",
        900 => "the operation cannot be recorded into a graph",
        901 => "the recording of the graph was made invalid by an earlier error",
        904 or 905 or 906 => "the recording depends on work outside it, or on the default stream",
        908 => "the recording was ended by another thread than began it",
        _ => null,
    };

    private static string? CublasMeaning(int status) => status switch
    {
        1 => "it was not initialised: no context is current, the driver is too old for it, or the GPU has no free memory",
        3 => "not enough memory on the GPU",
        7 => "a size or a leading dimension is not valid",
        8 => "the GPU is too old for it",
        13 => "a kernel failed, most often one before it",
        15 => "it has no algorithm for these types or this alignment",
        _ => null,
    };

    private static string? NcclMeaning(int status) => status switch
    {
        1 => "a call of CUDA failed, most often one before it",
        2 => "the system refused something: the network, or shared memory, of which containers have too little by default; "
            + "NCCL_DEBUG=WARN says what",
        3 => "an error of its own, or memory that was overwritten",
        4 or 5 => "a call was wrong, or two processes have the same GPU; NCCL_DEBUG=WARN says what",
        6 => "another process ended, or cannot be reached",
        8 => "another process did not answer in time",
        _ => null,
    };

    private static string? Cudnn8Meaning(int status) => status switch
    {
        1 => "it was not initialised: a library it needs (cuBLAS, its own parts) is missing or of another version",
        2 => "not enough memory",
        3 or 5 => "a descriptor, size or pointer is not valid",
        4 => "an internal error",
        6 => "the GPU is too old for it",
        8 => "a kernel failed, most often one before it",
        9 => "it has no algorithm for this shape and these types",
        14 => "its parts are of different versions",
        _ => null,
    };

    private static string? Cudnn9Meaning(int status) => (status, status / 1000) switch
    {
        (1001, _) => "it was not initialised",
        (1002, _) => "its parts are of different versions: two copies of cuDNN are on the library path",
        (1008, _) => "a library it needs could not be loaded",
        (2008, _) => "the shapes do not fit",
        (3007, _) => "the GPU is too old or too new for it",
        (4003, _) => "not enough memory on the host",
        (4004, _) => "not enough memory on the GPU",
        (_, 2) => "a descriptor, size or pointer is not valid",
        (_, 3) => "it has no algorithm for this shape and these types",
        (_, 4) => "an internal error",
        (_, 5) => "a kernel failed, most often one before it",
        _ => null,
    };
}
