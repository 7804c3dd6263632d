namespace BoostingTicket.Engine.Backends;

/// <summary>The L∞ ball around an image, exactly. An image is in the ball of radius ε if no pixel differs from the clean one by
/// more than ε, where the difference of the two float32 values is not rounded, and every pixel is in [0, 1]. Rounding <c>x +
/// ε</c> to float32 may leave that ball by half a unit in the last place, so that attacks clamp to the bounds given
/// here.</summary>
/// <remarks>Backends compute the same bounds with vectors: <c>s = x + ε</c> is too large iff <c>(s - max(x, ε)) - min(x, ε) &gt;
/// 0</c>, and <c>s = x - ε ≥ 0</c> too small iff <c>(x - s) - ε &gt; 0</c>. The first difference is exact (Dekker, "A
/// floating-point technique for extending the available precision", 1971), and rounding the second keeps its sign. The bound is
/// then the next float32.</remarks>
internal static class PixelBall
{
    /// <summary>The radius that a device computes with: the largest float32 that is not larger.</summary>
    /// <param name="epsilon">ε in pixel units, at least 0.</param>
    public static float Radius(double epsilon)
    {
        float radius = (float)epsilon;
        return radius > epsilon ? MathF.BitDecrement(radius) : radius;
    }

    /// <summary>The smallest float32 that a pixel may become.</summary>
    /// <param name="clean">The clean pixel in [0, 1].</param>
    /// <param name="radius">ε in pixel units, at least 0.</param>
    public static float Low(float clean, float radius)
    {
        float low = clean - radius;
        return low <= 0 ? 0 : (double)clean - low > radius ? MathF.BitIncrement(low) : low;
    }

    /// <summary>The largest float32 that a pixel may become.</summary>
    /// <param name="clean">The clean pixel in [0, 1].</param>
    /// <param name="radius">ε in pixel units, at least 0.</param>
    public static float High(float clean, float radius)
    {
        float high = clean + radius;
        return high > 1 ? 1 : (double)high - clean > radius ? MathF.BitDecrement(high) : high;
    }

    /// <summary>The nearest pixel to a value that lies in the ball; NaN stays.</summary>
    /// <param name="value">What the pixel should become.</param>
    /// <param name="clean">The clean pixel in [0, 1].</param>
    /// <param name="radius">ε in pixel units, at least 0.</param>
    public static float Project(float value, float clean, float radius) =>
        MathF.Min(MathF.Max(value, Low(clean, radius)), High(clean, radius));

    /// <summary>How far a pixel of [0, 1] is from the clean one, rounded up to float32: at most a radius exactly where the
    /// unrounded difference is.</summary>
    /// <param name="clean">The clean pixel in [0, 1].</param>
    /// <param name="pixel">The pixel in [0, 1]; NaN where it is NaN.</param>
    public static float Distance(float clean, float pixel)
    {
        float distance = MathF.Abs(pixel - clean);
        return Math.Abs((double)pixel - clean) > distance ? MathF.BitIncrement(distance) : distance;
    }
}
