namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>Pieces of work in the order in which they were declared, each once: those of one name are the same piece.</summary>
internal sealed class NodeSet
{
    private readonly Dictionary<string, ExperimentNode> _nodes = [];
    private readonly List<ExperimentNode> _order = [];

    /// <summary>All pieces, a seed's together, each after its inputs.</summary>
    public IReadOnlyList<ExperimentNode> BySeed => [.. _order.OrderBy(node => node.Seed)];

    /// <summary>Takes a piece of work in. Its inputs must be in.</summary>
    /// <returns>The piece itself, or the equal one that is there already.</returns>
    public TNode Add<TNode>(TNode node)
        where TNode : ExperimentNode
    {
        if (_nodes.TryGetValue(node.Name, out ExperimentNode? known))
            return (TNode)known;
        _nodes.Add(node.Name, node);
        _order.Add(node);
        return node;
    }
}
