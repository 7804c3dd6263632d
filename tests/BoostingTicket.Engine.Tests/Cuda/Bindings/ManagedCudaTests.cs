using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>The same calls through ManagedCuda. Only in builds with <c>-p:CudaBinding=ManagedCuda</c>.</summary>
[NonParallelizable]
internal sealed unsafe class ManagedCudaTests
{
    private const nint Handle = 0xb1a5;

    private FakeLibraries _fake = null!;
    private NativeModule _driver = null!;
    private NativeModule _cublas = null!;
    private CudaLibraries _libraries = null!;

    [OneTimeSetUp]
    public void Open()
    {
        _fake = FakeLibraries.Compile();
        var inventory = new CudaInventory(_fake.Host);
        _driver = inventory.DriverModule!;
        _cublas = inventory.CublasModule!;
        _libraries = CudaLibraries.Open(inventory);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _libraries?.Dispose();
        _fake?.Dispose();
    }

    [SetUp]
    public void Reset()
    {
        FakeLibraries.Reset(_driver);
        FakeLibraries.Reset(_cublas);
    }

    [Test]
    public void Build_says_which_binding_it_has()
    {
        Assert.That(CudaLibraries.Binding, Is.EqualTo("ManagedCuda"));
        Assert.That(_libraries.Driver, Is.TypeOf<ManagedCudaDriver>());
        Assert.That(_libraries.Cublas, Is.TypeOf<ManagedCublas>());
        Assert.That(_libraries.Description, Does.EndWith(", through ManagedCuda"));
    }

    // ManagedCudaDriver starts the driver in its constructor.
    private static IEnumerable<TestCaseData> Calls() =>
        NativeCudaDriverTests.Calls().Where(data => !((string)data.Arguments[1]!).StartsWith("cuInit", StringComparison.Ordinal));

    [TestCaseSource(nameof(Calls))]
    public void Call_reaches_C_with_its_arguments(Action<ICudaDriver> call, string expected)
    {
        call(_libraries.Driver);
        Assert.That(FakeLibraries.Calls(_driver), Is.EqualTo(new[] { expected }));
    }

    [Test]
    public void Memory_is_stream_ordered_where_there_are_pools()
    {
        _libraries.Driver.Free(_libraries.Driver.Allocate(4096, 0x57), 0x57);
        Assert.That(
            FakeLibraries.Calls(_driver).Where(call => call.StartsWith("cuMem", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "cuMemAllocAsync(4096, 57)", "cuMemFreeAsync(7f0000000200, 57)" }));
    }

    [Test]
    public void Launch_passes_grid_stream_and_parameters_and_allocates_nothing()
    {
        nint function = _libraries.Driver.Function(0x30d, "sgd_step");
        FakeLibraries.Reset(_driver);
        Launch(function);
        Assert.That(
            FakeLibraries.Calls(_driver), Is.EqualTo(new[] { "cuLaunchKernel(f1, 1000 2 3, 256 4 5, 0, 57, -7 0.125, 0)" }));
        Assert.That(Allocations.LeastBytesOfThread(() => Launch(function)), Is.Zero);
    }

    [Test]
    public void Status_is_thrown_with_the_call()
    {
        FakeLibraries.Fail(_driver, "cuStreamCreate", 2);
        Assert.That(
            () => _libraries.Driver.CreateStream(),
            Throws.TypeOf<CudaException>().With.Message.StartsWith(
                "The CUDA driver answered CUDA_ERROR_OUT_OF_MEMORY (2) to cuStreamCreate("));
    }

    [Test]
    public void Rejected_ptx_brings_the_compilers_log()
    {
        FakeLibraries.Fail(_driver, "cuModuleLoadDataEx", 218);
        Assert.That(
            () => _libraries.Driver.LoadModule("nonsense\0"u8),
            Throws.TypeOf<CudaException>().With.Message.EndsWith("it says: ptxas fatal : line 7 is nonsense"));
    }

    [Test]
    public void Cublas_calls_reach_C_with_their_arguments()
    {
        ICublas cublas = _libraries.Cublas;
        Assert.That(cublas.Create(), Is.EqualTo(Handle));
        cublas.SetStream(Handle, 0x57);
        cublas.SetWorkspace(Handle, new DevicePointer(0x7f00_0000_0000), 33_554_432);
        Gemm();
        cublas.Destroy(Handle);
        Assert.That(FakeLibraries.Calls(_cublas), Is.EqualTo(new[]
        {
            "cublasCreate_v2()", "cublasSetStream_v2(b1a5, 57)", "cublasSetWorkspace_v2(b1a5, 7f0000000000, 33554432)",
            "cublasGemmEx(b1a5, 1 0, 10 20 30, 0.5, aa 14 32, bb 14 40, 2, cc 0 16, 77, -1)", "cublasDestroy_v2(b1a5)",
        }));
        Assert.That(Allocations.LeastBytesOfThread(Gemm), Is.Zero);
    }

    [Test]
    public void Failed_product_is_thrown_with_its_name()
    {
        FakeLibraries.Fail(_cublas, "cublasGemmEx", 13);
        Assert.That(Gemm, Throws.TypeOf<CudaException>().With.Message.StartsWith(
            "cuBLAS answered CUBLAS_STATUS_EXECUTION_FAILED (13) to cublasGemmEx("));
    }

    private void Launch(nint function)
    {
        int first = -7;
        double second = 0.125;
        void** parameters = stackalloc void*[] { &first, &second };
        _libraries.Driver.Launch(function, new LaunchGrid(1000, 2, 3, 256, 4, 5), 0x57, parameters);
    }

    private void Gemm() => _libraries.Cublas.Gemm(
        Handle, CublasOperation.Transpose, CublasOperation.None, 10, 20, 30, 0.5f,
        new CublasMatrix(new DevicePointer(0xaa), CudaDataType.BFloat16, 32),
        new CublasMatrix(new DevicePointer(0xbb), CudaDataType.BFloat16, 40),
        2f, new CublasMatrix(new DevicePointer(0xcc), CudaDataType.Float32, 16), CublasCompute.Float32FastTensorFloat32);
}
