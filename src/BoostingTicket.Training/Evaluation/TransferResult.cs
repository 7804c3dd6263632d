using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>A network of a transfer matrix, as source of adversarial images.</summary>
/// <param name="Name">What the network is called.</param>
/// <param name="Model">Its model.</param>
/// <param name="Clean">Accuracy on the clean images.</param>
/// <param name="Accuracies">Accuracy of every network on the images made against this one, in the order of the matrix; its own,
/// on the diagonal, is that under the white-box attack.</param>
/// <param name="LargestPerturbation">Largest perturbation really used, in pixel units.</param>
/// <param name="AttackSeconds">Seconds that making the images took.</param>
/// <param name="SamplesPerSecond">Samples attacked in a second.</param>
internal sealed record TransferRow(
    string Name, string Model, MeasuredShare Clean, IReadOnlyList<MeasuredShare> Accuracies, double LargestPerturbation,
    double AttackSeconds,
    double SamplesPerSecond) : IStoredRecord
{
    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("largest perturbation", StoredValues.IsAmount(LargestPerturbation)),
        ("seconds", StoredValues.IsAmount(AttackSeconds)),
        ("samples a second", StoredValues.IsAmount(SamplesPerSecond)));
}

/// <summary>How adversarial images made against each of several networks do on all of them. Every accuracy is a share of all
/// samples.</summary>
/// <param name="Attack">Name of the attack.</param>
/// <param name="Samples">Samples, all of them attacked.</param>
/// <param name="Rows">One a network, the sources; their accuracies are the columns, the targets.</param>
/// <param name="Warnings">Reasons to distrust it, a sentence each.</param>
internal sealed record TransferResult(string Attack, int Samples, IReadOnlyList<TransferRow> Rows, IReadOnlyList<string> Warnings)
    : IStoredRecord
{
    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("number of samples", Samples >= 0),
        ("rows", Rows.All(row => row?.Accuracies?.Count == Rows.Count)));
}

/// <summary>A <see cref="TransferMatrix"/> that is not measured to its end.</summary>
/// <param name="Rows">The sources that are done, in the order of the matrix.</param>
/// <param name="Warnings">Reasons to distrust them, a sentence each.</param>
internal sealed record TransferProgress(IReadOnlyList<TransferRow> Rows, IReadOnlyList<string> Warnings);
