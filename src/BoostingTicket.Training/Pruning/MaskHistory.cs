namespace BoostingTicket.Training.Pruning;

/// <summary>The last masks that were drawn during a training, and whether they have settled (Early-Bird tickets, You et al.,
/// 2020, here for masks of weights instead of channels).</summary>
/// <param name="current">What is pruned already, so that all masks prune it; null for nothing.</param>
/// <remarks>The paper divides the number of differing entries by the number of all entries, and stops below 0.1 at pruning ratios
/// of 0.3 to 0.7. Two masks of ratio r differ in at most 2 min(r, 1 - r) of all entries: 0.6, 1 and 0.6 at 0.3, 0.5 and 0.7, but
/// 0.1 at 0.95, where that threshold means nothing. Here the number is divided by the largest possible one, so that a threshold
/// means the same at every ratio; the paper's 0.1 is 0.17, 0.1 and 0.17 here.</remarks>
internal sealed class MaskHistory(Mask? current = null)
{
    /// <summary>Masks that are kept: the last is compared with the four before it.</summary>
    public const int Capacity = 5;

    private readonly List<Mask> _masks = [];

    /// <summary>The masks, oldest first.</summary>
    public IReadOnlyList<Mask> Masks => _masks;

    /// <summary>The largest distance of the last mask from the others, in [0, 1]; null before there are <see cref="Capacity"/>
    /// masks.</summary>
    public double? LargestDistance => _masks.Count < Capacity
        ? null
        : _masks.SkipLast(1).Max(mask => Distance(mask, _masks[^1], current));

    /// <summary>How far two masks differ: the weights that one keeps and the other prunes, as a share of the most that masks
    /// which keep as many can differ in. 0 for the same mask, 1 where no weight is kept by both, or none is pruned by
    /// both.</summary>
    /// <param name="first">A mask.</param>
    /// <param name="second">Another of the same model.</param>
    /// <param name="current">What is pruned already, so that both prune it; null for nothing.</param>
    public static double Distance(Mask first, Mask second, Mask? current = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        long kept = (long)first.Kept + second.Kept, free = current?.Kept ?? first.Length;
        long most = Math.Min(kept, 2 * free - kept);
        return most <= 0 ? 0 : (double)first.HammingDistance(second) / most;
    }

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
