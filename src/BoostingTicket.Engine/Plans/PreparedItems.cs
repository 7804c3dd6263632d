using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>Something that is computed from weights and statistics alone, and again when they change.</summary>
internal class PreparedItem(bool readsStatistics)
{
    private (int Weights, int Statistics) _version = (-1, -1);
    private PreparedItem? _rival;

    /// <summary>Whether it is up to date.</summary>
    public bool IsCurrent(ParameterStore store) => _version == VersionOf(store);

    /// <summary>Two forms of one thing in the same memory: at most one of them holds something.</summary>
    public static (PreparedItem Plain, PreparedItem WithStatistics) Forms()
    {
        PreparedItem plain = new(readsStatistics: false), other = new(readsStatistics: true);
        (plain._rival, other._rival) = (other, plain);
        return (plain, other);
    }

    /// <summary>Says that it was brought up to date.</summary>
    public void MarkCurrent(ParameterStore store)
    {
        _version = VersionOf(store);
        _rival?.MarkStale();
    }

    /// <summary>Says that it holds nothing.</summary>
    public void MarkStale() => _version = (-1, -1);

    private (int Weights, int Statistics) VersionOf(ParameterStore store) =>
        (store.WeightsVersion, readsStatistics ? store.StatisticsVersion : 0);
}

/// <summary>A filter that all plans of a network share which read the same weights. With a normalisation folded into it or
/// without, it is the same memory: weights change between one step's training and the next one's attack, so that both forms are
/// made once a step anyway, and transformed filters of wide layers would be most of what a network needs. Made for more uses when
/// a plan wants more.</summary>
internal sealed class SharedFilter : IDisposable
{
    private readonly IBackend _backend;
    private readonly ConvolutionShape _shape;
    private readonly PreparedItem _plain;
    private readonly PreparedItem _folded;
    private Filter _filter;

    internal SharedFilter(IBackend backend, ConvolutionShape shape, FilterUses uses)
    {
        _backend = backend;
        _shape = shape;
        _filter = backend.CreateFilter(shape, uses);
        (_plain, _folded) = PreparedItem.Forms();
    }

    /// <summary>The filter as it is now; ask at every use.</summary>
    public Filter Filter => _filter;

    internal PreparedItem Item(bool folded) => folded ? _folded : _plain;

    internal void Require(FilterUses uses)
    {
        FilterUses united = _filter.Uses | uses;
        if (united == _filter.Uses)
            return;
        _filter.Dispose();
        _filter = _backend.CreateFilter(_shape, united);
        _plain.MarkStale();
        _folded.MarkStale();
    }

    /// <inheritdoc/>
    public void Dispose() => _filter.Dispose();
}

/// <summary>A normalisation by running statistics as a scale and a shift for each channel.</summary>
internal sealed class FoldedNormalization : PreparedItem, IDisposable
{
    private readonly FloatBuffer _values;

    public FoldedNormalization(IBackend backend, int channels) : base(readsStatistics: true)
    {
        _values = backend.CreateFloats(2 * channels);
        Scale = new BufferSlice(_values, 0, channels);
        Shift = new BufferSlice(_values, channels, channels);
    }

    public BufferSlice Scale { get; }

    public BufferSlice Shift { get; }

    public void Dispose() => _values.Dispose();
}

/// <summary>What the plans of a network compute from its weights and share.</summary>
internal sealed class PreparedItems(IBackend backend) : IDisposable
{
    private readonly Dictionary<(Node Node, bool ForAttacks), SharedFilter> _filters = [];
    private readonly Dictionary<(Node Node, Node? Convolution), FoldedNormalization> _folded = [];

    /// <summary>Bytes of all filters.</summary>
    public long FilterBytes => _filters.Values.Sum(shared => shared.Filter.Bytes);

    /// <summary>The filter of a convolution or linear layer.</summary>
    /// <param name="node">The layer.</param>
    /// <param name="shape">The convolution.</param>
    /// <param name="uses">What it is used for, among others.</param>
    public SharedFilter Filter(Node node, ConvolutionShape shape, FilterUses uses)
    {
        (Node, bool) key = (node, uses.HasFlag(FilterUses.Attack));
        if (_filters.TryGetValue(key, out SharedFilter? shared))
            shared.Require(uses);
        else
            _filters.Add(key, shared = new SharedFilter(backend, shape, uses));
        return shared;
    }

    /// <summary>The folded form of a normalisation.</summary>
    /// <param name="node">The normalisation.</param>
    /// <param name="convolution">The layer before it whose bias is folded too, or null.</param>
    public FoldedNormalization Folded(Node node, Node? convolution)
    {
        if (!_folded.TryGetValue((node, convolution), out FoldedNormalization? folded))
            _folded.Add((node, convolution), folded = new FoldedNormalization(backend, node.Shape.Channels));
        return folded;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SharedFilter filter in _filters.Values)
            filter.Dispose();
        foreach (FoldedNormalization folded in _folded.Values)
            folded.Dispose();
    }
}
