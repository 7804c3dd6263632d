using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>Adds up gradients and running statistics of a step's shards along their <see cref="SummationTree"/>. Allocates
/// nothing once made.</summary>
internal sealed class ShardSums : IDisposable
{
    private readonly IBackend _backend;
    private readonly ParameterStore _store;
    private readonly SummationTree _tree;
    private readonly ReplicaStatistics _statistics;
    private readonly FloatBuffer[] _slots;
    private readonly FloatBuffer? _old;
    private readonly float _share;

    /// <summary>Makes room.</summary>
    /// <param name="backend">Where they are.</param>
    /// <param name="store">Gradients and statistics of the network.</param>
    /// <param name="tree">The sums.</param>
    /// <param name="shards">Shards of the whole step.</param>
    /// <param name="statistics">Which running statistics are kept.</param>
    public ShardSums(IBackend backend, ParameterStore store, SummationTree tree, int shards, ReplicaStatistics statistics)
    {
        (_backend, _store, _tree, _statistics) = (backend, store, tree, statistics);
        Length = store.Table.TrainedLength + store.Table.StatisticsLength;
        _slots = [.. Enumerable.Range(0, Math.Max(tree.Slots, 1)).Select(_ => backend.CreateFloats(Length))];
        _old = HasStatistics ? backend.CreateFloats(store.Table.StatisticsLength) : null;
        _share = statistics == ReplicaStatistics.First ? 1 : 1f / shards;
    }

    /// <summary>Values of a sum: gradients, then statistics.</summary>
    public int Length { get; }

    /// <summary>Where the sum of all shards is put when those of this process have been read.</summary>
    public FloatBuffer Total => _slots[0];

    private bool HasStatistics => _store.Table.StatisticsLength > 0;

    /// <summary>Bytes on the device that the sums of a model take.</summary>
    /// <param name="table">Its parameters.</param>
    /// <param name="shards">Shards of a step.</param>
    public static long Bytes(ParameterTable table, int shards) =>
        shards == 1 ? 0 : sizeof(float) * ((long)new SummationTree(shards, 0, shards).Slots
            * (table.TrainedLength + table.StatisticsLength) + table.StatisticsLength);

    /// <summary>Remembers the statistics that every shard begins from.</summary>
    public void Begin()
    {
        if (_old is not null)
            _backend.Copy(_store.Statistics.All, _old.All);
    }

    /// <summary>Puts back the statistics that the step began with.</summary>
    public void Restart()
    {
        if (_old is null)
            return;
        _backend.Copy(_old.All, _store.Statistics.All);
        _store.StatisticsChanged();
    }

    /// <summary>Takes in a shard's gradients and statistics as its training left them.</summary>
    public void Add(int shard)
    {
        FloatBuffer leaf = _slots[_tree.Leaf(shard)];
        _backend.Copy(_store.Gradients.All, Gradients(leaf));
        if (HasStatistics)
        {
            if (_statistics == ReplicaStatistics.First && shard > 0)
                _backend.Fill(Statistics(leaf), 0);
            else
                _backend.Copy(_store.Statistics.All, Statistics(leaf));
        }
        foreach (TreeSum sum in _tree.SumsAfter(shard))
            _backend.Blend(_slots[sum.From].All, 1, 1, _slots[sum.Into].All);
    }

    /// <summary>The values of a node of the tree.</summary>
    public FloatBuffer Of(in TreeNode node) => _slots[node.Slot];

    /// <summary>Makes the sum of all shards the network's gradients and running statistics.</summary>
    /// <param name="sum">Sum of all shards, <see cref="Length"/> values.</param>
    public void Finish(FloatBuffer sum)
    {
        _backend.Copy(Gradients(sum), _store.Gradients.All);
        if (!HasStatistics)
            return;
        _backend.Blend(Statistics(sum), _share, 0, _store.Statistics.All);
        _store.StatisticsChanged();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FloatBuffer slot in _slots)
            slot.Dispose();
        _old?.Dispose();
    }

    private BufferSlice Gradients(FloatBuffer sum) => new(sum, 0, _store.Table.TrainedLength);

    private BufferSlice Statistics(FloatBuffer sum) => new(sum, _store.Table.TrainedLength, _store.Table.StatisticsLength);
}
