using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>What a mask leaves of one prunable parameter.</summary>
/// <param name="Name">Full name of the parameter.</param>
/// <param name="Total">Its weights.</param>
/// <param name="Kept">How many are kept.</param>
/// <param name="LargestPruned">Largest magnitude of a pruned weight; null if none is pruned, or no weights were given.</param>
/// <param name="SmallestKept">Smallest magnitude of a kept weight; null if none is kept, or no weights were given.</param>
internal sealed record LayerPruning(string Name, int Total, int Kept, float? LargestPruned, float? SmallestKept)
{
    /// <summary>Pruned weights out of all of the layer's, in [0, 1].</summary>
    public double Sparsity => Total == 0 ? 0 : (double)(Total - Kept) / Total;
}

/// <summary>What a mask leaves of a model, layer by layer.</summary>
/// <param name="Total">Prunable weights.</param>
/// <param name="Kept">How many are kept.</param>
/// <param name="Layers">The prunable parameters in graph order.</param>
/// <param name="Warnings">A sentence for each layer that dies or nearly does.</param>
internal sealed record PruningReport(int Total, int Kept, IReadOnlyList<LayerPruning> Layers, IReadOnlyList<string> Warnings)
{
    /// <summary>Pruned weights out of all prunable ones, in [0, 1].</summary>
    public double Sparsity => Total == 0 ? 0 : (double)(Total - Kept) / Total;

    /// <summary>Multiply-adds of one sample's forward pass of the whole model; convolutions and linear layers only.</summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Those of them that belong to kept weights.</summary>
    public long KeptMultiplyAdds { get; init; }

    /// <summary>Describes a mask.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="weights">The weights that the mask was chosen by; null where they are not known.</param>
    /// <param name="minimumKept">Weights that every layer keeps at least; layers that have come down to it get a warning.</param>
    /// <exception cref="ArgumentException">The weights are another model's.</exception>
    public static PruningReport Describe(Mask mask, ModelState? weights = null, int minimumKept = PruningOptions.UsualMinimumKept)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (weights is not null && !Mask.SameLayout(mask.Table, weights.Table))
            throw new ArgumentException("the weights are of another model than the mask", nameof(weights));
        LayerPruning[] layers = [.. mask.Table.Prunable.Select(parameter => Describe(parameter, mask[parameter], weights))];
        return new PruningReport(
            mask.Length, mask.Kept, layers,
            [.. layers.Where(layer => layer.Kept < layer.Total && layer.Kept <= minimumKept).Select(Warning)])
        {
            MultiplyAdds = mask.Table.All
                .Where(parameter => parameter.Role is ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight)
                .Sum(parameter => (long)parameter.Length * parameter.Spec.Uses),
            KeptMultiplyAdds = mask.MultiplyAdds,
        };
    }

    private static LayerPruning Describe(Parameter parameter, ReadOnlySpan<byte> mask, ModelState? weights)
    {
        int kept = mask.Count((byte)1);
        if (weights is null)
            return new LayerPruning(parameter.Name, mask.Length, kept, null, null);
        ReadOnlySpan<float> values = weights[parameter];
        float largestPruned = 0, smallestKept = float.PositiveInfinity;
        for (int i = 0; i < values.Length; i++)
        {
            float magnitude = Math.Abs(values[i]);
            bool pruned = mask[i] == 0;
            largestPruned = Math.Max(largestPruned, pruned ? magnitude : 0);
            smallestKept = Math.Min(smallestKept, pruned ? float.PositiveInfinity : magnitude);
        }

        return new LayerPruning(
            parameter.Name, mask.Length, kept,
            kept < mask.Length ? largestPruned : null,
            kept > 0 ? smallestKept : null);
    }

    private static string Warning(LayerPruning layer) => layer.Kept == 0
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{layer.Name} keeps none of its {layer.Total:N0} weights, so nothing passes through it; prune less, or layer by "
            + $"layer.")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{layer.Name} keeps only {layer.Kept:N0} of its {layer.Total:N0} weights, the fewest that are allowed; prune less, "
            + $"or layer by layer.");
}
