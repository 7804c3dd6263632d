namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>How the samples of a step are cut into shards, one for each replica: in order, sizes differing by at most one, larger
/// ones first. Which process computes a shard does not matter to it.</summary>
/// <remarks>A step of few samples has fewer shards than replicas were asked for, so that none has a single sample, of which there
/// are no batch statistics.</remarks>
internal readonly record struct ShardPlan
{
    /// <summary>Cuts a step.</summary>
    /// <param name="samples">Samples of the step, at least 1.</param>
    /// <param name="replicas">Shards that are wanted, at least 1.</param>
    public ShardPlan(int samples, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replicas);
        Samples = samples;
        Count = Math.Min(replicas, Math.Max(samples / 2, 1));
    }

    /// <summary>Samples of the step.</summary>
    public int Samples { get; }

    /// <summary>Shards.</summary>
    public int Count { get; }

    /// <summary>Sizes of the shards, each once.</summary>
    public IEnumerable<int> Sizes => Samples % Count == 0 ? [Samples / Count] : [Samples / Count + 1, Samples / Count];

    /// <summary>Where a shard lies in the step.</summary>
    /// <param name="shard">The shard, in [0, <see cref="Count"/>).</param>
    public (int Start, int Length) Shard(int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, Count);
        int size = Samples / Count, larger = Samples % Count;
        return (shard * size + Math.Min(shard, larger), shard < larger ? size + 1 : size);
    }

    /// <summary>The shards that a process computes; may be none.</summary>
    /// <param name="rank">The process, in [0, <paramref name="ranks"/>).</param>
    /// <param name="ranks">Processes.</param>
    public (int First, int End) Of(int rank, int ranks) =>
        ((int)((long)Count * rank / ranks), (int)((long)Count * (rank + 1) / ranks));
}
