using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Accesses that nothing orders are reported although the device runs threads one after the other, and accesses that
/// something orders are not.</summary>
internal sealed class RaceTests : SoftwareFixture
{
    // %rd1 the thread's word, %rd2 its neighbour's, %rd3 the first word, %r1 the thread.
    private const string Places = """
        ld.param.u64 %rd3, [data]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd1, %r1, 4, %rd3;
        xor.b32 %r2, %r1, 1; mad.wide.u32 %rd2, %r2, 4, %rd3;
        """;

    [Test]
    public void A_missing_barrier_between_accesses_to_device_memory()
    {
        string report = Race("ld.global.u32 %r3, [%rd2];\nst.global.u32 [%rd1], %r3;");
        Assert.That(
            report,
            Does.StartWith("Kernel racing: missing barrier: byte 0 of allocation 1 (256 bytes) (address 0x")
                .And.Contain(", parameter 0 + 0) was read by thread (1, 0, 0) at 'ld.global.u32 %r3, [%rd2]' (PTX line 9) and ")
                .And.Contain("; at 'st.global.u32 [%rd1], %r3' (PTX line 10), block (0, 0, 0) of (1, 1, 1), thread (0, 0, 0)"));
    }

    [Test]
    public void A_barrier_between_accesses_to_device_memory() =>
        Ordered("ld.global.u32 %r3, [%rd2]; bar.sync 0; st.global.u32 [%rd1], %r3; bar.sync 0; ld.global.u32 %r4, [%rd2];");

    [TestCase("st.global.u32 [%rd3], 1;", "was written by thread (0, 0, 0) at")]
    [TestCase("st.global.u32 [%rd1], %r1; ld.global.u32 %r3, [%rd2];", "was written by thread (1, 0, 0) at")]
    public void Writes_of_a_block(string body, string expected) => Assert.That(Race(body), Does.Contain(expected));

    /// <summary>Some thread of another warp read first, then many of the writer's own.</summary>
    [Test]
    public void A_reader_among_many()
    {
        string report = Race(
            """
            setp.ge.u32 %p1, %r1, 32; @%p1 ld.global.u32 %r3, [%rd3];
            setp.eq.u32 %p2, %r1, 0; @%p2 ld.global.u32 %r3, [%rd3]; bar.warp.sync -1; @%p2 ld.global.u32 %r3, [%rd3];
            @%p2 st.global.u32 [%rd3], 5;
            """);
        Assert.That(report, Does.Contain("was read by thread (63, 0, 0) at"));
    }

    [Test]
    public void Bytes_of_one_word_are_apart()
    {
        const string Bytes = "ld.param.u64 %rd3, [data]; mov.u32 %r1, %tid.x; cvt.u64.u32 %rd4, %r1; add.u64 %rd1, %rd3, %rd4;";
        Ordered(Bytes + "st.global.u8 [%rd1], %r1; ld.global.u8 %r2, [%rd1];");
        string overlapping = Race(
            Bytes + "st.global.u8 [%rd1], %r1; and.b32 %r2, %r1, 3; setp.eq.u32 %p1, %r2, 0; @%p1 ld.global.u32 %r3, [%rd1];");
        string whole = Race(
            Bytes + "setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%rd1], %r1; setp.eq.u32 %p2, %r1, 3;"
            + "@%p2 ld.global.u8 %r3, [%rd1];");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(overlapping, Does.Contain("byte 1 of").And.Contain("was written by thread (1, 0, 0)"));
            Assert.That(whole, Does.Contain("byte 3 of").And.Contain("was written by thread (0, 0, 0)"));
        }
    }

    /// <summary>A barrier of the warp orders its threads; a shuffle orders what was read before it and nothing else.</summary>
    [Test]
    public void Warps()
    {
        Ordered("ld.global.u32 %r3, [%rd2]; bar.warp.sync -1; st.global.u32 [%rd1], %r3;");
        Ordered("ld.global.u32 %r3, [%rd2]; shfl.sync.bfly.b32 %r4, %r3, 1, 31, -1; st.global.u32 [%rd1], %r4;");
        string written = Race("st.global.u32 [%rd1], %r1; shfl.sync.bfly.b32 %r4, %r1, 1, 31, -1; ld.global.u32 %r3, [%rd2];");
        string half = Race(
            "ld.global.u32 %r3, [%rd2]; and.b32 %r5, %r1, 31; setp.lt.u32 %p1, %r5, 16;"
            + "@%p1 shfl.sync.bfly.b32 %r4, %r3, 1, 31, 0xffff; @%p1 st.global.u32 [%rd1], %r4;");
        string otherWarp = Race(
            "xor.b32 %r2, %r1, 32; mad.wide.u32 %rd2, %r2, 4, %rd3; ld.global.u32 %r3, [%rd2]; bar.warp.sync -1;"
            + "st.global.u32 [%rd1], %r3;");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(written, Does.Contain("was written by thread (1, 0, 0)"));
            Assert.That(half, Does.Contain("was read by thread (1, 0, 0)"));
            Assert.That(otherWarp, Does.Contain("was read by thread (32, 0, 0)"));
        }
    }

    [Test]
    public void Atomic_operations_race_with_others_only()
    {
        Ordered("atom.global.add.u32 %r3, [%rd3], 1; red.global.max.u32 [%rd3], 7; ld.volatile.global.u32 %r4, [%rd3];");
        string read = Race("red.global.add.u32 [%rd3], 1; ld.global.u32 %r4, [%rd3];");
        string write = Race("ld.global.u32 %r4, [%rd3]; red.global.add.u32 [%rd3], 1;");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read, Does.Contain("was written by thread (63, 0, 0) at 'red.global.add.u32"));
            Assert.That(write, Does.Contain("was read by thread (63, 0, 0)"));
        }
    }

    [Test]
    public void Blocks_that_write_the_same_value()
    {
        DevicePointer data = Upload(new uint[64]);
        nint function = LoadKernel("racing", ".param .u64 data", "ld.param.u64 %rd3, [data]; st.global.u32 [%rd3+8], 1;");
        string report = Defect(() => Launch(function, new LaunchGrid(2, 1), data.Address));
        Assert.That(
            report,
            Does.Contain("blocks race: byte 8 of").And.Contain("parameter 0 + 8)")
                .And.Contain("was written by block (0, 0, 0), thread (0, 0, 0) at 'st.global.u32 [%rd3+8], 1' (PTX line 7)")
                .And.Contain("block (1, 0, 0) of (2, 1, 1)"));
    }

    /// <summary>Launches of a stream follow each other, and so may use the same memory.</summary>
    [Test]
    public void Launches_are_ordered()
    {
        DevicePointer data = Upload(new uint[64]);
        nint function = LoadKernel(
            "ordered", ".param .u64 data, .param .u32 shift",
            """
            ld.param.u64 %rd3, [data]; ld.param.u32 %r4, [shift]; mov.u32 %r1, %ctaid.x; xor.b32 %r1, %r1, %r4;
            mad.wide.u32 %rd1, %r1, 4, %rd3; ld.global.u32 %r2, [%rd1]; add.u32 %r2, %r2, 1; st.global.u32 [%rd1], %r2;
            """);
        for (uint shift = 0; shift < 4; shift++)
            Launch(function, new LaunchGrid(4, 1), data.Address, shift);
        Assert.That(Download<uint>(data, 4), Is.All.EqualTo(4));
        Free(data);
    }

    [Test]
    public void The_read_only_path_after_a_write_of_the_launch() =>
        Assert.That(
            Race("st.global.u32 [%rd1], %r1; bar.sync 0; ld.global.nc.u32 %r3, [%rd2];"),
            Does.Contain("read through the read-only path of memory that the same launch wrote: byte 4 of allocation"));

    private string Race(string body)
    {
        (DevicePointer data, nint function) = Prepare("racing", body);
        return Defect(() => Launch(function, new LaunchGrid(1, 64), data.Address));
    }

    private void Ordered(string body)
    {
        (DevicePointer data, nint function) = Prepare("ordered", body);
        Assert.That(() => Launch(function, new LaunchGrid(1, 64), data.Address), Throws.Nothing);
        Free(data);
    }

    private (DevicePointer Data, nint Function) Prepare(string name, string body) => (
        Upload(new uint[64]),
        LoadKernel(name, ".param .u64 data", body.Contains("ld.param", StringComparison.Ordinal) ? body : $"{Places}\n{body}"));
}
