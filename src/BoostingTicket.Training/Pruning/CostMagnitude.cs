using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Magnitude pruning with one threshold for the whole model that rises with what a weight costs: the smallest |w| /
/// cost^γ go first, the cost being the multiply-adds of one sample that the weight takes part in, which are its layer's output
/// pixels. γ = 0 is <see cref="GlobalMagnitude"/>. Early layers, whose few weights are used at many pixels, are pruned more, and
/// steps become faster at the same ratio.</summary>
internal sealed class CostMagnitude : GlobalMagnitude
{
    /// <inheritdoc/>
    public override string Name => PrunerCatalog.Cost;

    /// <inheritdoc/>
    public override string Description => "as global, but a weight counts less the more multiply-adds it costs";

    private protected override ReadOnlySpan<float> Scores(ModelState trained, PruningOptions options)
    {
        float[] scores = trained.PrunableWeights.ToArray();
        foreach (Parameter parameter in trained.Table.Prunable)
        {
            float factor = (float)Math.Pow(parameter.Spec.Uses, -options.CostExponent);
            foreach (ref float score in scores.AsSpan(parameter.Offset, parameter.Length))
                score *= factor;
        }

        return scores;
    }
}
