using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaBlas;
using Api = ManagedCuda.CudaBlas.CudaBlasNativeMethods;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>cuBLAS through ManagedCuda.</summary>
/// <param name="version">The library's version, which ManagedCuda can only ask of a handle.</param>
internal sealed unsafe class ManagedCublas(int version) : ICublas
{
    /// <inheritdoc/>
    public int Version => version;

    /// <inheritdoc/>
    public nint Create()
    {
        CudaBlasHandle handle = default;
        Check(Api.cublasCreate_v2(ref handle));
        return handle.Pointer;
    }

    /// <inheritdoc/>
    public void Destroy(nint handle) => Check(Api.cublasDestroy_v2(Handle(handle)));

    /// <inheritdoc/>
    public void SetStream(nint handle, nint stream) =>
        Check(Api.cublasSetStream_v2(Handle(handle), new CUstream { Pointer = stream }));

    /// <inheritdoc/>
    public void SetWorkspace(nint handle, DevicePointer workspace, nuint bytes) =>
        Check(Api.cublasSetWorkspace_v2(Handle(handle), Pointer(workspace), bytes));

    /// <inheritdoc/>
    public void Gemm(
        nint handle, CublasOperation operationA, CublasOperation operationB, int m, int n, int k, float alpha,
        in CublasMatrix a, in CublasMatrix b, float beta, in CublasMatrix c, CublasCompute compute)
    {
        CublasStatus status = Api.cublasGemmEx(
            Handle(handle), (Operation)operationA, (Operation)operationB, m, n, k, (nint)(&alpha),
            Pointer(a.Data), (cudaDataType)a.Type, a.LeadingDimension, Pointer(b.Data), (cudaDataType)b.Type, b.LeadingDimension,
            (nint)(&beta), Pointer(c.Data), (cudaDataType)c.Type, c.LeadingDimension, (ComputeType)compute, GemmAlgo.Default);
        if (status != CublasStatus.Success)
            Check(status, CublasCalls.Gemm(operationA, operationB, m, n, k, a, b, c, compute));
    }

    /// <summary>Does nothing: the library belongs to the process.</summary>
    public void Dispose() { }

    private static CudaBlasHandle Handle(nint handle) => new() { Pointer = handle };

    private static CUdeviceptr Pointer(DevicePointer pointer) => new(pointer.Address);

    private static void Check(CublasStatus status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != CublasStatus.Success)
            CudaStatus.Throw(CudaLibrary.Cublas, (int)status, call, null);
    }
}
