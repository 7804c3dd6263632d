using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Magnitude pruning with the same ratio in every layer. A layer of which more is pruned already stays as it
/// is.</summary>
public sealed class LayerwiseMagnitude : MagnitudePruner
{
    /// <inheritdoc/>
    public override string Name => "layerwise";

    /// <inheritdoc/>
    public override string Description => "smallest magnitudes of each layer, the same ratio in all";

    private protected override void Select(ModelState trained, PruningOptions options, Span<byte> states)
    {
        foreach (Parameter parameter in trained.Table.Prunable)
        {
            ReadOnlySpan<float> weights = trained[parameter];
            Span<byte> layer = states.Slice(parameter.Offset, parameter.Length);
            int target = Math.Min(options.CountOf(layer.Length), Math.Max(0, layer.Length - options.MinimumKept));
            int more = Math.Max(0, target - layer.Count(WeightState.Pruned));
            MagnitudeCut cut = MagnitudeSelection.Find(weights, layer, more);
            MagnitudeSelection.Mark(weights, layer, cut, WeightState.Pruned, WeightState.Candidate);
        }
    }
}
