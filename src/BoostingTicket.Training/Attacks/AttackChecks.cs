using System.Globalization;

namespace BoostingTicket.Training.Attacks;

/// <summary>Reasons to distrust an evaluation by attacks: the warnings of AutoAttack that can apply to a network whose plan is
/// fixed.</summary>
internal static class AttackChecks
{
    private const double LargestDifference = 1e-4;
    private const double ProbabilityTolerance = 1e-5;
    private const double SquareTolerance = 0.002;
    private const int Repetitions = 5;
    private const string Overestimated =
        "robust accuracy is overestimated where gradients vanish, so look at square, which needs none.";

    /// <summary>Share of the attacked samples from which on vanished gradients are worth a warning: fewer move robust accuracy by
    /// less than a point.</summary>
    public const double NoticeableShare = 0.01;

    /// <summary>Looks at a network's outputs for clean images.</summary>
    /// <param name="model">The network.</param>
    /// <param name="images">A batch of images.</param>
    /// <returns>What is suspicious, a sentence each.</returns>
    public static IReadOnlyList<string> Outputs(IAttackModel model, ReadOnlySpan<float> images)
    {
        ArgumentNullException.ThrowIfNull(model);
        List<string> warnings = [];
        float[] first = new float[model.Batch * model.Classes], other = new float[first.Length];
        model.Logits(images, first);
        double difference = 0;
        for (int repetition = 1; repetition < Repetitions; repetition++)
        {
            model.Logits(images, other);
            // Outputs that are no numbers are another fault.
            for (int s = 0; s < model.Batch; s++)
            {
                if (AreFinite(first, s, model))
                    difference = Math.Max(difference, Distance(Row(first, s, model), Row(other, s, model)));
            }
        }
        if (!(difference <= LargestDifference))
            warnings.Add(
                "The network gives different answers for the same images; the gradients of one pass say little about the next, "
                + "so its robust accuracy is overestimated.");
        if (AreProbabilities(first, model))
            warnings.Add(
                "The network's outputs are probabilities, not logits; the losses of the attacks expect logits, so leave out its "
                + "softmax.");
        return warnings;
    }

    /// <summary>A warning about samples at which a loss had no gradient; null where they are less than <see
    /// cref="NoticeableShare"/> of all.</summary>
    /// <param name="attack">Name of the attack.</param>
    /// <param name="counts">What gradients it met.</param>
    public static string? Gradients(string attack, in GradientCounts counts)
    {
        if (counts.Zero == 0 || counts.Zero < NoticeableShare * counts.Starts)
            return null;
        string met = string.Create(
            CultureInfo.InvariantCulture, $"{attack} met a gradient of zero at {counts.Zero:N0} of {counts.Starts:N0} starts");
        if (counts.ByMargin == 0)
            return $"{met}; {Overestimated}";
        string instead = string.Create(
            CultureInfo.InvariantCulture,
            $"{met}: {counts.ByMargin:N0} {(counts.ByMargin == 1 ? "sample was" : "samples were")} attacked by the margin "
            + $"loss, since the gradient of cross-entropy vanished");
        return counts.Blind < NoticeableShare * counts.Starts
            ? $"{instead}. Logits that large hide what an attack needs; look at cw and square too."
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{instead}, and {counts.Blind:N0} of them have no gradient by it either; {Overestimated}");
    }

    /// <summary>A warning that Square found what attacks with gradients did not; null for none.</summary>
    /// <param name="before">Robust accuracy before Square, in [0, 1].</param>
    /// <param name="after">And after it.</param>
    public static string? Square(double before, double after) => before - after <= SquareTolerance ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"Square, which needs no gradients, lowered robust accuracy by {100 * (before - after):F1} points below the attacks that "
        + $"use them; gradients mislead here, so the true robust accuracy may be lower still.");

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double normA = Norm(a), normB = Norm(b), sum = 0;
        for (int j = 0; j < a.Length; j++)
            sum += Math.Pow(a[j] / normA - b[j] / normB, 2);
        return Math.Sqrt(sum);
    }

    private static double Norm(ReadOnlySpan<float> row)
    {
        double sum = 0;
        foreach (float value in row)
            sum += (double)value * value;
        return Math.Sqrt(sum) + 1e-10;
    }

    private static bool AreProbabilities(float[] outputs, IAttackModel model)
    {
        for (int s = 0; s < model.Batch; s++)
        {
            double sum = 0;
            foreach (float value in Row(outputs, s, model))
            {
                if (!(value > -ProbabilityTolerance && value < 1 + ProbabilityTolerance))
                    return false;
                sum += value;
            }
            if (Math.Abs(sum - 1) >= ProbabilityTolerance)
                return false;
        }
        return true;
    }

    private static bool AreFinite(float[] outputs, int sample, IAttackModel model)
    {
        foreach (float value in Row(outputs, sample, model))
        {
            if (!float.IsFinite(value))
                return false;
        }
        return true;
    }

    private static ReadOnlySpan<float> Row(float[] outputs, int sample, IAttackModel model) =>
        outputs.AsSpan(sample * model.Classes, model.Classes);
}
