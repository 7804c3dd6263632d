using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Attacks;

/// <summary>Samples under attack, on the host, and what the attack found.</summary>
/// <param name="count">Samples.</param>
/// <param name="shape">Shape of an image.</param>
internal sealed class AttackBatch(int count, FeatureShape shape)
{
    /// <summary>Samples.</summary>
    public int Count { get; } = count;

    /// <summary>The samples that count, from the first on; the others are repeats that fill the batch.</summary>
    public int Used { get; set; } = count;

    /// <summary>Shape of an image.</summary>
    public FeatureShape Shape { get; } = shape;

    /// <summary>Clean images in [0, 1].</summary>
    public float[] Clean { get; } = new float[count * shape.Length];

    /// <summary>Class of each sample.</summary>
    public int[] Labels { get; } = new int[count];

    /// <summary>Identity of each sample, which random numbers are keyed by.</summary>
    public int[] Samples { get; } = new int[count];

    /// <summary>Receives the candidates.</summary>
    public float[] Adversarial { get; } = new float[count * shape.Length];

    /// <summary>Samples of <see cref="Used"/> at whose start the loss had no gradient at all, or one that is not finite, counted
    /// on by attacks.</summary>
    public int ZeroGradients { get; set; }

    /// <summary>Those of them that a margin loss attacked instead, counted on.</summary>
    public int ByMargin { get; set; }

    /// <summary>Those of <see cref="ZeroGradients"/> that no loss had a gradient for, counted on.</summary>
    public int Blind { get; set; }

    /// <summary>Counts of the <see cref="Used"/> samples.</summary>
    public GradientCounts Gradients => new(Used, ZeroGradients, ByMargin, Blind);

    /// <summary>Told of every iteration with its number from 1 on; may throw <see cref="OperationCanceledException"/>.</summary>
    public Action<int>? Iterated { get; set; }

    /// <summary>Says that an iteration is done.</summary>
    /// <param name="done">Iterations done in this round.</param>
    public void Advance(int done) => Iterated?.Invoke(done);

    /// <summary>Forgets what was counted.</summary>
    public void ResetCounts() => ZeroGradients = ByMargin = Blind = 0;

    /// <summary>Whether a row of logits is classified as its label: all are finite, and the first largest is the
    /// label's.</summary>
    public static bool IsCorrect(ReadOnlySpan<float> logits, int label)
    {
        int largest = 0;
        for (int j = 0; j < logits.Length; j++)
        {
            if (!float.IsFinite(logits[j]))
                return false;
            if (logits[j] > logits[largest])
                largest = j;
        }
        return largest == label;
    }

    /// <summary>Counts the samples whose gradient is zero or not finite, for attacks that have no other loss to turn
    /// to.</summary>
    /// <param name="gradient">Count x image shape.</param>
    public void CountZeroGradients(ReadOnlySpan<float> gradient)
    {
        for (int i = 0; i < Used; i++)
        {
            if (!GradientCounts.IsZero(gradient.Slice(i * Shape.Length, Shape.Length)))
                continue;
            ZeroGradients++;
            Blind++;
        }
    }
}
