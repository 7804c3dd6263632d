using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>Ends a donor's training when the mask that would be drawn from it has settled (You et al., "Drawing early-bird
/// tickets", 2020).</summary>
/// <param name="draw">Draws the mask of trained values.</param>
/// <param name="current">The mask that the donor trains under; null for none.</param>
/// <param name="table">The parameters that masks are for.</param>
/// <param name="threshold">Distance that the last mask must stay below from each of the four before; see
/// <see cref="MaskHistory"/>.</param>
internal sealed class EarlyBird(Func<ModelState, Mask> draw, Mask? current, ParameterTable table, double threshold)
    : IEpochRule
{
    private const string Prefix = "early-bird.";

    private readonly MaskHistory _history = new(current);

    /// <inheritdoc/>
    public bool Ends(Network network, TrainingState state)
    {
        ModelState weights = ModelState.Capture(network.Parameters, network.Backend);
        _history.Add(draw(weights));
        if (_history.LargestDistance is not { } distance || distance >= threshold)
            return false;
        state.MaskDistance = distance;
        return true;
    }

    /// <inheritdoc/>
    public void Keep(TrainingState state)
    {
        for (int i = 0; i < _history.Masks.Count; i++)
            state.KeptBytes[$"{Prefix}{i}"] = Pack(_history.Masks[i].Values);
    }

    /// <inheritdoc/>
    public void Restore(TrainingState state)
    {
        _history.Clear();
        for (int i = 0; i < MaskHistory.Capacity && state.KeptBytes.TryGetValue($"{Prefix}{i}", out byte[]? bits); i++)
            _history.Add(Unpack(bits));
    }

    private static byte[] Pack(ReadOnlySpan<byte> values)
    {
        byte[] bits = new byte[(values.Length + 7) / 8];
        for (int i = 0; i < values.Length; i++)
            bits[i / 8] |= (byte)(values[i] << (i % 8));
        return bits;
    }

    private Mask Unpack(byte[] bits)
    {
        byte[] values = new byte[table.PrunableLength];
        if (bits.Length != (values.Length + 7) / 8)
            throw new DamagedFileException("A checkpoint holds a mask of another model; delete it to start that stage again.");
        for (int i = 0; i < values.Length; i++)
            values[i] = (byte)(bits[i / 8] >> (i % 8) & 1);
        return Mask.FromValues(table, values);
    }
}
