using BoostingTicket.Engine.Plans;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>What replicas take of a device's memory.</summary>
internal static class ReplicaMemory
{
    /// <summary>Bytes on the device that images and sums of a step's shards take, beside the plans and what methods keep, where
    /// one process computes all of them.</summary>
    /// <param name="network">The network.</param>
    /// <param name="plan">Shards of the step.</param>
    public static long Bytes(Network network, ShardPlan plan)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (plan.Count == 1)
            return 0;
        long images = Enumerable.Range(0, plan.Count).Sum(
            shard => 2 * network.Backend.DescribeImages(plan.Shard(shard).Length, network.Graph.Input.Shape).Bytes);
        return images + ShardSums.Bytes(network.Graph.Table, plan.Count);
    }
}
