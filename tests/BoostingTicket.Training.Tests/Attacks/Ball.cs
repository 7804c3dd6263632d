using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>The ball and the box that no image of an attack may leave.</summary>
internal static class Ball
{
    private const float Rounding = 1e-6f;

    public static void Holds(AttackBatch batch, ReadOnlySpan<float> images, float epsilon)
    {
        float largest = 0, least = float.PositiveInfinity, most = float.NegativeInfinity;
        for (int e = 0; e < images.Length; e++)
        {
            largest = Math.Max(largest, Math.Abs(images[e] - batch.Clean[e]));
            least = Math.Min(least, images[e]);
            most = Math.Max(most, images[e]);
        }
        Assert.Multiple(() =>
        {
            Assert.That(largest, Is.LessThanOrEqualTo(epsilon + Rounding));
            Assert.That(least, Is.GreaterThanOrEqualTo(0));
            Assert.That(most, Is.LessThanOrEqualTo(1));
        });
    }
}
