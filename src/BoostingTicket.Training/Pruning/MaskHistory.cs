namespace BoostingTicket.Training.Pruning;

/// <summary>The last masks that were drawn during a training, and whether they have settled (Early-Bird tickets, You et al., 2020, here
/// for masks of weights instead of channels).</summary>
public sealed class MaskHistory
{
    /// <summary>Masks that are kept: the last is compared with the four before it.</summary>
    public const int Capacity = 5;

    private readonly List<Mask> _masks = [];

    /// <summary>The masks, oldest first.</summary>
    public IReadOnlyList<Mask> Masks => _masks;

    /// <summary>The largest distance of the last mask from the others, as the share of prunable weights that one of two masks keeps and
    /// the other prunes; null before there are <see cref="Capacity"/> masks.</summary>
    public double? LargestDistance => _masks.Count < Capacity
        ? null
        : _masks.SkipLast(1).Max(mask => (double)mask.HammingDistance(_masks[^1])) / Math.Max(_masks[^1].Length, 1);

    /// <summary>Adds the mask of another epoch; the oldest of too many is forgotten.</summary>
    public void Add(Mask mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (_masks.Count == Capacity)
            _masks.RemoveAt(0);
        _masks.Add(mask);
    }

    /// <summary>Forgets all masks.</summary>
    public void Clear() => _masks.Clear();
}
