using System.Globalization;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>The check that adversarial images lie in their ball (<see cref="PixelBall"/>), without tolerance. Attacks guarantee
/// it; one that broke it would report a robustness that nobody defends.</summary>
internal static class AttackBall
{
    /// <summary>Largest perturbation and pixel range of images on the host; NaN where a pixel is no number.</summary>
    /// <param name="clean">Clean images.</param>
    /// <param name="adversarial">As many adversarial ones.</param>
    public static PerturbationExtent Measure(ReadOnlySpan<float> clean, ReadOnlySpan<float> adversarial)
    {
        float perturbation = 0, smallest = float.PositiveInfinity, largest = float.NegativeInfinity;
        for (int e = 0; e < clean.Length; e++)
        {
            float value = adversarial[e];
            // Math.Max, unlike a comparison, passes on what is no number.
            perturbation = Math.Max(perturbation, PixelBall.Distance(clean[e], value));
            smallest = Math.Min(smallest, value);
            largest = Math.Max(largest, value);
        }
        return new PerturbationExtent(perturbation, smallest, largest);
    }

    /// <summary>Makes sure that an attack stayed in its ball.</summary>
    /// <param name="attack">What the attack is called.</param>
    /// <param name="extent">What it did, measured on the host or by a backend.</param>
    /// <param name="epsilon">Radius of the ball in pixel units.</param>
    /// <returns>The largest perturbation.</returns>
    /// <exception cref="InvalidOperationException">It left the ball, or [0, 1].</exception>
    public static float Require(string attack, PerturbationExtent extent, double epsilon)
    {
        // A comparison with NaN is false.
        if (!(extent.LargestPerturbation <= epsilon && extent.Smallest >= 0 && extent.Largest <= 1))
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{attack} left its ball: perturbation {extent.LargestPerturbation:R} of {epsilon:R} allowed, pixels from "
                + $"{extent.Smallest:R} to {extent.Largest:R}."));
        return extent.LargestPerturbation;
    }
}
