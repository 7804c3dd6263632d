using System.Numerics;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>A node of the tree: the sum of the shards [<paramref name="First"/>, <paramref name="End"/>), and where it is
/// kept.</summary>
/// <param name="First">Its first shard.</param>
/// <param name="End">The shard behind its last.</param>
/// <param name="Slot">Number of the place that holds it.</param>
internal readonly record struct TreeNode(int First, int End, int Slot);

/// <summary>Adds a place to another one.</summary>
/// <param name="Into">Read and written.</param>
/// <param name="From">Read; free afterwards.</param>
internal readonly record struct TreeSum(int Into, int From);

/// <summary>The order in which the values of shards are added up: a binary tree in which the shards [a, b) fall apart at a plus
/// the largest power of two below b - a. It depends on the number of shards alone, so that the sum has the same bits wherever
/// shards are computed. This is the part of it that one process adds up: the largest nodes of which it has every shard.</summary>
internal sealed class SummationTree
{
    private readonly int _first;
    private readonly int _end;
    private readonly int[] _leaves;
    private readonly List<TreeSum>[] _sums;
    private readonly List<TreeNode> _nodes = [];
    private readonly SortedSet<int> _free = [];

    /// <summary>Plans the sums.</summary>
    /// <param name="shards">Shards of the whole tree.</param>
    /// <param name="first">The first of the process.</param>
    /// <param name="end">The shard behind its last.</param>
    public SummationTree(int shards, int first, int end)
    {
        _first = first;
        _end = end;
        _leaves = new int[end - first];
        _sums = [.. _leaves.Select(_ => new List<TreeSum>())];
        if (end > first && Visit(0, shards) is { } root)
            _nodes.Add(root);
    }

    /// <summary>Places that are used at a time, at most.</summary>
    public int Slots { get; private set; }

    /// <summary>What is left when all shards of the process are added, in order.</summary>
    public IReadOnlyList<TreeNode> Nodes => _nodes;

    /// <summary>Where the shards [first, end) fall apart.</summary>
    public static int Middle(int first, int end) => first + (int)(BitOperations.RoundUpToPowerOf2((uint)(end - first)) / 2);

    /// <summary>The place for a shard's own values.</summary>
    /// <param name="shard">A shard of the process; they come in order.</param>
    public int Leaf(int shard) => _leaves[shard - _first];

    /// <summary>What can be added up once a shard is there.</summary>
    public List<TreeSum> SumsAfter(int shard) => _sums[shard - _first];

    private TreeNode? Visit(int first, int end)
    {
        if (end <= _first || first >= _end)
            return null;
        if (end - first == 1)
            return new TreeNode(first, end, _leaves[first - _first] = Take());
        int middle = Middle(first, end);
        TreeNode? left = Visit(first, middle), right = Visit(middle, end);
        if (first >= _first && end <= _end)
        {
            _sums[end - 1 - _first].Add(new TreeSum(left!.Value.Slot, right!.Value.Slot));
            _free.Add(right.Value.Slot);
            return new TreeNode(first, end, left.Value.Slot);
        }
        if (left is { } one)
            _nodes.Add(one);
        if (right is { } other)
            _nodes.Add(other);
        return null;
    }

    private int Take()
    {
        if (_free.Count == 0)
            return Slots++;
        int slot = _free.Min;
        _free.Remove(slot);
        return slot;
    }
}
