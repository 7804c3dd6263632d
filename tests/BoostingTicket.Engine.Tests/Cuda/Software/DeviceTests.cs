using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>What the driver answers: contexts, memory, streams, events, capture and graphs.</summary>
internal sealed unsafe class DeviceTests : SoftwareFixture
{
    private const string AddOne = """
        ld.param.u64 %rd1, [out]; ld.param.u32 %r3, [step]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd1, %r1, 4, %rd1;
        ld.global.u32 %r2, [%rd1]; add.u32 %r2, %r2, %r3; st.global.u32 [%rd1], %r2;
        """;

    [Test]
    public void Describes_itself()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Device.DeviceCount, Is.EqualTo(1));
            Assert.That(Device.DeviceName(0), Is.EqualTo("Software CUDA device"));
            Assert.That(Device.Attribute(DeviceAttribute.ComputeCapabilityMajor, 0), Is.GreaterThanOrEqualTo(7));
            Assert.That(Device.Attribute(DeviceAttribute.MaxThreadsPerBlock, 0), Is.EqualTo(1024));
            Assert.That(
                Enum.GetValues<DeviceAttribute>().Select(attribute => Device.Attribute(attribute, 0)), Is.All.Not.Negative);
            Assert.That(Device.TotalMemory(0), Is.EqualTo(64 << 20));
            Assert.That(Status(() => Device.DeviceName(1)), Is.EqualTo(101));
        }
    }

    [Test]
    public void Calls_need_a_context_of_their_thread()
    {
        string? report = null;
        var thread = new Thread(() => report = Assert.Throws<SoftwareCudaException>(() => Device.CreateStream())!.Message);
        thread.Start();
        thread.Join();
        Assert.That(report, Does.Contain("cuStreamCreate: no context is current for the calling thread"));
        Device.SetCurrentContext(0);
        Assert.That(Defect(() => Device.Synchronize(Stream)), Does.Contain("no context"));
        Assert.That(Defect(() => Device.SetCurrentContext(77)), Does.Contain("is no context"));
    }

    [Test]
    public void Memory_ends()
    {
        (ulong free, ulong total) = Device.MemoryInfo();
        Assert.That((free, total), Is.EqualTo((64ul << 20, 64ul << 20)));
        DevicePointer most = Device.Allocate(60 << 20, Stream);
        Assert.That(Device.MemoryInfo().Free, Is.EqualTo(4 << 20));
        var error = Assert.Throws<CudaException>(() => Device.Allocate(5 << 20, Stream))!;
        Assert.That((error.Status, error.IsOutOfMemory), Is.EqualTo((2, true)));
        Assert.That(error.Message, Does.Contain("CUDA_ERROR_OUT_OF_MEMORY"));
        Free(most);
        Assert.That(Device.PeakMemory, Is.EqualTo(60 << 20));
    }

    [Test]
    public void Addresses_are_aligned_to_256_and_not_reused()
    {
        var seen = new HashSet<ulong>();
        for (int i = 0; i < 20; i++)
        {
            DevicePointer pointer = Device.Allocate(1000, Stream);
            Assert.That(pointer.Address % 256, Is.Zero);
            Assert.That(seen.Add(pointer.Address), Is.True);
            Free(pointer);
        }
        Assert.That(seen.Count(address => address % 512 != 0), Is.GreaterThan(5), "more than 256 is not promised");
    }

    [Test]
    public void Copies_and_fills()
    {
        DevicePointer a = Upload<uint>(1, 2, 3, 4), b = Allocate<uint>(4);
        Device.Fill(b, 9, 4, Stream);
        Device.CopyOnDevice(b + 4, a, 8, Stream);
        Assert.That(Download<uint>(b, 4), Is.EqualTo([9u, 1u, 2u, 9u]));
        Assert.That(Defect(() => Device.CopyOnDevice(a + 4, a, 8, Stream)), Does.Contain("overlap"));
        Assert.That(Defect(() => Device.Fill(a + 2, 9, 1, Stream)), Does.Contain("no multiple of 4"));
        Assert.That(Defect(() => Device.Fill(a, 9, 5, Stream)), Does.Contain("out of bounds: bytes 0 to 19"));
        Device.Forget(a + 4, 4);
        Assert.That(Defect(() => Download<uint>(a, 4)), Does.Contain("nobody wrote: byte 4"));
    }

    [Test]
    public void Results_in_page_locked_memory_are_there_after_waiting()
    {
        DevicePointer a = Upload<uint>(1, 2);
        uint* host = (uint*)Device.AllocateHost(8);
        Device.CopyToHost(host, a, 8, Stream);
        Assert.That(host[0], Is.EqualTo(0xffffffff), "not before");
        Device.Synchronize(Stream);
        Assert.That((host[0], host[1]), Is.EqualTo((1u, 2u)));
        Device.CopyToDevice(a, host, 8, Stream);
        host[1] = 77;
        Assert.That(Defect(() => Device.Synchronize(Stream)), Does.Contain("changed 8 bytes of page-locked memory"));
        Device.CopyToDevice(a, host, 8, Stream);
        Assert.That(Defect(() => Device.FreeHost(host)), Does.Contain("a copy that was not waited for uses the memory"));
        Device.Synchronize(Stream);
        Device.FreeHost(host);
        Assert.That(Defect(() => Device.FreeHost(host)), Does.Contain("is no page-locked memory"));
    }

    [Test]
    public void Events_take_the_time()
    {
        nint start = Device.CreateEvent(), end = Device.CreateEvent();
        Assert.That(Status(() => Device.Milliseconds(start, end)), Is.EqualTo(400));
        Device.Record(start, Stream);
        Thread.Sleep(2);
        Device.Record(end, Stream);
        Device.SynchronizeEvent(end);
        Assert.That(Device.Milliseconds(start, end), Is.GreaterThan(1));
        Device.DestroyEvent(start);
        Assert.That(Defect(() => Device.Record(start, Stream)), Does.Contain("is no event"));
    }

    [Test]
    public void Graphs_repeat_what_was_captured()
    {
        nint function = LoadKernel("add", ".param .u64 out, .param .u32 step", AddOne);
        DevicePointer memory = Upload<uint>(10, 20);
        int calls = 0;
        Device.BeginCapture(Stream);
        Launch(function, new LaunchGrid(1, 2), memory.Address, 1);
        Launch(function, new LaunchGrid(1, 2), memory.Address, 5);
        Device.Submit(Stream, "library", () => calls++);
        nint graph = Device.EndCapture(Stream);
        Assert.That(Download<uint>(memory, 2), Is.EqualTo([10u, 20u]), "captured, not run");
        nint executable = Device.Instantiate(graph);
        Device.DestroyGraph(graph);
        for (int i = 0; i < 3; i++)
            Device.LaunchGraph(executable, Stream);
        Assert.That(Download<uint>(memory, 2), Is.EqualTo([28u, 38u]));
        Assert.That((calls, Device.Coverage.Calls["library"], Device.Coverage.Kernels["add"]), Is.EqualTo((3, 3L, 6L)));
        Device.DestroyExecutable(executable);
        Assert.That(Defect(() => Device.LaunchGraph(executable, Stream)), Does.Contain("is no executable graph"));
        Free(memory);
    }

    [Test]
    public void A_capture_refuses_to_wait_and_to_allocate()
    {
        Device.BeginCapture(Stream);
        Assert.That(Status(() => Device.Synchronize(Stream)), Is.EqualTo(900));
        Assert.That(Status(() => Device.EndCapture(Stream)), Is.EqualTo(901), "it is broken");
        Device.BeginCapture(Stream);
        Assert.That(Status(() => Device.Allocate(100, Stream)), Is.EqualTo(900));
        Assert.That(Status(() => Device.EndCapture(Stream)), Is.EqualTo(901));
        Device.BeginCapture(Stream);
        Assert.That(Status(() => Device.BeginCapture(Stream)), Is.EqualTo(1));
        nint mark = Device.CreateEvent();
        Device.Record(mark, Stream);
        Assert.That(Status(() => Device.SynchronizeEvent(mark)), Is.EqualTo(907));
        Device.DestroyGraph(Device.EndCapture(Stream));
        Assert.That(Status(() => Device.EndCapture(Stream)), Is.EqualTo(1), "nothing is captured");
    }

    [Test]
    public void Captured_copies_need_page_locked_memory()
    {
        DevicePointer memory = Allocate<uint>(2);
        uint* host = (uint*)Device.AllocateHost(8);
        uint other = 1;
        uint* pageable = &other;
        Device.BeginCapture(Stream);
        Assert.That(Defect(() => Device.CopyToDevice(memory, pageable, 4, Stream)), Does.Contain("needs page-locked memory"));
        Device.CopyToDevice(memory, host, 8, Stream);
        nint executable = Device.Instantiate(Device.EndCapture(Stream));
        host[0] = 5;
        host[1] = 6;
        Device.LaunchGraph(executable, Stream);
        Device.Synchronize(Stream);
        Assert.That(Download<uint>(memory, 2), Is.EqualTo([5u, 6u]), "values of the time of the launch");
        Free(memory);
        Device.FreeHost(host);
    }

    [Test]
    public void Modules_must_be_PTX_for_this_device()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Status(() => Load("nonsense")), Is.EqualTo(218));
            Assert.That(Status(() => Load(".visible .entry k() { ret ")), Is.EqualTo(218));
            Assert.That(Status(() => Device.LoadModule(".version 7.8\n.target sm_90\n.address_size 64\n\0"u8)), Is.EqualTo(209));
            Assert.That(Defect(() => Device.LoadModule(".version 7.8"u8)), Does.Contain("does not end with a byte 0"));
            nint module = Load(Kernel("present", "", ""));
            Assert.That(Status(() => Device.Function(module, "absent")), Is.EqualTo(500));
            nint function = Device.Function(module, "present");
            Device.UnloadModule(module);
            Assert.That(Defect(() => Launch(function, new LaunchGrid(1, 1))), Does.Contain("is no function"));
        }
    }

    [Test]
    public void Handles_must_be_known()
    {
        nint stream = Device.CreateStream();
        Device.DestroyStream(stream);
        Assert.That(Defect(() => Device.Synchronize(stream)), Does.Contain("is no stream (or no longer)"));
        Assert.That(Defect(() => Device.Submit(12, "gemm", () => { })), Does.Contain("gemm: 0xc is no stream"));
        Assert.That(Defect(() => Device.Instantiate(1)), Does.Contain("is no graph"));
    }

    [Test]
    public void Coverage_counts_launches_and_instructions()
    {
        nint function = LoadKernel(
            "half", ".param .u32 a",
            "ld.param.u32 %r1, [a]; setp.eq.u32 %p1, %r1, 0; @%p1 bra DONE; mov.u32 %r2, 1; mov.u32 %r2, 2; DONE:");
        Assert.That(Device.Coverage.Kernels["half"], Is.Zero);
        Launch(function, new LaunchGrid(1, 32), 0);
        double partial = Device.Coverage.InstructionsCovered("half");
        Launch(function, new LaunchGrid(2, 32), 1);
        Assert.That(partial, Is.LessThan(Device.Coverage.InstructionsCovered("half")));
        Assert.That(Device.Coverage.Report(), Does.Contain("1 of 1 kernels launched").And.Contain("half: 2 launches"));
    }

    [Test]
    public void Counts_the_instructions_of_all_threads()
    {
        nint function = LoadKernel(
            "busy", ".param .u64 out",
            """
            ld.param.u64 %rd1, [out]; mov.u32 %r1, %tid.x; mov.u32 %r2, 0; mov.f32 %f1, 0f3F800000;
            LOOP: fma.rn.f32 %f1, %f1, 0f3F000000, 0f3F800000; add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, 1000; @%p1 bra LOOP;
            """);
        DevicePointer output = Allocate<float>(1);
        // The last branch back is not taken, and does not count.
        long before = Device.ThreadInstructions;
        for (int i = 0; i < 10; i++)
            Launch(function, new LaunchGrid(1, 256), output.Address);
        Assert.That(Device.ThreadInstructions - before, Is.EqualTo(10L * 256 * (4 + 3999 + 1)));
        Free(output);
    }

    private static int Status(Action action) => Assert.Throws<CudaException>(() => action())!.Status;
}
