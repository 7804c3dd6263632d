using System.Text.Json.Serialization;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>Accuracies on the test set.</summary>
/// <param name="Samples">Images evaluated.</param>
/// <param name="Clean">Share classified correctly, in [0, 1].</param>
/// <param name="Robust">Share classified correctly clean and under the evaluation's attack, in [0, 1].</param>
/// <param name="LargestPerturbation">Largest perturbation that the attack really used, in pixel units.</param>
/// <param name="Seconds">Seconds that it took.</param>
internal sealed record TestResult(int Samples, double Clean, double Robust, double LargestPerturbation, double Seconds)
    : IStoredRecord
{
    /// <summary>Samples attacked: those classified correctly clean.</summary>
    public int Attacked { get; init; }

    /// <summary>Samples of which the attack's loss had no gradient, and which it did not fool.</summary>
    public long ZeroGradients { get; init; }

    /// <summary>Those of them that the margin loss attacked instead.</summary>
    public long ByMargin { get; init; }

    /// <summary>Those of <see cref="ZeroGradients"/> that no loss had a gradient for: nothing attacked them.</summary>
    public long Blind { get; init; }

    /// <summary>The counts of gradients.</summary>
    [JsonIgnore]
    public GradientCounts Gradients => new(Attacked, ZeroGradients, ByMargin, Blind);

    /// <summary>Samples whose logits are NaN or infinite; they count as wrong.</summary>
    public int NotFinite { get; init; }

    /// <summary>Reasons to distrust it, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("number of samples", Samples >= 0),
        ("clean accuracy", StoredValues.IsShare(Clean)),
        ("robust accuracy", StoredValues.IsShare(Robust)),
        ("largest perturbation", StoredValues.IsAmount(LargestPerturbation)),
        ("seconds", StoredValues.IsAmount(Seconds)));
}
