using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Kernels with a planted defect: each is reported by its name, with kernel, instruction and thread.</summary>
internal sealed class DefectTests : SoftwareFixture
{
    private const string Address = "ld.param.u64 %rd1, [out]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd1, %r1, 4, %rd1;";

    [Test]
    public void A_store_behind_the_end()
    {
        string report = Run(Address + "st.global.u32 [%rd1+4], %r1;", 8, 32);
        Assert.That(
            report,
            Does.Contain("Kernel defective: write of 4 bytes out of bounds: 0x").And.Contain("1 bytes behind the last byte of")
                .And.Contain("(32 bytes)").And.Contain("'st.global.u32 [%rd1+4], %r1' (PTX line 7)")
                .And.Contain("block (0, 0, 0) of (1, 1, 1), thread (7, 0, 0) of (8, 1, 1)"));
    }

    [Test]
    public void A_load_that_crosses_the_end()
    {
        DevicePointer memory = Upload<uint>(1, 2, 3);
        nint function = LoadKernel(
            "defective", ".param .u64 out", "ld.param.u64 %rd1, [out]; ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd1];");
        string report = Defect(() => Launch(function, new LaunchGrid(1, 1), memory.Address));
        Assert.That(report, Does.Contain("read of 16 bytes out of bounds: bytes 0 to 15").And.Contain("ends after byte 11"));
    }

    [Test]
    public void A_store_before_the_start() =>
        Assert.That(
            Run(Address + "st.global.u32 [%rd1-4], %r1;", 8, 32),
            Does.Contain("4 bytes before allocation").And.Contain("thread (0, 0, 0)"));

    [Test]
    public void A_read_of_an_output_that_nobody_wrote()
    {
        string report = Run(
            Address + "setp.ne.u32 %p1, %r1, 5; @%p1 st.global.u32 [%rd1], %r1; ld.global.u32 %r2, [%rd1];", 8, 32);
        Assert.That(report, Does.Contain("read of memory that nobody wrote: byte 20 of").And.Contain("thread (5, 0, 0)"));
    }

    [Test]
    public void An_output_that_is_copied_though_nobody_wrote_it()
    {
        DevicePointer output = Allocate<uint>(8);
        nint function = LoadKernel(
            "incomplete", ".param .u64 out", Address + "setp.ne.u32 %p1, %r1, 5; @%p1 st.global.u32 [%rd1], %r1;");
        Launch(function, new LaunchGrid(1, 8), output.Address);
        Assert.That(
            Defect(() => Download<uint>(output, 8)),
            Does.Contain("cuMemcpyDtoHAsync: read of memory that nobody wrote: byte 20"));
    }

    [Test]
    public void A_misaligned_vector() =>
        Assert.That(
            Run(Address + "st.global.v2.u32 [%rd1], {%r1, %r1};", 8, 64),
            Does.Contain("misaligned write: address 0x").And.Contain("no multiple of 8").And.Contain("thread (1, 0, 0)"));

    [Test]
    public void A_use_after_free()
    {
        nint function = LoadKernel("late", ".param .u64 out", Address + "st.global.u32 [%rd1], %r1;");
        DevicePointer memory = Allocate<uint>(8);
        Free(memory);
        string report = Defect(() => Launch(function, new LaunchGrid(1, 8), memory.Address));
        Assert.That(report, Does.Contain("Kernel late: write of 4 bytes use after free of allocation 1 (32 bytes), byte 0"));
    }

    [Test]
    public void A_barrier_that_a_part_never_reaches()
    {
        string report = Run(
            Address + "setp.ge.u32 %p1, %r1, 40; @%p1 bra SKIP; bar.sync 0; SKIP: st.global.u32 [%rd1], %r1;", 64, 256);
        Assert.That(
            report,
            Does.Contain("barrier not reached by all: 40 of 64 threads wait").And.Contain("thread (40, 0, 0) has ended at 'ret'")
                .And.Contain("'bar.sync 0'"));
    }

    [Test]
    public void A_barrier_that_threads_which_returned_never_reach() =>
        Assert.That(
            Run(Address + "setp.eq.u32 %p1, %r1, 3; @%p1 ret; bar.sync 0;", 64, 256),
            Does.Contain("barrier not reached by all: 63 of 64 threads wait").And.Contain("thread (3, 0, 0) has ended"));

    [Test]
    public void Two_barriers_for_the_two_ways_of_a_branch() =>
        Assert.That(
            Run(
                Address + "setp.ge.u32 %p1, %r1, 32; @%p1 bra OTHER; bar.sync 0; bra.uni DONE; OTHER: bar.sync 0; DONE:", 64,
                256),
            Does.Contain("barrier not reached by all: this thread waits at another one"));

    [TestCase("ld.shared.u32 %r5, [%r4];")]
    [TestCase("st.shared.u32 [%r4], %r1;")]
    public void A_missing_barrier_after_a_store(string access)
    {
        string report = Run(
            Address
                + ".shared .align 4 .b8 buffer[256]; mov.u32 %r2, buffer; mad.lo.u32 %r3, %r1, 4, %r2; st.shared.u32 [%r3], %r1;"
            + $"xor.b32 %r4, %r1, 1; mad.lo.u32 %r4, %r4, 4, %r2; {access}", 64, 256);
        Assert.That(
            report,
            Does.Contain(
                "missing barrier: byte 4 of shared memory (byte 4 of buffer) was written by thread (1, 0, 0) at "
                + "'st.shared.u32 [%r3], %r1' (PTX line 7) and nothing orders the two accesses")
                .And.Contain($"; at '{access.TrimEnd(';')}' (PTX line 7), block (0, 0, 0) of (1, 1, 1), thread (0, 0, 0)"));
    }

    [Test]
    public void A_missing_barrier_after_a_load()
    {
        string report = Run(
            Address
                + ".shared .align 4 .b8 buffer[256]; mov.u32 %r2, buffer; mad.lo.u32 %r3, %r1, 4, %r2; st.shared.u32 [%r3], %r1;"
            + "bar.sync 0; xor.b32 %r4, %r1, 1; mad.lo.u32 %r4, %r4, 4, %r2; ld.shared.u32 %r5, [%r4]; add.u32 %r5, %r5, 1;"
            + "st.shared.u32 [%r3], %r5;", 64, 256);
        Assert.That(report, Does.Contain("byte 0 of shared memory (byte 0 of buffer) was read by thread (1, 0, 0) at"));
    }

    [Test]
    public void A_barrier_of_the_warp_does_not_order_other_warps()
    {
        string report = Run(
            Address
                + ".shared .align 4 .b8 buffer[256]; mov.u32 %r2, buffer; mad.lo.u32 %r3, %r1, 4, %r2; st.shared.u32 [%r3], %r1;"
            + "bar.warp.sync -1; xor.b32 %r4, %r1, 32; mad.lo.u32 %r4, %r4, 4, %r2; ld.shared.u32 %r5, [%r4];", 64, 256);
        Assert.That(report, Does.Contain("byte 128 of shared memory (byte 128 of buffer) was written by thread (32, 0, 0) at"));
    }

    [Test]
    public void Shared_memory_out_of_bounds_or_never_written()
    {
        const string Buffer = ".shared .align 4 .b8 buffer[128]; mov.u32 %r2, buffer; mad.lo.u32 %r3, %r1, 4, %r2;";
        string outside = Run(Address + Buffer + "st.shared.u32 [%r3+4], %r1;", 32, 128);
        string unwritten = Run(Address + Buffer + "ld.shared.u32 %r4, [%r3];", 32, 128);
        string generic = Run(Address + Buffer + "cvta.to.shared.u64 %rd2, %rd1;", 32, 128);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                outside, Does.Contain("out of bounds: bytes 128 to 131 of shared memory, of which the kernel declares 128"));
            Assert.That(unwritten, Does.Contain("read of shared memory that nobody wrote: byte 0"));
            Assert.That(generic, Does.Contain("is not an address of that space"));
        }
    }

    [Test]
    public void Own_memory_out_of_bounds_or_never_written()
    {
        const string Depot = ".local .align 4 .b8 depot[16]; mov.u64 %rd2, depot;";
        string outside = Run(Address + Depot + "st.local.u32 [%rd2+16], %r1;", 32, 128);
        string before = Run(Address + Depot + "st.local.u32 [%rd2-4], %r1;", 32, 128);
        string unwritten = Run(Address + Depot + "ld.local.u32 %r2, [%rd2];", 32, 128);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outside, Does.Contain("bytes 16 to 19 of the thread's own memory"));
            Assert.That(before, Does.Contain("of the thread's own memory, of which the kernel declares 16"));
            Assert.That(unwritten, Does.Contain("own memory that it did not write: byte 0"));
        }
    }

    [Test]
    public void Blocks_that_write_the_same_place()
    {
        nint function = LoadKernel(
            "blocks", ".param .u64 out", "ld.param.u64 %rd1, [out]; mov.u32 %r1, %ctaid.x; st.global.u32 [%rd1], %r1;");
        DevicePointer output = Allocate<uint>(1);
        string report = Defect(() => Launch(function, new LaunchGrid(4, 1), output.Address));
        Assert.That(
            report,
            Does.Contain("blocks race: byte 0 of")
                .And.Contain("was written by block (0, 0, 0), thread (0, 0, 0) at 'st.global")
                .And.Contain("block (1, 0, 0) of (4, 1, 1)"));
    }

    [Test]
    public void A_block_that_reads_what_another_writes()
    {
        nint reader = LoadKernel(
            "reader", ".param .u64 out",
            "ld.param.u64 %rd1, [out]; mov.u32 %r1, %ctaid.x; setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%rd1], %r1;"
            + "@!%p1 ld.global.u32 %r2, [%rd1];");
        nint writer = LoadKernel(
            "writer", ".param .u64 out",
            "ld.param.u64 %rd1, [out]; mov.u32 %r1, %ctaid.x; setp.eq.u32 %p1, %r1, 2; @!%p1 ld.global.u32 %r2, [%rd1];"
            + "@%p1 st.global.u32 [%rd1], %r1;");
        DevicePointer memory = Upload<uint>(5);
        string read = Defect(() => Launch(reader, new LaunchGrid(2, 1), memory.Address));
        string write = Defect(() => Launch(writer, new LaunchGrid(3, 1), memory.Address));
        Assert.That(read, Does.Contain("Kernel reader: blocks race: byte 0").And.Contain("was written by block (0, 0, 0)"));
        Assert.That(write, Does.Contain("Kernel writer: blocks race: byte 0").And.Contain("was read by block (1, 0, 0)"));
    }

    [Test]
    public void A_division_by_zero() =>
        Assert.That(
            Run(Address + "div.u32 %r2, 5, %r1;", 8, 32),
            Does.Contain("integer division by zero").And.Contain("thread (0, 0, 0)"));

    [Test]
    public void A_loop_without_end() =>
        Assert.That(
            Run("LOOP: bra LOOP;", 8, 32),
            Does.Contain("the block does not end within 100000 instructions").And.Contain("'bra LOOP'"));

    [Test]
    public void A_trap() => Assert.That(Run("trap;", 8, 32), Does.Contain("the kernel trapped"));

    [TestCase(1025u, 1u, "1025 threads are more than the 1024")]
    [TestCase(0u, 1u, "empty")]
    [TestCase(32u, 65536u, "65535")]
    public void A_launch_beyond_the_limits(uint threads, uint gridY, string expected)
    {
        nint function = LoadKernel("large", "", "");
        string report = Defect(() => Launch(function, new LaunchGrid(1, gridY, 1, threads, 1, 1)));
        Assert.That(report, Does.Contain("Kernel large: launch beyond the limits").And.Contain(expected));
    }

    [Test]
    public void A_launch_beyond_the_kernels_own_bounds()
    {
        nint bounded = LoadKernel("bounded", "", "", ".maxntid 256, 1, 1");
        nint exact = LoadKernel("exact", "", "", ".reqntid 16, 2");
        nint large = LoadKernel("large", "", ".shared .align 4 .b8 buffer[49156]; mov.u32 %r1, buffer;");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                Defect(() => Launch(bounded, new LaunchGrid(1, 288))),
                Does.Contain("288 threads are more than its launch bound of 256"));
            Assert.That(Defect(() => Launch(exact, new LaunchGrid(1, 32))), Does.Contain("must be of 16 x 2 threads"));
            Assert.That(Defect(() => Launch(large, new LaunchGrid(1, 32))), Does.Contain("49156 bytes of shared memory"));
            Assert.That(() => Launch(exact, new LaunchGrid(1, 1, 1, 16, 2, 1)), Throws.Nothing);
        }
    }

    [Test]
    public void Memory_that_is_never_freed()
    {
        var device = new SoftwareCudaDevice();
        device.SetCurrentContext(device.RetainPrimaryContext(0));
        nint stream = device.CreateStream();
        device.Free(device.Allocate(100, stream), stream);
        device.Allocate(200, stream);
        Assert.That(device.LeakReport(), Does.StartWith("allocation 2 (200 bytes) at 0x"));
        Assert.That(
            Assert.Throws<SoftwareCudaException>(device.Dispose)!.Message, Does.Contain("Memory leak: allocation 2 (200 bytes)"));
    }

    [Test]
    public void Frees_of_what_is_not_allocated()
    {
        DevicePointer memory = Allocate<uint>(8);
        Assert.That(Defect(() => Free(memory + 4)), Does.Contain("is not the start of an allocation"));
        Free(memory);
        Assert.That(Defect(() => Free(memory)), Does.Contain("was freed before"));
    }

    [Test]
    public void Parameters_that_are_not_given()
    {
        nint function = LoadKernel("hungry", ".param .u64 a, .param .u32 b", "");
        unsafe
        {
            ulong a = 1;
            void** addresses = stackalloc void*[] { &a, null };
            nint stream = Stream;
            string report = Defect(() => Device.Launch(function, new LaunchGrid(1, 1), stream, addresses));
            Assert.That(report, Does.Contain("Kernel hungry: the value of parameter 1 (b) is not given"));
            Assert.That(
                Defect(() => Device.Launch(function, new LaunchGrid(1, 1), stream, null)),
                Does.Contain("2 parameters and none is given"));
        }
    }

    [TestCase("frobnicate.u32 %r1, %r2;", "the instruction 'frobnicate' is unknown")]
    [TestCase("add.fancy.u32 %r1, %r2, %r3;", "the modifier .fancy is unknown there")]
    [TestCase("add.rz.f64 %fd1, %fd2, %fd3;", "rounded to nearest only")]
    [TestCase("div.f32 %f1, %f2, %f3;", "it needs a rounding, .approx or .full")]
    [TestCase("add.u32 %r1, %r2;", "it has only 2 operands")]
    [TestCase("add.u64 %rd1, %rd2, %r3;", "a register of type .b32 stands where .u64 is needed")]
    [TestCase("bra NOWHERE;", "there is no label NOWHERE")]
    [TestCase("shfl.down.b32 %r1, %r2, 1, 31;", "need .sync")]
    [TestCase("mov.u64 %rd1, nothing;", "'nothing' is not declared")]
    [TestCase("call.uni vprintf, (%rd1);", "no function vprintf")]
    [TestCase("ld.param.u32 %r1, [out+8];", "outside the parameter of 8 bytes")]
    [TestCase("ld.global.v4.u64 {%rd1, %rd2, %rd3, %rd4}, [%rd5];", "its size is not one of 1 to 16 bytes")]
    public void An_instruction_that_is_not_known(string instruction, string expected)
    {
        string report = Defect(() => LoadKernel("odd", ".param .u64 out", instruction));
        Assert.That(report, Does.Contain($"'{instruction.TrimEnd(';')}' (PTX line 7)").And.Contain(expected));
    }

    private string Run(string body, uint threads, int bytes)
    {
        nint function = LoadKernel("defective", ".param .u64 out", body);
        DevicePointer output = Device.Allocate((nuint)bytes, Stream);
        return Defect(() => Launch(function, new LaunchGrid(1, threads), output.Address));
    }
}
