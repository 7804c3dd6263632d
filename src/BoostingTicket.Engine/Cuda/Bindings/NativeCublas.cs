using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>cuBLAS, called directly.</summary>
internal sealed unsafe class NativeCublas : ICublas
{
    private const int DefaultAlgorithm = -1;
    private const int Properties = 3;

    private readonly CublasFunctions _cublas;

    /// <summary>Takes the functions of a library and asks for its version.</summary>
    /// <exception cref="Backends.DeviceException">The library lacks functions.</exception>
    public NativeCublas(NativeModule library)
    {
        _cublas = library.Bind<CublasFunctions>(CublasFunctions.Names);
        // Major, minor and patch. cublasGetVersion_v2 would need a handle, and so a GPU.
        int* properties = stackalloc int[Properties];
        for (int property = 0; property < Properties; property++)
            Check(_cublas.cublasGetProperty(property, &properties[property]));
        Version = properties[0] * 10_000 + properties[1] * 100 + properties[2];
    }

    /// <inheritdoc/>
    public int Version { get; }

    /// <inheritdoc/>
    public nint Create()
    {
        nint handle;
        Check(_cublas.cublasCreate_v2(&handle));
        return handle;
    }

    /// <inheritdoc/>
    public void Destroy(nint handle) => Check(_cublas.cublasDestroy_v2(handle));

    /// <inheritdoc/>
    public void SetStream(nint handle, nint stream) => Check(_cublas.cublasSetStream_v2(handle, stream));

    /// <inheritdoc/>
    public void SetWorkspace(nint handle, DevicePointer workspace, nuint bytes) =>
        Check(_cublas.cublasSetWorkspace_v2(handle, (void*)workspace.Address, bytes));

    /// <inheritdoc/>
    public void Gemm(
        nint handle, CublasOperation operationA, CublasOperation operationB, int m, int n, int k, float alpha,
        in CublasMatrix a, in CublasMatrix b, float beta, in CublasMatrix c, CublasCompute compute)
    {
        // Factors are float because sums are, and are read from the host during the call.
        int status = _cublas.cublasGemmEx(
            handle, (int)operationA, (int)operationB, m, n, k, &alpha,
            (void*)a.Data.Address, (int)a.Type, a.LeadingDimension, (void*)b.Data.Address, (int)b.Type, b.LeadingDimension, &beta,
            (void*)c.Data.Address, (int)c.Type, c.LeadingDimension, (int)compute, DefaultAlgorithm);
        if (status != CudaStatus.Success)
            Throw(status, CublasCalls.Gemm(operationA, operationB, m, n, k, a, b, c, compute));
    }

    /// <summary>Does nothing: the library belongs to the process.</summary>
    public void Dispose() { }

    private void Check(int status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != CudaStatus.Success)
            Throw(status, call);
    }

    private void Throw(int status, string call) => CudaStatus.Throw(
        CudaLibrary.Cublas, status, call,
        _cublas.cublasGetStatusName is null ? null : Marshal.PtrToStringUTF8((nint)_cublas.cublasGetStatusName(status)));
}

/// <summary>Calls of cuBLAS in words.</summary>
internal static class CublasCalls
{
    /// <summary>A matrix product with its sizes and types.</summary>
    public static string Gemm(
        CublasOperation operationA, CublasOperation operationB, int m, int n, int k,
        in CublasMatrix a, in CublasMatrix b, in CublasMatrix c, CublasCompute compute) =>
        FormattableString.Invariant($"cublasGemmEx({operationA}, {operationB}, m {m}, n {n}, k {k}, ")
            + $"A {Text(a)}, B {Text(b)}, C {Text(c)}, {compute})";

    private static string Text(in CublasMatrix matrix) =>
        FormattableString.Invariant($"{matrix.Type} {matrix.Data} ld {matrix.LeadingDimension}");
}
