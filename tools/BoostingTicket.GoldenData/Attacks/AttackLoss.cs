using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>Losses by sample that attacks raise, as functions of logits [batch, classes].</summary>
internal static class AttackLoss
{
    /// <summary>Margin κ of the C&amp;W loss.</summary>
    public const double Kappa = 50;

    /// <summary>Softmax cross-entropy.</summary>
    public static Func<Tensor, Tensor> CrossEntropy(Tensor labels) =>
        logits => nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.None);

    /// <summary>−relu(z_y − max_{j≠y} z_j + κ), as Madry et al. put the loss of Carlini and Wagner into PGD.</summary>
    public static Func<Tensor, Tensor> CarliniWagner(Tensor labels) =>
        logits => -nn.functional.relu(Margins(logits, labels) + Kappa);

    /// <summary>−(z_y − z_t) / (z_π1 − (z_π3 + z_π4) / 2 + 1e-12), π sorting the logits downwards (Croce and Hein,
    /// 2020).</summary>
    public static Func<Tensor, Tensor> TargetedRatio(Tensor labels, Tensor targets) => logits =>
    {
        Tensor sorted = logits.topk(4).values;
        Tensor spread = sorted.select(1, 0) - 0.5 * (sorted.select(1, 2) + sorted.select(1, 3)) + 1e-12;
        return Difference(logits, labels, targets) / spread;
    };

    /// <summary>z_t − z_y.</summary>
    public static Tensor Difference(Tensor logits, Tensor labels, Tensor targets) => Of(logits, targets) - Of(logits, labels);

    /// <summary>z_y − max_{j≠y} z_j.</summary>
    public static Tensor Margins(Tensor logits, Tensor labels)
    {
        Tensor others = logits.scatter(1, labels.unsqueeze(1), full_like(logits, double.NegativeInfinity));
        return Of(logits, labels) - others.amax([1]);
    }

    private static Tensor Of(Tensor logits, Tensor classes) => logits.gather(1, classes.unsqueeze(1)).squeeze(1);
}
