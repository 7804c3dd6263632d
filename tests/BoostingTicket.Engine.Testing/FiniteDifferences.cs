namespace BoostingTicket.Engine.Testing;

/// <summary>Central finite differences in double precision.</summary>
internal static class FiniteDifferences
{
    /// <summary>Gradient of a scalar function by central differences.</summary>
    /// <param name="values">Where the gradient is taken; unchanged afterwards.</param>
    /// <param name="store">Puts changed values where <paramref name="loss"/> reads them.</param>
    /// <param name="loss">The function.</param>
    /// <param name="step">Half the distance between the two evaluations.</param>
    /// <param name="indices">The values to differentiate by; all when null.</param>
    /// <returns>A derivative for each of <paramref name="indices"/>.</returns>
    public static double[] Gradient(
        double[] values, Action<double[]> store, Func<double> loss, double step = 1e-5, IReadOnlyList<int>? indices = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(loss);
        indices ??= [.. Enumerable.Range(0, values.Length)];
        double[] moved = [.. values], gradient = new double[indices.Count];
        for (int i = 0; i < gradient.Length; i++)
        {
            int index = indices[i];
            gradient[i] = (At(values[index] + step) - At(values[index] - step)) / (2 * step);
            moved[index] = values[index];

            double At(double value)
            {
                moved[index] = value;
                store(moved);
                return loss();
            }
        }
        store(values);
        return gradient;
    }

    /// <summary>Largest difference between two gradients, relative to the largest magnitude of the second.</summary>
    public static double RelativeError(ReadOnlySpan<double> gradient, ReadOnlySpan<double> expected)
    {
        if (gradient.Length != expected.Length)
            throw new ArgumentException($"The gradients have {gradient.Length} and {expected.Length} values.");
        double largest = 0, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs(gradient[i] - expected[i]));
        }
        return difference / Math.Max(largest, double.Epsilon);
    }
}
