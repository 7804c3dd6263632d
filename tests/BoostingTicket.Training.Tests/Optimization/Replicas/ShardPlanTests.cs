using BoostingTicket.Training.Optimization.Replicas;

namespace BoostingTicket.Training.Tests.Optimization.Replicas;

internal sealed class ShardPlanTests
{
    [Test]
    public void Shards_follow_one_another_and_differ_by_one_sample_at_most(
        [Values(1, 2, 3, 5, 8, 64, 127, 128)] int samples, [Values(1, 2, 3, 4, 6, 8, 16)] int replicas)
    {
        var plan = new ShardPlan(samples, replicas);
        int next = 0;
        var sizes = new List<int>();
        for (int shard = 0; shard < plan.Count; shard++)
        {
            (int start, int length) = plan.Shard(shard);
            Assert.That(start, Is.EqualTo(next));
            next = start + length;
            sizes.Add(length);
        }
        Assert.Multiple(() =>
        {
            Assert.That(next, Is.EqualTo(samples));
            Assert.That(plan.Count, Is.EqualTo(replicas).Or.LessThan(replicas));
            Assert.That(plan.Count == replicas || samples / 2 <= plan.Count, "as many as have two samples");
            Assert.That(sizes, Is.Ordered.Descending);
            Assert.That(sizes[0] - sizes[^1], Is.InRange(0, 1));
            Assert.That(samples == 1 || sizes[^1] > 1, "no shard of one sample");
            Assert.That(plan.Sizes, Is.EquivalentTo(sizes.Distinct()));
        });
    }

    [Test]
    public void Every_shard_has_one_process([Values(1, 2, 4, 6, 7)] int replicas, [Values(1, 2, 3, 4, 7)] int ranks)
    {
        var plan = new ShardPlan(64, replicas);
        int[] computed = [.. Enumerable.Range(0, ranks).SelectMany(rank =>
        {
            (int first, int end) = plan.Of(rank, ranks);
            return Enumerable.Range(first, end - first);
        })];
        Assert.That(computed, Is.EqualTo(Enumerable.Range(0, replicas)));
        if (ranks <= replicas)
        {
            Assert.That(Enumerable.Range(0, ranks).Select(rank => plan.Of(rank, ranks)), Has.All.Matches<(int First, int End)>(
                range => range.End > range.First));
        }
    }
}
