using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Calls of the driver as C receives them.</summary>
[NonParallelizable]
internal sealed unsafe class NativeCudaDriverTests
{
    private const nint Stream = 0x57;
    private static readonly nuint Huge = unchecked((nuint)5_000_000_000);
    private static readonly DevicePointer A = new(0x7f00_1234_5600);
    private static readonly DevicePointer B = new(0x7f00_6543_2100);

    private FakeLibraries _libraries = null!;
    private NativeModule _module = null!;
    private NativeCudaDriver _driver = null!;

    /// <summary>Each call of the interface, and what C receives. ManagedCudaTests uses them too.</summary>
    public static TestCaseData[] Calls() =>
    [
        Call("Initialize", driver => ((NativeCudaDriver)driver).Initialize(), "cuInit(0)"),
        Call("DeviceCount", driver => Assert.That(driver.DeviceCount, Is.EqualTo(1)), "cuDeviceGetCount()"),
        Call("DeviceName", driver => Assert.That(driver.DeviceName(0), Is.EqualTo("Fake GPU")), "cuDeviceGetName(256, 40)"),
        Call(
            "Attribute", driver => Assert.That(driver.Attribute(DeviceAttribute.MultiprocessorCount, 0), Is.EqualTo(132)),
            "cuDeviceGetAttribute(16, 40)"),
        Call("TotalMemory", driver => Assert.That(driver.TotalMemory(0), Is.EqualTo(150ul << 30)), "cuDeviceTotalMem_v2(40)"),
        Call(
            "RetainPrimaryContext", driver => Assert.That(driver.RetainPrimaryContext(0), Is.EqualTo((nint)0xc0)),
            "cuDevicePrimaryCtxRetain(40)"),
        Call("ReleasePrimaryContext", driver => driver.ReleasePrimaryContext(0), "cuDevicePrimaryCtxRelease_v2(40)"),
        Call("SetCurrentContext", driver => driver.SetCurrentContext(0xc0), "cuCtxSetCurrent(c0)"),
        Call(
            "MemoryInfo", driver => Assert.That(driver.MemoryInfo(), Is.EqualTo((5ul << 32, 6ul << 32))), "cuMemGetInfo_v2()"),
        Call(
            "AllocateHost", driver => Assert.That((nint)driver.AllocateHost(Huge), Is.EqualTo((nint)0x1234)),
            "cuMemHostAlloc(5000000000, 1)"),
        Call("FreeHost", driver => driver.FreeHost((void*)0x1234), "cuMemFreeHost(1234)"),
        Call(
            "CopyToDevice", driver => driver.CopyToDevice(A, (void*)0x99, Huge, Stream),
            "cuMemcpyHtoDAsync_v2(7f0012345600, 99, 5000000000, 57)"),
        Call(
            "CopyToHost", driver => driver.CopyToHost((void*)0x99, A, Huge, Stream),
            "cuMemcpyDtoHAsync_v2(99, 7f0012345600, 5000000000, 57)"),
        Call(
            "CopyOnDevice", driver =>
                driver.CopyOnDevice(A, B, 7, Stream), "cuMemcpyDtoDAsync_v2(7f0012345600, 7f0065432100, 7, 57)"),
        Call(
            "Fill", driver =>
                driver.Fill(A, 0xdeadbeef, Huge, Stream), "cuMemsetD32Async(7f0012345600, deadbeef, 5000000000, 57)"),
        Call("CreateStream", driver => Assert.That(driver.CreateStream(), Is.EqualTo((nint)0x57)), "cuStreamCreate(1)"),
        Call("DestroyStream", driver => driver.DestroyStream(Stream), "cuStreamDestroy_v2(57)"),
        Call("Synchronize", driver => driver.Synchronize(Stream), "cuStreamSynchronize(57)"),
        Call("CreateEvent", driver => Assert.That(driver.CreateEvent(), Is.EqualTo((nint)0xe7)), "cuEventCreate(0)"),
        Call("DestroyEvent", driver => driver.DestroyEvent(0xe7), "cuEventDestroy_v2(e7)"),
        Call("Record", driver => driver.Record(0xe7, Stream), "cuEventRecord(e7, 57)"),
        Call("SynchronizeEvent", driver => driver.SynchronizeEvent(0xe7), "cuEventSynchronize(e7)"),
        Call("IsReached", driver => Assert.That(driver.IsReached(0xe7), Is.True), "cuEventQuery(e7)"),
        Call(
            "Milliseconds", driver =>
                Assert.That(driver.Milliseconds(0xe7, 0xe8), Is.EqualTo(1.5f)), "cuEventElapsedTime(e7, e8)"),
        Call(
            "LoadModule", driver => Assert.That(driver.LoadModule(".version 7.8\0"u8), Is.EqualTo((nint)0x30d)),
            "cuModuleLoadDataEx(.version 7.8, 2, 5, 6, 16384)"),
        Call("UnloadModule", driver => driver.UnloadModule(0x30d), "cuModuleUnload(30d)"),
        Call(
            "Function", driver => Assert.That(driver.Function(0x30d, "sgd_step"), Is.EqualTo((nint)0xf1)),
            "cuModuleGetFunction(30d, sgd_step)"),
        Call("BeginCapture", driver => driver.BeginCapture(Stream), "cuStreamBeginCapture_v2(57, 1)"),
        Call("EndCapture", driver => Assert.That(driver.EndCapture(Stream), Is.EqualTo((nint)0x96)), "cuStreamEndCapture(57)"),
        Call("DestroyGraph", driver => driver.DestroyGraph(0x96), "cuGraphDestroy(96)"),
        Call(
            "Instantiate", driver =>
                Assert.That(driver.Instantiate(0x96), Is.EqualTo((nint)0xee)), "cuGraphInstantiateWithFlags(96, 0)"),
        Call("LaunchGraph", driver => driver.LaunchGraph(0xee, Stream), "cuGraphLaunch(ee, 57)"),
        Call("DestroyExecutable", driver => driver.DestroyExecutable(0xee), "cuGraphExecDestroy(ee)"),
    ];

    [OneTimeSetUp]
    public void Load()
    {
        _libraries = FakeLibraries.Compile();
        _module = _libraries.Load(LibraryName.Driver);
        _driver = new NativeCudaDriver(_module);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _driver?.Dispose();
        _libraries?.Dispose();
    }

    [SetUp]
    public void Reset() => FakeLibraries.Reset(_module);

    [TestCaseSource(nameof(Calls))]
    public void Call_reaches_C_with_its_arguments(Action<ICudaDriver> call, string expected)
    {
        call(_driver);
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[] { expected }));
    }

    [TestCaseSource(nameof(Calls))]
    public void Status_is_thrown_with_the_call(Action<ICudaDriver> call, string expected)
    {
        string function = expected[..expected.IndexOf('(', StringComparison.Ordinal)];
        FakeLibraries.Fail(_module, function, 2);
        CudaException exception = Assert.Throws<CudaException>(() => call(_driver))!;
        Assert.That(
            exception.Message,
            Does.StartWith($"The CUDA driver answered CUDA_ERROR_OUT_OF_MEMORY (2) to {function}(").And.Contain(
                "not enough memory on the GPU"));
        Assert.That(exception.Status, Is.EqualTo(2));
        Assert.That(exception.IsOutOfMemory, Is.True);
    }

    [Test]
    public void Version_is_the_drivers() => Assert.That(_driver.Version, Is.EqualTo(13_000));

    [Test]
    public void Memory_is_stream_ordered_where_there_are_pools()
    {
        FakeLibraries.SetPools(_module, true);
        DevicePointer pointer = _driver.Allocate(Huge, Stream);
        _driver.Free(pointer, Stream);
        Assert.That(pointer, Is.EqualTo(new DevicePointer(0x7f00_0000_0200)));
        Assert.That(
            FakeLibraries.Calls(_module).Where(call => call.StartsWith("cuMem", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "cuMemAllocAsync(5000000000, 57)", "cuMemFreeAsync(7f0000000200, 57)" }));
    }

    [Test]
    public void Memory_without_pools_is_freed_after_the_stream()
    {
        FakeLibraries.SetPools(_module, false);
        DevicePointer pointer = _driver.Allocate(4096, Stream);
        _driver.Free(pointer, Stream);
        FakeLibraries.SetPools(_module, true);
        Assert.That(
            FakeLibraries.Calls(_module).Where(call => !call.StartsWith("cuDevice", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "cuMemAlloc_v2(4096)", "cuStreamSynchronize(57)", "cuMemFree_v2(7f0000000100)" }));
    }

    [Test]
    public void Launch_passes_grid_stream_and_parameters()
    {
        nint function = _driver.Function(0x30d, "sgd_step");
        FakeLibraries.Reset(_module);
        Launch(function);
        Assert.That(
            FakeLibraries.Calls(_module), Is.EqualTo(new[] { "cuLaunchKernel(f1, 1000 2 3, 256 4 5, 0, 57, -7 0.125, 0)" }));
    }

    [Test]
    public void Failed_launch_names_kernel_and_grid()
    {
        nint function = _driver.Function(0x30d, "sgd_step");
        FakeLibraries.Fail(_module, "cuLaunchKernel", 701);
        CudaException exception = Assert.Throws<CudaException>(() => Launch(function))!;
        Assert.That(exception.Message, Does.Contain(
            "cuLaunchKernel(sgd_step, 1000 x 2 x 3 blocks of 256 x 4 x 5 threads)").And.Contain("registers"));
    }

    [Test]
    public void Launch_allocates_nothing()
    {
        nint function = _driver.Function(0x30d, "sgd_step");
        Assert.That(Allocations.LeastBytesOfThread(() => Launch(function)), Is.Zero);
    }

    [Test]
    public void Rejected_ptx_brings_the_compilers_log()
    {
        FakeLibraries.Fail(_module, "cuModuleLoadDataEx", 218);
        CudaException exception = Assert.Throws<CudaException>(() => _driver.LoadModule("nonsense\0"u8))!;
        Assert.That(exception.Message, Does.EndWith("it says: ptxas fatal : line 7 is nonsense"));
    }

    [Test]
    public void Ptx_without_its_end_is_refused() =>
        Assert.That(() => _driver.LoadModule(".version 7.8"u8), Throws.ArgumentException.With.Message.Contains("0 byte"));

    [Test]
    public void Unknown_device_is_an_error() => Assert.That(
        () => _driver.DeviceName(3),
        Throws.TypeOf<CudaException>().With.Message.Contains("cuDeviceGet(&device, ordinal)").And.Message.Contains(
            "there is no such GPU"));

    private static TestCaseData Call(string name, Action<ICudaDriver> call, string expected) =>
        new TestCaseData(call, expected).SetArgDisplayNames(name);

    private void Launch(nint function)
    {
        int first = -7;
        double second = 0.125;
        void** parameters = stackalloc void*[] { &first, &second };
        _driver.Launch(function, new LaunchGrid(1000, 2, 3, 256, 4, 5), Stream, parameters);
    }
}
