using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Prunes the weights of smallest magnitude, exactly as many as asked for. Of weights of equal magnitude, those that
/// come first in the flat buffer are pruned first (layers in graph order, then PyTorch's order), so that the same weights always
/// give the same mask. A ratio that cannot be reached, or that would bring back weights, is refused.</summary>
internal abstract class MagnitudePruner : IPruner
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
        RequireFinite(trained);
        byte[] states = (current ?? Mask.Dense(trained.Table)).Values.ToArray();
        Select(trained, options, states);
        states.AsSpan().Replace(WeightState.Protected, WeightState.Candidate);
        var mask = new Mask(trained.Table, states);
        PruningReport report = PruningReport.Describe(mask, trained, options.MinimumKept);
        return new PruningResult(mask, report with { Warnings = [.. report.Warnings, .. Remarks(mask, options)] });
    }

    /// <summary>Marks what is to be pruned.</summary>
    /// <param name="trained">The model, all of whose prunable weights are finite.</param>
    /// <param name="options">How much to prune.</param>
    /// <param name="states">A <see cref="WeightState"/> for each prunable weight, none protected yet; changed.</param>
    private protected abstract void Select(ModelState trained, PruningOptions options, Span<byte> states);

    /// <summary>What there is to say about a mask besides; a sentence each.</summary>
    private protected virtual IEnumerable<string> Remarks(Mask mask, PruningOptions options) => [];

    /// <summary>Makes sure that a ratio leaves pruned what is pruned already.</summary>
    /// <param name="options">The ratio.</param>
    /// <param name="target">How many weights it prunes.</param>
    /// <param name="pruned">How many are pruned.</param>
    /// <param name="weights">How many there are.</param>
    /// <exception cref="ConfigurationException">It does not.</exception>
    private protected static void RequireNoneBroughtBack(PruningOptions options, int target, int pruned, int weights)
    {
        if (target < pruned)
        {
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"A pruning ratio of {options.Ratio} would bring back weights, since {pruned} of {weights} are pruned already; "
                    + $"give a larger ratio."));
        }
    }

    /// <summary>Makes sure that all prunable weights are numbers that can be compared.</summary>
    /// <exception cref="DivergedException">One is not.</exception>
    internal static void RequireFinite(ModelState trained)
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
                        $"Weight {i} of {parameter.Name} is {values[i]}, so the smallest weights cannot be found; training "
                        + $"diverged: lower the learning rate and train again."));
                }
            }
        }
    }
}
