using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Calls of cuBLAS as C receives them.</summary>
[NonParallelizable]
internal sealed class NativeCublasTests
{
    private const nint Handle = 0xb1a5;

    private FakeLibraries _libraries = null!;
    private NativeModule _module = null!;
    private NativeCublas _cublas = null!;

    [OneTimeSetUp]
    public void Load()
    {
        _libraries = FakeLibraries.Compile();
        _module = _libraries.Load(LibraryName.Cublas);
        _cublas = new NativeCublas(_module);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _cublas?.Dispose();
        _libraries?.Dispose();
    }

    [SetUp]
    public void Reset() => FakeLibraries.Reset(_module);

    [Test]
    public void Version_needs_no_handle() => Assert.That(_cublas.Version, Is.EqualTo(120_804));

    [Test]
    public void Calls_reach_C_with_their_arguments()
    {
        Assert.That(_cublas.Create(), Is.EqualTo(Handle));
        _cublas.SetStream(Handle, 0x57);
        _cublas.SetWorkspace(Handle, new DevicePointer(0x7f00_0000_0000), 33_554_432);
        Gemm();
        _cublas.Destroy(Handle);
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[]
        {
            "cublasCreate_v2()", "cublasSetStream_v2(b1a5, 57)", "cublasSetWorkspace_v2(b1a5, 7f0000000000, 33554432)",
            "cublasGemmEx(b1a5, 1 0, 10 20 30, 0.5, aa 14 32, bb 14 40, 2, cc 0 16, 77, -1)", "cublasDestroy_v2(b1a5)",
        }));
    }

    [Test]
    public void Failed_product_names_sizes_and_types()
    {
        FakeLibraries.Fail(_module, "cublasGemmEx", 13);
        CudaException exception = Assert.Throws<CudaException>(Gemm)!;
        Assert.That(exception.Message, Does.StartWith(
            "cuBLAS answered CUBLAS_STATUS_EXECUTION_FAILED (13) to cublasGemmEx(Transpose, None, m 10, n 20, k 30, A BFloat16 "
            + "0xaa ld 32, "
            + "B BFloat16 0xbb ld 40, C Float32 0xcc ld 16, Float32FastTensorFloat32)"));
    }

    [Test]
    public void Failed_call_is_named()
    {
        FakeLibraries.Fail(_module, "cublasSetStream_v2", 7);
        Assert.That(
            () => _cublas.SetStream(Handle, 0x57),
            Throws.TypeOf<CudaException>().With.Message.Contains("to cublasSetStream_v2(handle, stream)"));
    }

    [Test]
    public void Product_allocates_nothing() => Assert.That(Allocations.LeastBytesOfThread(Gemm), Is.Zero);

    private void Gemm() => _cublas.Gemm(
        Handle, CublasOperation.Transpose, CublasOperation.None, 10, 20, 30, 0.5f,
        new CublasMatrix(new DevicePointer(0xaa), CudaDataType.BFloat16, 32),
        new CublasMatrix(new DevicePointer(0xbb), CudaDataType.BFloat16, 40),
        2f, new CublasMatrix(new DevicePointer(0xcc), CudaDataType.Float32, 16), CublasCompute.Float32FastTensorFloat32);
}
