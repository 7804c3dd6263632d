using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Exchange of values within a warp.</summary>
internal sealed class WarpTests : SoftwareFixture
{
    private const string Begin = """
        ld.param.u64 %rd1, [out]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd1, %r1, 4, %rd1; mov.u32 %r3, %laneid;
        mad.lo.u32 %r4, %r1, 10, 1;
        """;

    private const string End = "st.global.u32 [%rd1], %r2;";

    /// <summary>The four modes with segments of 32, 16 and 8 lanes, as __shfl_*_sync with a width asks for them.</summary>
    [Test]
    public void Shuffles_take_values_of_their_segment(
        [Values("up", "down", "bfly", "idx")] string mode, [Values(32, 16, 8)] int width, [Values(0, 1, 5, 31)] int b)
    {
        int clamp = ((32 - width) << 8) | (mode == "up" ? 0 : 31);
        uint[] results = Run(
            64, $"shfl.sync.{mode}.b32 %r2|%p1, %r4, {b}, {clamp}, -1; @%p1 add.u32 %r2, %r2, 100000;");
        for (int thread = 0; thread < 64; thread++)
        {
            int lane = thread % 32, start = lane / width * width;
            int source = mode switch
            {
                "up" => lane - b,
                "down" => lane + b,
                "bfly" => lane ^ b,
                _ => start + (b % width),
            };
            bool valid = source >= start && source < start + width;
            // A butterfly may also read lower segments.
            valid |= mode == "bfly" && source >= 0 && source < start;
            uint from = (uint)(((thread - lane + (valid ? source : lane)) * 10) + 1);
            Assert.That(results[thread], Is.EqualTo(from + (valid ? 100000u : 0)), $"thread {thread}");
        }
    }

    /// <summary>A sum over the warp with five butterflies: all lanes get it.</summary>
    [Test]
    public void Butterflies_sum_a_warp()
    {
        uint[] results = Run(
            64,
            """
            mov.u32 %r2, %r4; mov.u32 %r5, 16;
            ROUND: shfl.sync.bfly.b32 %r6, %r2, %r5, 31, -1; add.u32 %r2, %r2, %r6;
            shr.u32 %r5, %r5, 1; setp.gt.u32 %p1, %r5, 0; @%p1 bra ROUND;
            """);
        for (int warp = 0; warp < 2; warp++)
        {
            uint sum = (uint)Enumerable.Range(warp * 32, 32).Sum(n => (n * 10) + 1);
            Assert.That(results.Skip(warp * 32).Take(32), Is.All.EqualTo(sum));
        }
    }

    /// <summary>Lanes that took another way come later: those that are there wait for them.</summary>
    [Test]
    public void Lanes_wait_for_the_others_that_are_named()
    {
        uint[] results = Run(
            32,
            """
            setp.lt.u32 %p1, %r3, 7; @%p1 bra LATER; mov.u32 %r5, 1; bra.uni MEET;
            LATER: mov.u32 %r5, 2;
            MEET: shfl.sync.idx.b32 %r2, %r5, 3, 31, -1;
            """);
        Assert.That(results, Is.All.EqualTo(2));
    }

    /// <summary>Two halves of a warp shuffle on their own, each with its mask, in the branches of an if.</summary>
    [Test]
    public void Halves_of_a_warp_shuffle_on_their_own()
    {
        uint[] results = Run(
            32,
            """
            setp.lt.u32 %p1, %r3, 16; @%p1 bra LOW;
            shfl.sync.idx.b32 %r2, %r4, 20, 31, 0xffff0000; bra.uni DONE;
            LOW: shfl.sync.idx.b32 %r2, %r4, 3, 31, 0x0000ffff;
            DONE:
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 32).Select(n => n < 16 ? 31u : 201u)));
    }

    [TestCase("vote.sync.all.pred %p2, %p1, -1;", 0u, 1u)]
    [TestCase("vote.sync.any.pred %p2, %p1, -1;", 1u, 1u)]
    [TestCase("vote.sync.uni.pred %p2, %p1, -1;", 0u, 1u)]
    [TestCase("vote.sync.all.pred %p2, !%p1, -1;", 0u, 0u)]
    public void Votes(string instruction, uint first, uint second)
    {
        uint[] results = Run(64, $"setp.ge.u32 %p1, %r1, 9; {instruction} selp.u32 %r2, 1, 0, %p2;");
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 64).Select(n => n < 32 ? first : second)));
    }

    [Test]
    public void Ballots_matches_and_reductions()
    {
        uint[] ballot = Run(32, "and.b32 %r5, %r3, 1; setp.eq.u32 %p1, %r5, 1; vote.sync.ballot.b32 %r2, %p1, -1;");
        uint[] active = Run(
            32, "mov.u32 %r2, 0; setp.lt.u32 %p1, %r3, 4; @!%p1 bra DONE; activemask.b32 %r2; DONE:");
        uint[] match = Run(32, "shr.u32 %r5, %r3, 3; match.any.sync.b32 %r2, %r5, -1;");
        uint[] same = Run(32, "match.all.sync.b32 %r2|%p1, 7, -1; @%p1 add.u32 %r2, %r2, 1;");
        uint[] reduced = Run(32, "redux.sync.max.s32 %r2, %r4, -1;", "sm_80");
        uint[] small = Run(20, "setp.lt.u32 %p1, %r3, 18; vote.sync.ballot.b32 %r2, %p1, -1;");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ballot, Is.All.EqualTo(0xaaaaaaaa));
            Assert.That(active.Take(4), Is.All.EqualTo(0xf));
            Assert.That(match, Is.EqualTo(Enumerable.Range(0, 32).Select(n => 0xffu << (n / 8 * 8))));
            Assert.That(same, Is.All.EqualTo(0));
            Assert.That(reduced, Is.All.EqualTo(311));
            Assert.That(small, Is.All.EqualTo(0x3ffff));
        }
    }

    /// <summary>A warp may use shared memory without the block's barrier, if it waits for itself.</summary>
    [Test]
    public void Barriers_of_a_warp_order_its_memory()
    {
        uint[] results = Run(
            64,
            """
            .shared .align 4 .b8 buffer[256];
            mov.u32 %r5, buffer; mad.lo.u32 %r6, %r1, 4, %r5; st.shared.u32 [%r6], %r1;
            bar.warp.sync -1;
            xor.b32 %r6, %r1, 1; mad.lo.u32 %r6, %r6, 4, %r5; ld.shared.u32 %r2, [%r6];
            """);
        Assert.That(results, Is.EqualTo(Enumerable.Range(0, 64).Select(n => (uint)n ^ 1)));
    }

    [Test]
    public void A_value_of_a_lane_that_takes_no_part_is_reported()
    {
        string report = Defect(() => Run(
            32, "mov.u32 %r2, 0; setp.lt.u32 %p1, %r3, 16; @%p1 shfl.sync.idx.b32 %r2, %r4, 20, 31, 0xffff;"));
        Assert.That(report, Does.Contain("lane 20").And.Contain("takes no part"));
    }

    [Test]
    public void A_thread_that_is_not_named_is_reported()
    {
        string report = Defect(() => Run(32, "shfl.sync.idx.b32 %r2, %r4, 0, 31, 0xffff;"));
        Assert.That(report, Does.Contain("not among the members 0x0000ffff").And.Contain("thread (16, 0, 0)"));
    }

    [Test]
    public void Members_that_never_come_are_reported()
    {
        string report = Defect(() => Run(32, "setp.lt.u32 %p1, %r3, 30; @!%p1 ret; shfl.sync.idx.b32 %r2, %r4, 0, 31, -1;"));
        Assert.That(report, Does.Contain("members do not meet: 30 threads").And.Contain("thread (30, 0, 0) has ended at 'ret'"));
    }

    private uint[] Run(uint threads, string body, string target = "sm_70")
    {
        nint module = Device.LoadModule(System.Text.Encoding.ASCII.GetBytes(
            $".version 7.8\n.target {target}\n.address_size 64\n{Kernel("k", ".param .u64 out", Begin + body + End)}\0"));
        DevicePointer output = Allocate<uint>((int)threads);
        Launch(Device.Function(module, "k"), new LaunchGrid(1, threads), output.Address);
        uint[] results = Download<uint>(output, (int)threads);
        Free(output);
        return results;
    }
}
