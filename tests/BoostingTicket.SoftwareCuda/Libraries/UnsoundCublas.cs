using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>A cuBLAS that does some products wrongly or not at all. Of matrices without gaps between their columns.</summary>
/// <param name="inner">What computes.</param>
/// <param name="device">Where.</param>
/// <param name="rule">What is amiss with a kind of product; its last argument is whether it adds to its destination.</param>
internal sealed class UnsoundCublas(
    ICublas inner, ISoftwareDevice device, Func<CublasCompute, bool, Unsoundness> rule) : ICublas
{
    private nint _stream;

    /// <summary>Products that something was amiss with.</summary>
    public int Spoiled { get; private set; }

    /// <summary>Called when a product runs, in the order of the stream, also out of a graph: whether it adds to its
    /// destination.</summary>
    public Action<bool>? WhenRun { get; init; }

    public int Version => inner.Version;

    public nint Create() => inner.Create();

    public void Destroy(nint handle) => inner.Destroy(handle);

    public void SetStream(nint handle, nint stream)
    {
        _stream = stream;
        inner.SetStream(handle, stream);
    }

    public void SetWorkspace(nint handle, DevicePointer workspace, nuint bytes) => inner.SetWorkspace(handle, workspace, bytes);

    public void Gemm(
        nint handle, CublasOperation operationA, CublasOperation operationB, int m, int n, int k, float alpha,
        in CublasMatrix a, in CublasMatrix b, float beta, in CublasMatrix c, CublasCompute compute)
    {
        Unsoundness amiss = rule(compute, beta != 0);
        if (amiss != Unsoundness.None)
            Spoiled++;
        if (amiss == Unsoundness.Refusal)
            throw new CudaException(CudaLibrary.Cublas, 15, $"cuBLAS refuses {compute} (15)");
        inner.Gemm(handle, operationA, operationB, m, n, k, alpha, a, b, beta, c, compute);
        if (c.LeadingDimension != m)
            throw new ArgumentException("The matrix has gaps.", nameof(c));
        Spoiler.Spoil(device, _stream, c.Data, m * n, c.Type == CudaDataType.BFloat16, amiss);
        if (WhenRun is { } told)
            device.Submit(_stream, "timing", () => told(beta != 0));
    }

    public void Dispose() => inner.Dispose();
}
