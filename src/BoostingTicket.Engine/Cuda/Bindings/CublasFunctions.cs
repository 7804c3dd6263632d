namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>Functions of cuBLAS 11 to 13 under their exported names.</summary>
internal unsafe struct CublasFunctions
{
    // Nothing but function pointers, in the order of Names.
    public delegate* unmanaged<nint*, int> cublasCreate_v2;
    public delegate* unmanaged<nint, int> cublasDestroy_v2;
    public delegate* unmanaged<nint, nint, int> cublasSetStream_v2;
    public delegate* unmanaged<nint, void*, nuint, int> cublasSetWorkspace_v2;
    public delegate* unmanaged<int, int*, int> cublasGetProperty;
    public delegate* unmanaged<
        nint, int, int, int, int, int, void*, void*, int, int, void*, int, int, void*, void*, int, int, int, int,
        int> cublasGemmEx;

    /// <summary>Since CUDA 11.4.2; null before.</summary>
    public delegate* unmanaged<int, byte*> cublasGetStatusName;

    /// <summary>Exported names of the fields, in their order.</summary>
    public static readonly string[] Names =
    [
        nameof(cublasCreate_v2), nameof(cublasDestroy_v2), nameof(cublasSetStream_v2), nameof(cublasSetWorkspace_v2),
        nameof(cublasGetProperty), nameof(cublasGemmEx), nameof(cublasGetStatusName) + "?",
    ];
}
