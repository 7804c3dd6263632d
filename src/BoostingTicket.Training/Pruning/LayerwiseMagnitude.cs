using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Magnitude pruning with the same ratio in every layer, the number of weights rounded in each. A layer of which more is
/// pruned already stays as it is, which the report says.</summary>
internal sealed class LayerwiseMagnitude : MagnitudePruner
{
    /// <inheritdoc/>
    public override string Name => PrunerCatalog.Layerwise;

    /// <inheritdoc/>
    public override string Description => "smallest magnitudes of each layer, the same ratio in all";

    private protected override void Select(ModelState trained, PruningOptions options, Span<byte> states)
    {
        int asked = trained.Table.Prunable.Sum(parameter => options.CountOf(parameter.Length));
        RequireNoneBroughtBack(options, asked, states.Count(WeightState.Pruned), states.Length);
        foreach (Parameter parameter in trained.Table.Prunable)
        {
            ReadOnlySpan<float> weights = trained[parameter];
            Span<byte> layer = states.Slice(parameter.Offset, parameter.Length);
            int pruned = layer.Count(WeightState.Pruned), target = options.CountOf(layer.Length);
            int most = Math.Max(pruned, layer.Length - options.MinimumKept);
            if (target > most)
            {
                throw new ConfigurationException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"A pruning ratio of {options.Ratio} cannot be reached in {parameter.Name}: with at least "
                        + $"{options.MinimumKept} kept in each layer, at most {Math.Max(most, 0)} of its {layer.Length} "
                        + $"weights can be pruned; give a smaller ratio ({Setting.Named("pruning.ratio")}), or prune globally "
                        + $"({Setting.Named("pruning.scope")} global)."));
            }

            MagnitudeCut cut = MagnitudeSelection.Find(weights, layer, Math.Max(0, target - pruned));
            MagnitudeSelection.Mark(weights, layer, cut, WeightState.Pruned, WeightState.Candidate);
        }
    }

    private protected override IEnumerable<string> Remarks(Mask mask, PruningOptions options) =>
        from parameter in mask.Table.Prunable
        let pruned = mask[parameter].Count((byte)0)
        where pruned > options.CountOf(parameter.Length)
        select string.Create(
            CultureInfo.InvariantCulture,
            $"{parameter.Name} had {pruned:N0} of its {parameter.Length:N0} weights pruned already, more than the ratio of "
                + $"{options.Ratio} asks for, and stays so.");
}
