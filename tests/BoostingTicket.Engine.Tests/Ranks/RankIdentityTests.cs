using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Engine.Tests.Ranks;

internal sealed class RankIdentityTests
{
    private static readonly RankIdentity One = new("a", "build 1", "Avx512", 8, "0-7", 8);

    [Test]
    public void Processes_that_are_alike_may_compute_together() =>
        Assert.That(RankIdentity.Difference([One, One, One with { Host = "b", Processors = 4 }]), Is.Null);

    [Test]
    public void Other_builds_and_instructions_are_named_with_rank_and_host()
    {
        Assert.That(
            RankIdentity.Difference([One, One, One with { Host = "b", Build = "build 2" }]), Is.EqualTo(
                "Rank 2 on b runs another build of the program than rank 0 on a; install the same files on both."));
        Assert.That(
            RankIdentity.Difference([One, One with { Host = "b", Instructions = "Avx2" }]),
            Does.StartWith("Rank 1 on b computes with Avx2, rank 0 on a with Avx512"));
    }

    [Test]
    public void A_process_that_is_bound_to_one_of_many_processors_is_found()
    {
        RankIdentity bound = One with { Processors = 1, Allowed = "0", MachineProcessors = 64 };
        Assert.Multiple(() =>
        {
            Assert.That(RankIdentity.FindBound([bound, bound with { Allowed = "1" }]), Is.EqualTo(new BoundRank(0, "a", 64, 32)));
            Assert.That(RankIdentity.FindBound([One, One]), Is.Null);
            RankIdentity small = bound with { MachineProcessors = 2 };
            Assert.That(RankIdentity.FindBound([small, small with { Allowed = "1" }]), Is.Null, "as many as there are");
        });
    }

    [Test]
    public void Processors_that_several_may_use_are_shared()
    {
        RankIdentity[] free = [One, One, One, One with { Host = "b" }];
        RankIdentity[] bound = [One with { Allowed = "0-3", Processors = 4 }, One with { Allowed = "4-7", Processors = 4 }];
        Assert.Multiple(() =>
        {
            Assert.That(RankIdentity.ThreadsOf(free, 0), Is.EqualTo(2), "8 processors for 3");
            Assert.That(RankIdentity.ThreadsOf(free, 3), Is.EqualTo(8), "another machine");
            Assert.That(RankIdentity.ThreadsOf(bound, 1), Is.EqualTo(4), "bound to their own");
            Assert.That(RankIdentity.ThreadsOf([.. Enumerable.Repeat(One, 20)], 0), Is.EqualTo(1));
        });
    }

    [Test]
    public void This_process_knows_itself()
    {
        RankIdentity own = RankIdentity.Own("b", "i");
        Assert.That(own.Processors, Is.InRange(1, own.MachineProcessors));
        Assert.That(own.Host, Is.Not.Empty);
    }
}
