using BoostingTicket.Runs.Reporting;

namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>How soon ways of training reach the robustness of the full network that is trained on PGD.</summary>
/// <param name="Rows">A row for each network and way, the full network's first.</param>
/// <param name="Points">Every epoch of every training.</param>
internal sealed record SpeedResult(IReadOnlyList<SpeedRow> Rows, IReadOnlyList<CoursePoint> Points)
{
    /// <summary>Whether a GPU trained. Seconds of processors are those of its host then, and say nothing of its work: only
    /// seconds that passed are compared.</summary>
    public bool OnGpu { get; init; }
}

/// <summary>A way of training a network, over all seeds.</summary>
/// <param name="Model">The network.</param>
/// <param name="Arm">The way.</param>
/// <param name="IsBaseline">Whether the times of others are given as multiples of its own: the full network on PGD, and what
/// other programs did.</param>
/// <param name="Seeds">Seed by seed.</param>
internal sealed record SpeedRow(string Model, string Arm, bool IsBaseline, IReadOnlyList<SpeedSeed> Seeds)
{
    /// <summary>A value over all seeds.</summary>
    public Spread Over(Func<SpeedSeed, double> value) => Spread.Of([.. Seeds.Select(value)]);

    /// <summary>A value over the seeds that have it; null where none has.</summary>
    public Spread? Over(Func<SpeedSeed, double?> value)
    {
        double[] known = [.. Seeds.Select(value).OfType<double>()];
        return known.Length == 0 ? null : Spread.Of(known);
    }

    /// <summary>How many times sooner than another it reaches the accuracy, over the seeds in which both do; null where there are
    /// none. Times of 0, which no clock measured, have no ratio.</summary>
    /// <param name="other">The other.</param>
    /// <param name="reached">When a training reaches the accuracy that is meant.</param>
    /// <param name="seconds">Which seconds.</param>
    public RatioSpread? Sooner(SpeedRow other, Func<SpeedSeed, ElapsedSeconds?> reached, Func<ElapsedSeconds, double> seconds)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(reached);
        ArgumentNullException.ThrowIfNull(seconds);
        double[] multiples =
        [
            .. from seed in Seeds
               from same in other.Seeds
               where seed.Seed == same.Seed
               let times = (Own: reached(seed), Other: reached(same))
               where times.Own is not null && times.Other is not null
               let own = seconds(times.Own!.Value)
               let others = seconds(times.Other!.Value)
               where own > 0 && others > 0
               select others / own,
        ];
        return multiples.Length == 0 ? null : RatioSpread.Of(multiples);
    }
}

/// <summary>One training.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Target">Accuracy under PGD that the full network of this seed has at its end, in [0, 1].</param>
/// <param name="Reached">When it reaches that (<see cref="Crossing"/>); null where it does not.</param>
/// <param name="NearlyReached">When it reaches <see cref="SpeedMeasurement.NearlyEqual"/> of that; null where it does
/// not.</param>
/// <param name="Whole">What all of its training took, that of its donor included.</param>
/// <param name="Epochs">Its epochs, those of a donor left out.</param>
/// <param name="Clean">Accuracy at its end, in [0, 1].</param>
/// <param name="Robust">The same under PGD.</param>
/// <param name="AutoAttack">The same under AutoAttack on the first test images; null where it was not measured.</param>
internal sealed record SpeedSeed(
    ulong Seed, double Target, ElapsedSeconds? Reached, ElapsedSeconds? NearlyReached, ElapsedSeconds Whole, int Epochs,
    double Clean, double Robust, double? AutoAttack)
{
    /// <summary>Test images that AutoAttack attacked, the first of all; null where it was not measured.</summary>
    public int? AutoAttackSamples { get; init; }
}
