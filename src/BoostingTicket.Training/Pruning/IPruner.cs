using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>A rule that decides which weights of a trained model to prune.</summary>
internal interface IPruner
{
    /// <summary>The name, as options spell it.</summary>
    string Name { get; }

    /// <summary>What it does, in one line for people.</summary>
    string Description { get; }

    /// <summary>Chooses a mask. The same input always gives the same mask.</summary>
    /// <param name="trained">The trained model; not changed.</param>
    /// <param name="options">How much to prune.</param>
    /// <param name="current">What is pruned already and stays so; null for nothing.</param>
    /// <exception cref="ConfigurationException">The ratio is out of range, or cannot be reached.</exception>
    /// <exception cref="DivergedException">A weight is not a finite number.</exception>
    /// <exception cref="ArgumentException">The mask is another model's.</exception>
    PruningResult Prune(ModelState trained, PruningOptions options, Mask? current = null);
}

/// <summary>How much to prune.</summary>
/// <param name="Ratio">
/// Pruned weights out of all prunable ones once it is done, in [0, 1), weights pruned before included. The paper prunes 0.8.
/// </param>
/// <param name="MinimumKept">Weights that every layer keeps at least, so that none dies; 0 to let layers die.</param>
internal sealed record PruningOptions(double Ratio, int MinimumKept = PruningOptions.UsualMinimumKept)
{
    /// <summary>The default of <see cref="MinimumKept"/>.</summary>
    public const int UsualMinimumKept = 1;

    /// <summary>The default of <see cref="CostExponent"/>.</summary>
    public const double UsualCostExponent = 0.1;

    /// <summary>With the scope <c>cost</c>, the power to which a weight's cost divides its magnitude; at least 0.</summary>
    public double CostExponent { get; init; } = UsualCostExponent;

    /// <summary>The most that <see cref="CostExponent"/> can be.</summary>
    public const double MostCostExponent = 2;

    /// <summary>How many of so many weights the ratio prunes: the nearest whole number, halves upwards.</summary>
    public int CountOf(int weights) => (int)Math.Round(Ratio * weights, MidpointRounding.AwayFromZero);

    /// <summary>Makes sure that the values are possible.</summary>
    /// <exception cref="ConfigurationException">One is not.</exception>
    public void Check()
    {
        // Written so that NaN fails.
        if (!(Ratio >= 0 && Ratio < 1))
            throw new ConfigurationException(FormattableString.Invariant(
                $"The pruning ratio {Ratio} is out of range; give a number from 0 to below 1, such as 0.8."));
        if (!(CostExponent is >= 0 and <= MostCostExponent))
            throw new ConfigurationException(FormattableString.Invariant(
                $"The cost exponent {CostExponent} is out of range; give a number from 0 to {MostCostExponent}, such as 0.1."));
        if (MinimumKept < 0)
            throw new ConfigurationException(FormattableString.Invariant(
                $"The minimum of {MinimumKept} weights to keep a layer is out of range; give 0 or more."));
    }
}

/// <summary>A chosen mask.</summary>
/// <param name="Mask">The mask.</param>
/// <param name="Report">What it leaves, layer by layer.</param>
internal sealed record PruningResult(Mask Mask, PruningReport Report);
