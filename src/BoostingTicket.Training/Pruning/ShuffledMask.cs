using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>The shuffled-mask control: every layer keeps as many weights as the ticket's, but not the same ones. What a ticket
/// gains over it comes from which weights are kept, not from how many a layer has.</summary>
internal static class ShuffledMask
{
    /// <summary>Permutes the mask of each layer at random.</summary>
    /// <param name="mask">The ticket's mask; not changed.</param>
    /// <param name="seed">The run's seed. A layer's permutation depends on it, the layer's name and its size alone.</param>
    public static Mask Of(Mask mask, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(mask);
        byte[] values = mask.Values.ToArray();
        ulong key = Philox.Key(seed, RandomStream.MaskShuffle);
        foreach (Parameter parameter in mask.Table.Prunable)
        {
            ulong name = Initialization.NameHash(parameter.Name);
            new RandomSequence(key, (uint)name, (uint)(name >> 32)).Shuffle(values.AsSpan(parameter.Offset, parameter.Length));
        }

        return new Mask(mask.Table, values);
    }
}
