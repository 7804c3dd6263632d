using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Evaluation;

/// <summary>What a network answers on a batch, clean or attacked: flat values, so that they can come from another
/// process.</summary>
/// <param name="batch">Samples of a batch.</param>
/// <param name="classes">Logits of a sample.</param>
internal sealed class BatchAnswers(int batch, int classes)
{
    // Samples used, zero gradients, by margin, blind, largest perturbation, smallest and largest pixel. Counts are small enough.
    private const int Others = 7;

    /// <summary>All of it.</summary>
    public float[] Values { get; } = new float[LengthOf(batch, classes)];

    /// <summary>Samples that count.</summary>
    public int Used
    {
        get => (int)Values[^7];
        set => Values[^7] = value;
    }

    /// <summary>Gradients that an attack met.</summary>
    public GradientCounts Gradients
    {
        get => new(Used, (long)Values[^6], (long)Values[^5], (long)Values[^4]);
        set => (Values[^6], Values[^5], Values[^4]) = (value.Zero, value.ByMargin, value.Blind);
    }

    /// <summary>What an attack did.</summary>
    public PerturbationExtent Extent
    {
        get => new(Values[^3], Values[^2], Values[^1]);
        set => (Values[^3], Values[^2], Values[^1]) = (value.LargestPerturbation, value.Smallest, value.Largest);
    }

    /// <summary>Logits of the whole batch.</summary>
    public Span<float> AllLogits => Values.AsSpan(0, batch * classes);

    /// <summary>Length of <see cref="Values"/>.</summary>
    public static int LengthOf(int batch, int classes) => batch * classes + Others;

    /// <summary>Logits of a sample.</summary>
    public ReadOnlySpan<float> Logits(int index) => Values.AsSpan(index * classes, classes);
}
