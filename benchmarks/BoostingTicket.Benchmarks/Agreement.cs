using System.Globalization;

namespace BoostingTicket.Benchmarks;

/// <summary>Whether both engines give the same answers. Nothing is timed that does not.</summary>
/// <param name="Logits">Largest normalised squared error, Σ(a-b)² / Σb², of logits in evaluation and in training form.</param>
/// <param name="Gradients">That of the gradients of images and of kept parameters.</param>
internal sealed record Agreement(double Logits, double Gradients)
{
    private const double LogitTolerance = 1e-6;

    // A rounding error that moves an activation across zero switches a ReLU, so gradients of deep networks differ by more than
    // rounding: by up to some parts in a hundred, squared here.
    private const double GradientTolerance = 1e-3;

    // bfloat16 rounds to 8 bits, so that more activations cross zero.
    private const double BFloat16LogitTolerance = 1e-2, BFloat16GradientTolerance = 0.5;

    private static double LogitToleranceOf(TorchVariant variant) => variant.BFloat16 ? BFloat16LogitTolerance : LogitTolerance;

    /// <summary>Compares logits alone.</summary>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public static void RequireLogits(string model, TorchVariant variant, float[] ours, float[] theirs)
    {
        double error = Error(theirs, ours);
        if (!(error < LogitToleranceOf(variant)))
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{model}, {variant.Name}: the engines disagree by {error:E1} in logits; not trained."));
    }

    /// <summary>Compares.</summary>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public static Agreement Require(OurTraining ours, TorchTraining theirs)
    {
        (float[] ourLogits, float[] ourGradient) = ours.Attacked();
        (float[] theirLogits, float[] theirGradient) = theirs.Attacked();
        (float[] ourTraining, float[] ourParameters) = ours.Trained();
        (float[] theirTraining, float[] theirParameters) = theirs.Trained();
        // What a pruned weight's gradient would be is nobody's business.
        ours.Work.Mask?.Apply(ourParameters);
        ours.Work.Mask?.Apply(theirParameters);
        var agreement = new Agreement(
            Math.Max(Error(ourLogits, theirLogits), Error(ourTraining, theirTraining)),
            Math.Max(Error(ourGradient, theirGradient), Error(ourParameters, theirParameters)));
        double tolerance = theirs.Variant.BFloat16 ? BFloat16GradientTolerance : GradientTolerance;
        // Written so that NaN fails.
        if (!(agreement.Logits < LogitToleranceOf(theirs.Variant) && agreement.Gradients < tolerance))
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{ours.Work.Model.Name}, {ours.Work.Sparsity:P0} pruned, {theirs.Variant.Name}: the engines "
                + $"disagree by {agreement.Logits:E1} in logits and {agreement.Gradients:E1} in gradients; not timed."));
        return agreement;
    }

    /// <summary>Σ(a-b)² / Σb².</summary>
    public static double Error(ReadOnlySpan<float> ours, ReadOnlySpan<float> theirs)
    {
        if (ours.Length != theirs.Length)
            throw new ArgumentException($"{ours.Length} values against {theirs.Length}.", nameof(theirs));
        double error = 0, norm = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            error += Math.Pow(ours[i] - theirs[i], 2);
            norm += Math.Pow(theirs[i], 2);
        }
        return error / norm;
    }
}
