using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>The ball and the box that no image of an attack may leave: by double-precision differences, without
/// tolerance.</summary>
internal static class Ball
{
    public static void Holds(AttackBatch batch, ReadOnlySpan<float> images, double epsilon) =>
        Holds(batch.Clean, images, epsilon);

    public static void Holds(ReadOnlySpan<float> clean, ReadOnlySpan<float> images, double epsilon)
    {
        double largest = 0;
        float least = float.PositiveInfinity, most = float.NegativeInfinity;
        for (int e = 0; e < images.Length; e++)
        {
            largest = Math.Max(largest, Math.Abs((double)images[e] - clean[e]));
            least = Math.Min(least, images[e]);
            most = Math.Max(most, images[e]);
        }
        Assert.Multiple(() =>
        {
            Assert.That(largest, Is.LessThanOrEqualTo(epsilon));
            Assert.That(least, Is.GreaterThanOrEqualTo(0));
            Assert.That(most, Is.LessThanOrEqualTo(1));
        });
    }
}
