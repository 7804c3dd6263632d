using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>What pruning leaves of a model: the network of the channels that are kept, and which of its weights are.</summary>
/// <param name="Full">The model.</param>
/// <param name="Mask">What is kept of the weights of <see cref="Graph"/>.</param>
/// <param name="Channels">Which channels are kept; null for all.</param>
internal sealed record SubNetwork(NetworkGraph Full, Mask Mask, ChannelSelection? Channels = null)
{
    /// <summary>The network to train: the model, or a smaller one.</summary>
    public NetworkGraph Graph => Channels?.Graph ?? Full;

    /// <summary>The mask to train under; null where it keeps all of a smaller network, which is then simply dense.</summary>
    public Mask? TrainingMask => Channels is not null && Mask.Pruned == 0 ? null : Mask;

    /// <summary>What is kept of the model's weights.</summary>
    public Mask FullMask => Channels is null ? Mask : Channels.Widen(Mask);

    /// <summary>What is kept of the weights of a sub-network that this one is a part of.</summary>
    /// <param name="outer">That sub-network; null for the model.</param>
    public Mask MaskWithin(SubNetwork? outer) => outer?.Channels is { } channels ? channels.Narrow(FullMask) : FullMask;

    /// <summary>Share of the model's prunable weights that is gone, in [0, 1].</summary>
    public double Sparsity => Full.Table.PrunableLength == 0
        ? 0
        : (double)(Full.Table.PrunableLength - Mask.Kept) / Full.Table.PrunableLength;

    /// <summary>Multiply-adds of one sample's forward pass that belong to kept weights.</summary>
    public long MultiplyAdds => Mask.MultiplyAdds;

    /// <summary>The part of a state of the model that <see cref="Graph"/> has; not masked.</summary>
    public ModelState Take(ModelState full) => Channels is null ? full : Channels.Take(full);

    /// <summary>The control: as many channels of each group and as many weights of each layer, chosen at random.</summary>
    /// <param name="seed">The run's seed.</param>
    public SubNetwork Shuffled(ulong seed)
    {
        ChannelSelection? channels = Channels?.Shuffled(seed);
        Mask shuffled = ShuffledMask.Of(Mask, seed);
        // The small network of the other channels has the same shapes.
        return new SubNetwork(
            Full, channels is null ? shuffled : Mask.FromValues(channels.Graph.Table, shuffled.Values), channels);
    }
}
