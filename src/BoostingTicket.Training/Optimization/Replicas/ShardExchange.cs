using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>Completes the sums of a step over the processes of a team. Each sends the nodes of the tree that it has: of each, a
/// chunk to the process that owns it. Owners finish the tree for their chunk and send it to all. Gradients of pruned weights,
/// which no optimizer reads, do not travel. Allocates nothing once made, while masks stay.</summary>
internal sealed unsafe class ShardExchange
{
    private const int ResultArray = 0, StagedArray = 1, ReceivedArray = 2, FirstOwnArray = 3;

    private readonly RankTeam _team;
    private readonly IBackend _backend;
    private readonly ParameterStore _store;
    private readonly IReadOnlyList<TreeNode>[] _nodes;
    private readonly ExchangeSpace _space;
    private readonly int _shards;
    private int[]? _kept;
    private int? _maskVersion;
    private int _spaceVersion = -1;
    private int _length;
    private RankTransfer[] _toOwners = [];
    private RankTransfer[] _toAll = [];
    private (int Into, int From)[] _sums = [];
    private nint[] _places = [];

    /// <summary>Plans the exchange.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="network">The network.</param>
    /// <param name="plan">Shards of the step.</param>
    public ShardExchange(RankTeam team, Network network, ShardPlan plan)
    {
        _team = team;
        _backend = network.Backend;
        _store = network.Parameters;
        _space = ExchangeSpace.Of(team);
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
            return _toOwners.Concat(_toAll).Where(transfer => transfer.Sends).Sum(transfer => transfer.Bytes);
        }
    }

    /// <summary>Adds up the sums of all processes.</summary>
    /// <param name="sums">What this process has added up; receives the sum of all, but for gradients of pruned weights.</param>
    /// <param name="total">Receives it.</param>
    public void Run(ShardSums sums, FloatBuffer total)
    {
        Prepare();
        int rank = _team.Group.Rank;
        float[] staged = _space.Take(StagedArray, sums.Length);
        for (int i = 0; i < _nodes[rank].Count; i++)
        {
            float[] own = _space.Take(FirstOwnArray + i, _length);
            float[] values = _kept is null ? own : staged;
            _backend.Download(sums.Of(_nodes[rank][i]).All, values.AsSpan(0, sums.Length));
            if (_kept is not null)
                Pack(values, own);
        }
        _team.Group.Exchange(_toOwners);
        (int start, int end) = Chunk(rank);
        foreach ((int into, int from) in _sums)
            Add((float*)_places[from], (float*)_places[into], end - start);
        float[] result = _space.Take(ResultArray, _length);
        new ReadOnlySpan<float>((void*)_places[0], end - start).CopyTo(result.AsSpan(start));
        _team.Group.Exchange(_toAll);
        if (_kept is not null)
            Unpack(result, staged);
        _backend.Upload((_kept is null ? result : staged).AsSpan(0, sums.Length), total.All);
    }

    private void Prepare()
    {
        if (_maskVersion == _store.MaskVersion && _spaceVersion == _space.Version)
            return;
        _maskVersion = _store.MaskVersion;
        ParameterTable table = _store.Table;
        int all = table.TrainedLength + table.StatisticsLength;
        _kept = null;
        if (_store.Masks is { } masks)
        {
            float[] values = new float[table.PrunableLength];
            _backend.Download(masks.All, values);
            _kept = [.. Enumerable.Range(0, values.Length).Where(i => values[i] != 0)];
        }
        _length = _kept is null ? all : _kept.Length + all - table.PrunableLength;
        Plan();
        _spaceVersion = _space.Version;
    }

    // Lists of transfers, and the order of sums; arrays are pinned, so that addresses hold.
    private void Plan()
    {
        int rank = _team.Group.Rank, count = _team.Group.Count;
        (int start, int end) = Chunk(rank);
        int own = _nodes[rank].Count;
        nint[] mine = [.. Enumerable.Range(0, own).Select(i => AddressOf(_space.Take(FirstOwnArray + i, _length), 0))];
        int foreign = _nodes.Sum(nodes => nodes.Count) - own, received = 0;
        float[] parts = _space.Take(ReceivedArray, Math.Max(foreign * (end - start), 1));
        _ = _space.Take(StagedArray, _store.Table.TrainedLength + _store.Table.StatisticsLength);
        float[] result = _space.Take(ResultArray, _length);
        var toOwners = new List<RankTransfer>();
        var toAll = new List<RankTransfer>();
        var places = new List<nint>();
        var leaves = new Dictionary<(int First, int End), int>();
        for (int peer = 0; peer < count; peer++)
        {
            for (int i = 0; i < _nodes[peer].Count; i++)
            {
                TreeNode node = _nodes[peer][i];
                leaves.Add((node.First, node.End), places.Count);
                if (peer == rank)
                {
                    places.Add(mine[i] + (nint)start * sizeof(float));
                    continue;
                }
                nint place = AddressOf(parts, received++ * (end - start));
                places.Add(place);
                Add(toOwners, peer, sends: false, place, end - start);
            }
            if (peer == rank)
                continue;
            (int theirs, int theirEnd) = Chunk(peer);
            foreach (nint node in mine)
                Add(toOwners, peer, sends: true, node + (nint)theirs * sizeof(float), theirEnd - theirs);
            Add(toAll, peer, sends: true, AddressOf(result, start), end - start);
            Add(toAll, peer, sends: false, AddressOf(result, theirs), theirEnd - theirs);
        }
        var sums = new List<(int, int)>();
        int root = Complete(0, _shards);
        // The sum is looked for in the first place.
        (places[0], places[root]) = (places[root], places[0]);
        _sums = [.. sums.Select(sum => (Swapped(sum.Item1), Swapped(sum.Item2)))];
        _places = [.. places];
        _toOwners = [.. toOwners];
        _toAll = [.. toAll];

        int Swapped(int place) => place == root ? 0 : place == 0 ? root : place;

        int Complete(int first, int last)
        {
            if (leaves.TryGetValue((first, last), out int leaf))
                return leaf;
            int middle = SummationTree.Middle(first, last);
            int left = Complete(first, middle), right = Complete(middle, last);
            sums.Add((left, right));
            return left;
        }

        static void Add(List<RankTransfer> list, int peer, bool sends, nint address, int values)
        {
            if (values > 0)
                list.Add(new RankTransfer(peer, sends, address, (long)values * sizeof(float)));
        }
    }

    private (int Start, int End) Chunk(int rank) => (
        (int)((long)_length * rank / _team.Group.Count), (int)((long)_length * (rank + 1) / _team.Group.Count));

    private void Pack(float[] values, float[] packed)
    {
        int[] kept = _kept!;
        for (int i = 0; i < kept.Length; i++)
            packed[i] = values[kept[i]];
        values.AsSpan(_store.Table.PrunableLength, _length - kept.Length).CopyTo(packed.AsSpan(kept.Length));
    }

    private void Unpack(float[] packed, float[] values)
    {
        int[] kept = _kept!;
        for (int i = 0; i < kept.Length; i++)
            values[kept[i]] = packed[i];
        packed.AsSpan(kept.Length, _length - kept.Length).CopyTo(values.AsSpan(_store.Table.PrunableLength));
    }

    private static nint AddressOf(float[] pinned, int index) =>
        (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned))
            + (nint)index * sizeof(float);

    private static void Add(float* source, float* values, int length)
    {
        int i = 0;
        for (; i + Vector<float>.Count <= length; i += Vector<float>.Count)
            Vector.Store(Vector.Load(values + i) + Vector.Load(source + i), values + i);
        for (; i < length; i++)
            values[i] += source[i];
    }
}
