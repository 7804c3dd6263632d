using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Order of execution: branches, loops, barriers, calls, and who each thread is.</summary>
internal sealed class ExecutionTests : SoftwareFixture
{
    private const string Out = ".param .u64 out";

    // %r1 the thread, %rd1 its place in the output.
    private const string Begin = "ld.param.u64 %rd1, [out]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd1, %r1, 4, %rd1;";

    private const string End = "st.global.u32 [%rd1], %r2;";

    /// <summary>The sum of 1 to n for each thread's n: threads leave the loop one after the other.</summary>
    [Test]
    public void Loops_end_for_each_thread_on_its_own()
    {
        uint[] results = Run(
            256,
            """
            mov.u32 %r2, 0; mov.u32 %r3, 0;
            setp.eq.u32 %p1, %r1, 0; @%p1 bra DONE;
            LOOP: add.u32 %r3, %r3, 1; add.u32 %r2, %r2, %r3; setp.lt.u32 %p1, %r3, %r1; @%p1 bra LOOP;
            DONE:
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 256).Select(n => (uint)(n * (n + 1) / 2))));
    }

    /// <summary>Steps of the Collatz sequence: nested branches, another way for each thread.</summary>
    [Test]
    public void Branches_within_loops_meet_again()
    {
        uint[] results = Run(
            200,
            """
            add.u32 %r3, %r1, 1; mov.u32 %r2, 0;
            LOOP: setp.eq.u32 %p1, %r3, 1; @%p1 bra DONE;
            add.u32 %r2, %r2, 1; and.b32 %r4, %r3, 1; setp.eq.u32 %p2, %r4, 0;
            @%p2 bra EVEN;
            mad.lo.u32 %r3, %r3, 3, 1; bra.uni LOOP;
            EVEN: shr.u32 %r3, %r3, 1; bra.uni LOOP;
            DONE:
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(1, 200).Select(Collatz)));

        static uint Collatz(int n)
        {
            uint steps = 0;
            for (long value = n; value != 1; steps++)
                value = value % 2 == 0 ? value / 2 : (3 * value) + 1;
            return steps;
        }
    }

    [Test]
    public void Guards_choose_threads_one_by_one()
    {
        uint[] results = Run(
            40,
            "and.b32 %r3, %r1, 3; setp.eq.u32 %p1, %r3, 2; mov.u32 %r2, 5; @%p1 mov.u32 %r2, 6; "
            + "@!%p1 add.u32 %r2, %r2, %r1;");
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 40).Select(n => n % 4 == 2 ? 6u : 5u + (uint)n)));
    }

    [Test]
    public void Indexed_branches_take_each_threads_way()
    {
        uint[] results = Run(
            64,
            """
            and.b32 %r3, %r1, 3;
            brx.idx %r3, WAYS;
            WAYS: .branchtargets A, B, C, A;
            A: mov.u32 %r2, 10; bra.uni DONE;
            B: mov.u32 %r2, 20; bra.uni DONE;
            C: mov.u32 %r2, 30;
            DONE:
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 64).Select(n => (uint)(n % 4 == 1 ? 20 : n % 4 == 2 ? 30 : 10))));
    }

    [Test]
    public void Functions_get_arguments_and_give_results()
    {
        const string Text = """
            .func (.param .b32 result) twice_plus(.param .b32 a, .param .align 8 .b8 pair[8])
            {
                .reg .b32 %r<5>; .reg .pred %p<2>;
                ld.param.b32 %r1, [a]; ld.param.b32 %r2, [pair+4];
                setp.gt.u32 %p1, %r1, 20;
                mad.lo.u32 %r3, %r1, 2, %r2; st.param.b32 [result], %r3;
                @%p1 ret;
                add.u32 %r3, %r3, 1000; st.param.b32 [result], %r3;
                ret;
            }

            """;
        const string Body = """
            { // callseq
                .reg .b32 temp; .param .b32 p0; .param .align 8 .b8 p1[8]; .param .b32 back;
                st.param.b32 [p0], %r1; st.param.v2.b32 [p1], {%r1, 7};
                call.uni (back), twice_plus, (p0, p1);
                ld.param.b32 %r2, [back];
            }
            """;
        nint function = Device.Function(Load(Text + Kernel("k", Out, Begin + Body + End)), "k");
        DevicePointer output = Allocate<uint>(64);
        Launch(function, new LaunchGrid(1, 64), output.Address);
        Assert.That(
            Download<uint>(output, 64),
            Is.EqualTo(Enumerable.Range(0, 64).Select(n => (uint)((2 * n) + 7 + (n > 20 ? 0 : 1000)))));
        Free(output);
    }

    [TestCase("%tid.x", 4u)]
    [TestCase("%tid.y", 1u)]
    [TestCase("%tid.z", 1u)]
    [TestCase("%ntid.x", 5u)]
    [TestCase("%ntid.y", 2u)]
    [TestCase("%ntid.z", 3u)]
    [TestCase("%ctaid.x", 1u)]
    [TestCase("%ctaid.y", 2u)]
    [TestCase("%ctaid.z", 0u)]
    [TestCase("%nctaid.x", 2u)]
    [TestCase("%nctaid.y", 3u)]
    [TestCase("%nctaid.z", 1u)]
    [TestCase("%laneid", 19u)]
    [TestCase("%warpid", 0u)]
    [TestCase("%nwarpid", 1u)]
    [TestCase("%lanemask_lt", 0x7ffffu)]
    [TestCase("%lanemask_le", 0xfffffu)]
    [TestCase("%lanemask_eq", 0x80000u)]
    [TestCase("%lanemask_ge", 0xfff80000u)]
    [TestCase("%lanemask_gt", 0xfff00000u)]
    [TestCase("WARP_SZ", 32u)]
    public void Special_registers_tell_who_a_thread_is(string register, uint expected)
    {
        // The last block's thread (4, 1, 1), which is number 4 + 5 * (1 + 2 * 1).
        nint function = LoadKernel(
            "who", Out,
            $$"""
            ld.param.u64 %rd1, [out];
            mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %tid.z; mov.u32 %r4, %ctaid.x; mov.u32 %r5, %ctaid.y;
            setp.eq.u32 %p1, %r1, 4; setp.eq.and.u32 %p1, %r2, 1, %p1; setp.eq.and.u32 %p1, %r3, 1, %p1;
            setp.eq.and.u32 %p1, %r4, 1, %p1; setp.eq.and.u32 %p1, %r5, 2, %p1;
            mov.u32 %r6, {{register}};
            @%p1 st.global.u32 [%rd1], %r6;
            """);
        DevicePointer output = Allocate<uint>(1);
        Launch(function, new LaunchGrid(2, 3, 1, 5, 2, 3), output.Address);
        Assert.That(Download<uint>(output, 1)[0], Is.EqualTo(expected));
        Free(output);
    }

    /// <summary>Each thread writes its number, and after the barrier reads that of the thread at the other end.</summary>
    [Test]
    public void Barriers_order_shared_memory()
    {
        uint[] results = Run(
            96,
            """
            .shared .align 4 .b8 buffer[384];
            mov.u32 %r3, buffer; mad.lo.u32 %r4, %r1, 4, %r3; st.shared.u32 [%r4], %r1;
            bar.sync 0;
            sub.u32 %r5, 95, %r1; mad.lo.u32 %r5, %r5, 4, %r3; ld.shared.u32 %r2, [%r5];
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 96).Select(n => 95u - (uint)n)));
    }

    /// <summary>The usual tree: half of the threads add the other half's values, with a barrier in each round.</summary>
    [Test]
    public void Sums_in_shared_memory()
    {
        uint[] results = Run(
            256,
            """
            .shared .align 4 .b8 buffer[1024];
            mov.u32 %r3, buffer; mad.lo.u32 %r4, %r1, 4, %r3; mad.lo.u32 %r2, %r1, %r1, 1; st.shared.u32 [%r4], %r2;
            mov.u32 %r5, 128;
            ROUND: bar.sync 0;
            setp.ge.u32 %p1, %r1, %r5; @%p1 bra SKIP;
            mad.lo.u32 %r6, %r5, 4, %r4; ld.shared.u32 %r7, [%r6]; ld.shared.u32 %r8, [%r4]; add.u32 %r8, %r8, %r7;
            st.shared.u32 [%r4], %r8;
            SKIP: shr.u32 %r5, %r5, 1; setp.gt.u32 %p2, %r5, 0; @%p2 bra ROUND;
            bar.sync 0;
            ld.shared.u32 %r2, [buffer];
            """);
        Assert.That(results, Is.All.EqualTo((uint)Enumerable.Range(0, 256).Sum(n => (n * n) + 1)));
    }

    [TestCase("bar.red.popc.u32 %r2, 0, %p1;", 5u)]
    [TestCase("bar.red.popc.u32 %r2, 0, !%p1;", 59u)]
    [TestCase("bar.red.and.pred %p2, 0, %p1; selp.u32 %r2, 1, 0, %p2;", 0u)]
    [TestCase("bar.red.or.pred %p2, 0, %p1; selp.u32 %r2, 1, 0, %p2;", 1u)]
    public void Barriers_combine_predicates(string instructions, uint expected) =>
        Assert.That(Run(64, $"setp.lt.u32 %p1, %r1, 5; {instructions}"), Is.All.EqualTo(expected));

    /// <summary>The first warp produces, the second waits for it at a barrier of its own.</summary>
    [Test]
    public void Barriers_for_some_warps_count_their_threads()
    {
        uint[] results = Run(
            64,
            """
            .shared .align 4 .b8 buffer[128];
            mov.u32 %r3, buffer; and.b32 %r4, %r1, 31; mad.lo.u32 %r4, %r4, 4, %r3; mov.u32 %r2, 0;
            setp.lt.u32 %p1, %r1, 32; @!%p1 bra CONSUME;
            add.u32 %r5, %r1, 100; st.shared.u32 [%r4], %r5; bar.arrive 1, 64; bra.uni DONE;
            CONSUME: bar.sync 1, 64; ld.shared.u32 %r2, [%r4];
            DONE:
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 64).Select(n => n < 32 ? 0u : (uint)n + 68)));
    }

    private uint[] Run(uint threads, string body)
    {
        nint function = LoadKernel("k", Out, Begin + body + End);
        DevicePointer output = Allocate<uint>((int)threads);
        Launch(function, new LaunchGrid(1, threads), output.Address);
        uint[] results = Download<uint>(output, (int)threads);
        Free(output);
        return results;
    }
}
