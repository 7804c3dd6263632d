using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>What an attack, or a stage of AutoAttack, left.</summary>
/// <param name="Attack">Name of the attack.</param>
/// <param name="Samples">All samples evaluated.</param>
/// <param name="Attacked">Samples that it was given: correct clean and, in AutoAttack, after the stages before.</param>
/// <param name="Robust">Share of all samples that are still classified correctly, in [0, 1].</param>
/// <param name="Interval">Its 95 % confidence interval.</param>
/// <param name="LargestPerturbation">Largest perturbation really used, in pixel units.</param>
/// <param name="Seconds">Seconds that it took.</param>
/// <param name="SamplesPerSecond">Samples attacked in a second.</param>
/// <param name="ZeroGradients">Starts, one a sample and round, at which its loss had no gradient (of PGD, those it did not fool);
/// null of an attack that uses no gradients.</param>
public sealed record AttackResult(
    string Attack, int Samples, int Attacked, double Robust, WilsonInterval Interval, double LargestPerturbation, double Seconds,
    double SamplesPerSecond, long? ZeroGradients) : IStoredRecord
{
    /// <summary>Those of <see cref="ZeroGradients"/> that a margin loss attacked instead.</summary>
    public long ByMargin { get; init; }

    /// <summary>Those of <see cref="ZeroGradients"/> that no loss had a gradient for: nothing attacked them.</summary>
    public long Blind { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("number of attacked samples", Attacked >= 0 && Attacked <= Samples),
        ("accuracy", StoredValues.IsShare(Robust)),
        ("largest perturbation", StoredValues.IsAmount(LargestPerturbation)),
        ("seconds", StoredValues.IsAmount(Seconds)),
        ("samples a second", StoredValues.IsAmount(SamplesPerSecond)),
        ("number of gradients of zero", ZeroGradients is null or >= 0),
        ("number of samples attacked by the margin", ByMargin >= 0 && Blind >= 0));
}

/// <summary>A network's robustness by several attacks.</summary>
/// <param name="Samples">Samples evaluated.</param>
/// <param name="Clean">Share classified correctly, in [0, 1].</param>
/// <param name="CleanInterval">Its 95 % confidence interval.</param>
/// <param name="Attacks">Attack by attack, in the order in which they ran; AutoAttack stage by stage.</param>
/// <param name="WorstCase">Share of the samples that no attack fooled, in [0, 1].</param>
/// <param name="WorstCaseInterval">Its 95 % confidence interval.</param>
/// <param name="Warnings">Reasons to distrust it, a sentence each.</param>
public sealed record RobustnessResult(
    int Samples, double Clean, WilsonInterval CleanInterval, IReadOnlyList<AttackResult> Attacks, double WorstCase,
    WilsonInterval WorstCaseInterval, IReadOnlyList<string> Warnings) : IStoredRecord
{
    /// <summary>Samples whose clean logits are NaN or infinite; they count as wrong.</summary>
    public int NotFinite { get; init; }

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("number of samples", Samples >= 0),
        ("clean accuracy", StoredValues.IsShare(Clean)),
        ("worst case", StoredValues.IsShare(WorstCase)));
}
