using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Order of execution: branches, loops, barriers, exchange within warps, calls.</summary>
public sealed class ExecutionTests : SoftwareFixture
{
    /// <summary>The sum of 1 to n for each thread's n: threads leave the loop one after the other.</summary>
    [Test]
    public void Loops_end_for_each_thread_on_its_own()
    {
        nint function = LoadKernel(
            "sum", ".param .u64 out",
            """
            ld.param.u64 %rd1, [out]; mov.u32 %r1, %tid.x; mov.u32 %r2, 0; mov.u32 %r3, 0;
            setp.eq.u32 %p1, %r1, 0; @%p1 bra DONE;
            LOOP: add.u32 %r3, %r3, 1; add.u32 %r2, %r2, %r3; setp.lt.u32 %p1, %r3, %r1; @%p1 bra LOOP;
            DONE: mad.wide.u32 %rd1, %r1, 4, %rd1; st.global.u32 [%rd1], %r2;
            """);
        DevicePointer output = Allocate<uint>(256);
        Launch(function, new LaunchGrid(1, 256), output.Address);
        Assert.That(Download<uint>(output, 256), Is.EqualTo(Enumerable.Range(0, 256).Select(n => (uint)(n * (n + 1) / 2))));
        Free(output);
    }
}
