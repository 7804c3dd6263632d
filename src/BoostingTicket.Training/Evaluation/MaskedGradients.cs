using System.Globalization;

namespace BoostingTicket.Training.Evaluation;

/// <summary>Recognises networks that hide their gradients: an attack that sees a network cannot do worse on it than one that does
/// not (Athalye et al., "Obfuscated gradients give a false sense of security", ICML 2018).</summary>
internal static class MaskedGradients
{
    /// <summary>Difference of accuracies that counts at least.</summary>
    public const double LeastDifference = 0.01;

    // The 99.5 % quantile of the normal distribution. Both accuracies are of the same samples, so that this is on the safe side.
    private const double Z = 2.5758293;

    /// <summary>A sentence for each network that images made against another one fool clearly more often than those made against
    /// it.</summary>
    /// <param name="rows">Rows of a transfer matrix.</param>
    /// <param name="samples">Samples of each.</param>
    public static IEnumerable<string> Warnings(IReadOnlyList<TransferRow> rows, int samples)
    {
        ArgumentNullException.ThrowIfNull(rows);
        for (int target = 0; target < rows.Count; target++)
        {
            int strongest = Enumerable.Range(0, rows.Count).MinBy(source => rows[source].Accuracies[target].Value);
            double white = rows[target].Accuracies[target].Value, black = rows[strongest].Accuracies[target].Value;
            double deviation = Math.Sqrt((white * (1 - white) + black * (1 - black)) / samples);
            if (white - black <= Math.Max(LeastDifference, Z * deviation))
                continue;
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Images made against {rows[strongest].Name} leave {rows[target].Name} {black:P1} accuracy, those made against "
                + $"itself {white:P1}: its gradients mislead the attack (gradient masking), so that its robust accuracy is "
                + $"overestimated; look at cw and square.");
        }
    }
}
