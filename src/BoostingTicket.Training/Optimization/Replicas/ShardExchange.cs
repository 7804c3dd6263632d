using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>Completes the sums of a step over the processes of a team. Each sends the nodes of the tree that it has: of each, a
/// chunk to the process that owns it. Owners finish the tree for their chunk and send it to all. Gradients of pruned weights,
/// which no optimizer reads, do not travel. All of it happens on the device, in the order of its work; what carries the values is
/// the team's <see cref="RankTeam.Line"/>. Allocates nothing once made, while masks stay.</summary>
internal sealed class ShardExchange : IDisposable
{
    private const int ReceivedPlace = 0, FirstOwnPlace = 1;

    private readonly RankTeam _team;
    private readonly IBackend _backend;
    private readonly ParameterStore _store;
    private readonly ShardSums _own;
    private readonly IReadOnlyList<TreeNode>[] _nodes;
    private readonly ExchangeSpace _space;
    private readonly int _shards;
    private IntBuffer? _kept;
    private int _keptCount;
    private int? _maskVersion;
    private int _spaceVersion = -1;
    private int _length;
    private BufferSlice[] _packed = [];
    private DeviceTransfer[] _toOwners = [];
    private DeviceTransfer[] _toAll = [];
    private (BufferSlice Into, BufferSlice From)[] _sums = [];
    private (BufferSlice From, BufferSlice To) _finished;

    /// <summary>Plans the exchange.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="network">The network.</param>
    /// <param name="plan">Shards of the step.</param>
    /// <param name="own">What this process adds up; <see cref="ShardSums.Total"/> receives the sum of all.</param>
    public ShardExchange(RankTeam team, Network network, ShardPlan plan, ShardSums own)
    {
        _team = team;
        _backend = network.Backend;
        _store = network.Parameters;
        _own = own;
        _space = ExchangeSpace.Enter(team, _backend);
        _shards = plan.Count;
        _nodes = [.. Enumerable.Range(0, team.Group.Count).Select(rank =>
        {
            (int first, int end) = plan.Of(rank, team.Group.Count);
            return new SummationTree(plan.Count, first, end).Nodes;
        })];
    }

    /// <summary>Bytes that this process sends in a step.</summary>
    public long BytesSent
    {
        get
        {
            Prepare();
            return _toOwners.Concat(_toAll).Where(transfer => transfer.Sends).Sum(
                transfer => (long)transfer.Values.Length * sizeof(float));
        }
    }

    private IReadOnlyList<TreeNode> OwnNodes => _nodes[_team.Group.Rank];

    /// <summary>Adds up the sums of all processes, but for gradients of pruned weights.</summary>
    public void Run()
    {
        Prepare();
        if (_kept is { } kept)
        {
            for (int i = 0; i < OwnNodes.Count; i++)
            {
                BufferSlice values = _own.Of(OwnNodes[i]).All;
                _backend.Pack(Prunable(values), kept, Kept(_packed[i]));
                _backend.Copy(Rest(values), PackedRest(_packed[i]));
            }
        }
        _team.Line.Exchange(_toOwners);
        foreach ((BufferSlice into, BufferSlice from) in _sums)
            _backend.Blend(from, 1, 1, into);
        if (_finished.From != _finished.To)
            _backend.Copy(_finished.From, _finished.To);
        _team.Line.Exchange(_toAll);
        if (_kept is not null)
        {
            _backend.Unpack(Kept(_packed[0]), _kept, Prunable(_own.Total.All));
            _backend.Copy(PackedRest(_packed[0]), Rest(_own.Total.All));
        }
        _team.Line.Finish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kept?.Dispose();
        _space.Leave();
    }

    private BufferSlice Prunable(BufferSlice values) => values with { Length = _store.Table.PrunableLength };

    private BufferSlice Rest(BufferSlice values) => Behind(values, _store.Table.PrunableLength);

    private BufferSlice Kept(BufferSlice packed) => packed with { Length = _keptCount };

    private BufferSlice PackedRest(BufferSlice packed) => Behind(packed, _keptCount);

    private static BufferSlice Behind(BufferSlice values, int count) =>
        new(values.Buffer, values.Offset + count, values.Length - count);

    private void Prepare()
    {
        if (_maskVersion == _store.MaskVersion && _spaceVersion == _space.Version)
            return;
        if (_maskVersion != _store.MaskVersion)
            FindKept();
        _maskVersion = _store.MaskVersion;
        _length = _keptCount + _own.Length - _store.Table.PrunableLength;
        Plan();
        _spaceVersion = _space.Version;
    }

    private void FindKept()
    {
        _kept?.Dispose();
        _kept = null;
        _keptCount = _store.Table.PrunableLength;
        if (_store.Masks is not { } masks)
            return;
        float[] values = new float[masks.Length];
        _backend.Download(masks.All, values);
        int[] kept = [.. Enumerable.Range(0, values.Length).Where(i => values[i] != 0)];
        _kept = _backend.CreateInts(kept.Length);
        _backend.Upload(kept, _kept);
        _keptCount = kept.Length;
    }

    // Lists of transfers, and the order of sums.
    private void Plan()
    {
        int rank = _team.Group.Rank, count = _team.Group.Count, own = OwnNodes.Count, received = 0;
        (int start, int length) = Chunk(rank);
        // A process without shards receives the sum too.
        _packed = _kept is null
            ? []
            : [.. Enumerable.Range(0, Math.Max(own, 1)).Select(i => _space.Take(FirstOwnPlace + i, _length))];
        BufferSlice[] mine = _kept is null
            ? [.. OwnNodes.Select(node => _own.Of(node).All)]
            : _packed[..own];
        BufferSlice result = _kept is null ? _own.Total.All : _packed[0];
        BufferSlice parts = _space.Take(ReceivedPlace, Math.Max((_nodes.Sum(nodes => nodes.Count) - own) * length, 1));
        var toOwners = new List<DeviceTransfer>();
        var toAll = new List<DeviceTransfer>();
        var leaves = new Dictionary<(int First, int End), BufferSlice>();
        for (int peer = 0; peer < count; peer++)
        {
            for (int i = 0; i < _nodes[peer].Count; i++)
            {
                TreeNode node = _nodes[peer][i];
                BufferSlice place = peer == rank
                    ? Part(mine[i], start, length)
                    : Part(parts, received++ * length, length);
                leaves.Add((node.First, node.End), place);
                if (peer != rank)
                    Add(toOwners, peer, sends: false, place);
            }
            if (peer == rank)
                continue;
            (int theirs, int theirLength) = Chunk(peer);
            foreach (BufferSlice node in mine)
                Add(toOwners, peer, sends: true, Part(node, theirs, theirLength));
            Add(toAll, peer, sends: true, Part(result, start, length));
            Add(toAll, peer, sends: false, Part(result, theirs, theirLength));
        }
        var sums = new List<(BufferSlice, BufferSlice)>();
        _finished = (Complete(0, _shards), Part(result, start, length));
        (_sums, _toOwners, _toAll) = ([.. sums], [.. toOwners], [.. toAll]);

        BufferSlice Complete(int first, int last)
        {
            if (leaves.TryGetValue((first, last), out BufferSlice leaf))
                return leaf;
            int middle = SummationTree.Middle(first, last);
            BufferSlice left = Complete(first, middle), right = Complete(middle, last);
            sums.Add((left, right));
            return left;
        }

        static void Add(List<DeviceTransfer> list, int peer, bool sends, BufferSlice values)
        {
            if (values.Length > 0)
                list.Add(new DeviceTransfer(peer, sends, values));
        }
    }

    private (int Start, int Length) Chunk(int rank)
    {
        int start = (int)((long)_length * rank / _team.Group.Count);
        return (start, (int)((long)_length * (rank + 1) / _team.Group.Count) - start);
    }

    private static BufferSlice Part(BufferSlice values, int start, int length) =>
        new(values.Buffer, values.Offset + start, length);
}
