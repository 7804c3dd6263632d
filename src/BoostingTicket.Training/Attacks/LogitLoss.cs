namespace BoostingTicket.Training.Attacks;

/// <summary>Losses on the logits <c>z</c> of one sample that attacks raise, in double precision, with their gradients.</summary>
internal static class LogitLoss
{
    private const double Small = 1e-12;

    /// <summary>Softmax cross-entropy.</summary>
    /// <param name="logits">z.</param>
    /// <param name="label">True class.</param>
    /// <param name="gradient">Receives the gradient by z.</param>
    public static double CrossEntropy(ReadOnlySpan<float> logits, int label, Span<float> gradient)
    {
        double largest = double.NegativeInfinity, sum = 0, others = 0;
        foreach (float logit in logits)
            largest = Math.Max(largest, logit);
        for (int j = 0; j < logits.Length; j++)
        {
            double term = Math.Exp(logits[j] - largest);
            sum += term;
            others += j == label ? 0 : term;
        }
        for (int j = 0; j < logits.Length; j++)
        {
            // The label's is summed from the others, since p - 1 would be 0 for a confident network.
            gradient[j] = (float)(j == label ? -others / sum : Math.Exp(logits[j] - largest) / sum);
        }
        return Math.Log(sum) - (logits[label] - largest);
    }

    /// <summary>The smooth margin, <c>log Σ_{j≠y} exp z_j - z_y</c>, of which cross-entropy is a rising function, <c>log(1 +
    /// exp(margin))</c>: where that and its gradient vanish, this has the same direction. Needs at least two classes.</summary>
    /// <param name="logits">z.</param>
    /// <param name="label">True class.</param>
    /// <param name="gradient">Receives the gradient by z.</param>
    public static double SmoothMargin(ReadOnlySpan<float> logits, int label, Span<float> gradient)
    {
        double largest = double.NegativeInfinity, sum = 0;
        for (int j = 0; j < logits.Length; j++)
            largest = j == label ? largest : Math.Max(largest, logits[j]);
        for (int j = 0; j < logits.Length; j++)
            sum += j == label ? 0 : Math.Exp(logits[j] - largest);
        for (int j = 0; j < logits.Length; j++)
            gradient[j] = j == label ? -1 : (float)(Math.Exp(logits[j] - largest) / sum);
        return Math.Log(sum) + largest - logits[label];
    }

    /// <summary>The targeted difference of logits ratio of Croce and Hein, "Reliable evaluation of adversarial robustness with an
    /// ensemble of diverse parameter-free attacks" (ICML 2020), equation 7:
    /// <c>-(z_y - z_t) / (z_π1 - (z_π3 + z_π4) / 2)</c>, π sorting z downwards. Needs at least four classes.</summary>
    /// <param name="logits">z.</param>
    /// <param name="label">True class y.</param>
    /// <param name="target">Class t.</param>
    /// <param name="gradient">Receives the gradient by z.</param>
    public static double TargetedDlr(ReadOnlySpan<float> logits, int label, int target, Span<float> gradient)
    {
        int first = Rank(logits, 1), third = Rank(logits, 3), fourth = Rank(logits, 4);
        double numerator = (double)logits[target] - logits[label];
        double denominator = logits[first] - 0.5 * ((double)logits[third] + logits[fourth]) + Small;
        double ratio = numerator / denominator;
        gradient.Clear();
        gradient[target] += (float)(1 / denominator);
        gradient[label] -= (float)(1 / denominator);
        gradient[first] -= (float)(ratio / denominator);
        gradient[third] += (float)(0.5 * ratio / denominator);
        gradient[fourth] += (float)(0.5 * ratio / denominator);
        return ratio;
    }

    /// <summary>How far the label's logit is above the largest other one; at most 0 where the sample is misclassified.</summary>
    public static double Margin(ReadOnlySpan<float> logits, int label)
    {
        double other = double.NegativeInfinity;
        for (int j = 0; j < logits.Length; j++)
        {
            if (j != label)
                other = Math.Max(other, logits[j]);
        }
        return logits[label] - other;
    }

    /// <summary>The class with the <paramref name="rank"/>-th largest logit, from 1 on; the earlier of two equal ones
    /// first.</summary>
    public static int Rank(ReadOnlySpan<float> logits, int rank)
    {
        for (int candidate = 0; candidate < logits.Length; candidate++)
        {
            int before = 0;
            for (int j = 0; j < logits.Length; j++)
            {
                if (logits[j] > logits[candidate] || (logits[j] == logits[candidate] && j < candidate))
                    before++;
            }
            if (before == rank - 1)
                return candidate;
        }
        throw new ArgumentOutOfRangeException(nameof(rank), $"There is no class of rank {rank} among {logits.Length} logits.");
    }
}
