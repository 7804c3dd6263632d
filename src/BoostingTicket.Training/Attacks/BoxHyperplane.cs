namespace BoostingTicket.Training.Attacks;

/// <summary>The L∞ projection of a point of the box [0, 1]ⁿ onto a hyperplane within the box: the smallest largest change that
/// reaches it (Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020,
/// equation 6).</summary>
internal static class BoxHyperplane
{
    /// <summary>Finds the change <c>d</c> of least <c>max |d|</c> with <c>w·(t + d) = w·t + gap</c> and <c>t + d</c> in the box.
    /// Where no point of the box is on the hyperplane, the change leads to the nearest corner.</summary>
    /// <remarks>Every coordinate moves by the same λ towards the hyperplane until it meets the box. How far that leads is a
    /// concave, piecewise linear function of λ, so Newton's iteration from 0 rises to the solution in finitely many steps,
    /// without sorting.</remarks>
    /// <param name="point">t in [0, 1]ⁿ.</param>
    /// <param name="normal">w.</param>
    /// <param name="gap">How far <c>w·t</c> must rise, negative to fall.</param>
    /// <param name="change">Receives d.</param>
    /// <returns><c>max |d|</c>.</returns>
    public static double Project(ReadOnlySpan<float> point, ReadOnlySpan<float> normal, double gap, Span<double> change)
    {
        bool rises = gap >= 0;
        double wanted = Math.Abs(gap), lambda = 0;
        while (true)
        {
            double slope = 0, reached = 0;
            for (int e = 0; e < point.Length; e++)
            {
                double weight = Math.Abs((double)normal[e]), room = Room(point[e], normal[e], rises);
                if (room > lambda)
                    slope += weight;
                else
                    reached += weight * room;
            }
            // Nothing can move any more: the corner.
            double next = slope == 0 ? double.PositiveInfinity : (wanted - reached) / slope;
            if (!(next > lambda))
                break;
            lambda = next;
            if (double.IsPositiveInfinity(lambda))
                break;
        }
        double largest = 0;
        for (int e = 0; e < point.Length; e++)
        {
            double length = normal[e] == 0 ? 0 : Math.Min(lambda, Room(point[e], normal[e], rises));
            change[e] = normal[e] > 0 == rises ? length : -length;
            largest = Math.Max(largest, length);
        }
        return largest;
    }

    private static double Room(float point, float normal, bool rises) =>
        normal == 0 ? 0 : normal > 0 == rises ? 1.0 - point : point;
}
