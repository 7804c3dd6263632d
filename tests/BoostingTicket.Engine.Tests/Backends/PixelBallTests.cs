using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Tests.Backends;

/// <summary>The bounds of the ball against its definition in double precision, at pixels whose sums round in every way.</summary>
internal sealed class PixelBallTests
{
    private static readonly double[] Radii =
        [0, 8 / 255.0, 4 / 255.0, 2 / 255.0, 1 / 255.0, 0.3, 0.1, 0.05, 0.031, 0.08, 1 / 3.0, 1e-3, 1e-7, 1e-20, 0.5, 0.75, 1];

    private static IEnumerable<float> Pixels()
    {
        var random = new Random(5);
        for (int grey = 0; grey < 256; grey++)
        {
            yield return grey / 255f;
            yield return MathF.BitIncrement(grey / 256f);
            yield return MathF.BitDecrement((grey + 1) / 256f);
        }
        for (int power = 0; power < 150; power++)
        {
            yield return MathF.ScaleB(1, -power);
            yield return MathF.ScaleB(0.75f, -power);
        }
        for (int i = 0; i < 2_000; i++)
            yield return random.NextSingle();
    }

    [TestCaseSource(nameof(Radii))]
    public void A_radius_is_the_largest_float_within_epsilon(double epsilon)
    {
        float radius = PixelBall.Radius(epsilon);
        Assert.That((double)radius, Is.LessThanOrEqualTo(epsilon));
        Assert.That((double)MathF.BitIncrement(radius), Is.GreaterThan(epsilon));
    }

    [TestCaseSource(nameof(Radii))]
    public void Bounds_are_in_the_ball_and_the_next_floats_are_not(double epsilon)
    {
        float radius = PixelBall.Radius(epsilon);
        int rounded = 0;
        foreach (float clean in Pixels())
        {
            float low = PixelBall.Low(clean, radius), high = PixelBall.High(clean, radius);
            rounded += high != Math.Min(clean + radius, 1) ? 1 : 0;
            bool holds = low >= 0 && high <= 1 && low <= clean && clean <= high && (double)clean - low <= epsilon
                && (double)high - clean <= epsilon;
            bool tight = (low == 0 || (double)clean - MathF.BitDecrement(low) > radius)
                && (high == 1 || (double)MathF.BitIncrement(high) - clean > radius);
            if (!holds || !tight)
                Assert.Fail($"Around {clean:R} the bounds are {low:R} and {high:R}.");
            if (PixelBall.Project(2, clean, radius) != high || PixelBall.Project(-1, clean, radius) != low)
                Assert.Fail($"Projection around {clean:R} does not end at its bounds.");
        }
        TestContext.Out.WriteLine($"{rounded} upper bounds differ from the rounded sum");
        if (epsilon is > 0.001 and < 0.5)
            Assert.That(rounded, Is.Positive, "the table has pixels whose sum rounds out of the ball");
    }

    [Test]
    public void A_distance_is_at_most_a_radius_exactly_where_the_difference_is()
    {
        foreach (double epsilon in Radii)
        {
            float radius = PixelBall.Radius(epsilon);
            foreach (float clean in Pixels())
            {
                foreach (float pixel in new[] { Math.Min(clean + radius, 1), Math.Max(clean - radius, 0) })
                {
                    foreach (float near in new[] { pixel, Math.Max(MathF.BitDecrement(pixel), 0), MathF.BitIncrement(pixel) })
                    {
                        float distance = PixelBall.Distance(clean, near);
                        double exact = Math.Abs((double)near - clean);
                        bool loose = exact > 0 && MathF.BitDecrement(distance) >= exact;
                        if (distance < exact || distance <= radius != exact <= radius || loose)
                            Assert.Fail($"From {clean:R} to {near:R} it is {exact:R}, not {distance:R}.");
                    }
                }
            }
        }
    }

    [Test]
    public void What_is_no_number_stays_visible()
    {
        Assert.That(PixelBall.Project(float.NaN, 0.5f, 0.1f), Is.NaN);
        Assert.That(PixelBall.Distance(0.5f, float.NaN), Is.NaN);
        Assert.That(PixelBall.Distance(0.5f, float.PositiveInfinity), Is.EqualTo(float.PositiveInfinity));
    }
}
