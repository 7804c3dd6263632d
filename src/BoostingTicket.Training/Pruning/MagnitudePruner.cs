using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Prunes the weights of smallest magnitude, exactly as many as asked for, weights of equal magnitude in the order of
/// their index in the flat buffer.</summary>
public abstract class MagnitudePruner : IPruner
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <inheritdoc/>
    public PruningResult Prune(ModelState trained, PruningOptions options, Mask? current = null)
    {
        ArgumentNullException.ThrowIfNull(trained);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (current is not null && !Mask.SameLayout(current.Table, trained.Table))
            throw new ArgumentException("the mask is of another model than the weights", nameof(current));
        CheckFinite(trained);
        byte[] states = (current ?? Mask.Dense(trained.Table)).Values.ToArray();
        Select(trained, options, states);
        states.AsSpan().Replace(WeightState.Protected, WeightState.Candidate);
        var mask = new Mask(trained.Table, states);
        return new PruningResult(mask, PruningReport.Describe(mask, trained, options.MinimumKept));
    }

    /// <summary>Marks what is to be pruned.</summary>
    /// <param name="trained">The model, all of whose prunable weights are finite.</param>
    /// <param name="options">How much to prune.</param>
    /// <param name="states">A <see cref="WeightState"/> for each prunable weight, none protected yet; changed.</param>
    private protected abstract void Select(ModelState trained, PruningOptions options, Span<byte> states);

    private static void CheckFinite(ModelState trained)
    {
        foreach (Parameter parameter in trained.Table.Prunable)
        {
            ReadOnlySpan<float> values = trained[parameter];
            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i]))
                {
                    throw new DivergedException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"Weight {i} of {parameter.Name} is {values[i]}, so there is no telling which weights are smallest; training diverged: lower the learning rate and train again."));
                }
            }
        }
    }
}
