using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Magnitude pruning with one threshold for the whole model (Frankle and Carbin, 2019, for VGG and ResNet).</summary>
internal class GlobalMagnitude : MagnitudePruner
{
    /// <inheritdoc/>
    public override string Name => PrunerCatalog.Global;

    /// <inheritdoc/>
    public override string Description => "smallest magnitudes of all prunable weights together";

    private protected override void Select(ModelState trained, PruningOptions options, Span<byte> states)
    {
        ReadOnlySpan<float> weights = Scores(trained, options);
        int pruned = states.Count(WeightState.Pruned), target = options.CountOf(weights.Length);
        RequireNoneBroughtBack(options, target, pruned, weights.Length);
        foreach (Parameter parameter in trained.Table.Prunable)
            ProtectLargest(weights.Slice(parameter.Offset, parameter.Length), states.Slice(
                parameter.Offset, parameter.Length), options.MinimumKept);
        int candidates = states.Count(WeightState.Candidate);
        if (target - pruned > candidates)
        {
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"A pruning ratio of {options.Ratio} cannot be reached: with at least {options.MinimumKept} kept in each layer, "
                + $"at most {pruned + candidates} of the {weights.Length} weights can be pruned; give a smaller ratio."));
        }

        MagnitudeCut cut = MagnitudeSelection.Find(weights, states, target - pruned);
        MagnitudeSelection.Mark(weights, states, cut, WeightState.Pruned, WeightState.Candidate);
    }

    /// <summary>What weights compete by, in place of themselves; only magnitudes count.</summary>
    private protected virtual ReadOnlySpan<float> Scores(ModelState trained, PruningOptions options) => trained.PrunableWeights;

    // Without this, a layer could lose its last weight and the network its function. The largest weights of a layer are the last
    // that the global rule would prune, so protecting them changes nothing for a layer that keeps enough anyway.
    private static void ProtectLargest(ReadOnlySpan<float> weights, Span<byte> states, int count)
    {
        int rest = states.Count(WeightState.Candidate) - count;
        if (rest <= 0)
            states.Replace(WeightState.Candidate, WeightState.Protected);
        else if (count > 0)
            MagnitudeSelection.Mark(
                weights, states, MagnitudeSelection.Find(weights, states, rest), WeightState.Candidate, WeightState.Protected);
    }
}
