namespace BoostingTicket.Calibration;

/// <summary>Prices, none of them negative, that explain measured times with the least relative error.</summary>
internal static class PriceFit
{
    private const int Sweeps = 20000;

    /// <summary>Minimises Σ ((Σ price * steps - time) / time)² by coordinate descent.</summary>
    /// <param name="samples">Numbers of steps and the time they took.</param>
    public static double[] Solve(IReadOnlyList<(double[] Steps, double Time)> samples)
    {
        int count = samples[0].Steps.Length;
        double[] prices = new double[count];
        double[][] rows = [.. samples.Select(sample => sample.Steps.Select(steps => steps / sample.Time).ToArray())];
        double[] residuals = new double[rows.Length];
        Array.Fill(residuals, 1);
        double[] norms = [.. Enumerable.Range(0, count).Select(i => rows.Sum(row => row[i] * row[i]))];
        for (int sweep = 0; sweep < Sweeps; sweep++)
        {
            for (int i = 0; i < count; i++)
            {
                if (norms[i] == 0)
                    continue;
                double gradient = 0;
                for (int row = 0; row < rows.Length; row++)
                    gradient += rows[row][i] * residuals[row];
                double price = Math.Max(0, prices[i] + gradient / norms[i]), change = price - prices[i];
                prices[i] = price;
                for (int row = 0; row < rows.Length; row++)
                    residuals[row] -= change * rows[row][i];
            }
        }
        return prices;
    }

    /// <summary>Root of the mean squared relative error.</summary>
    public static double Error(IReadOnlyList<(double[] Steps, double Time)> samples, double[] prices) => Math.Sqrt(
        samples.Average(sample => Math.Pow(Value(sample.Steps, prices) / sample.Time - 1, 2)));

    /// <summary>Σ price * steps.</summary>
    public static double Value(double[] steps, double[] prices) => steps.Zip(prices, (one, price) => one * price).Sum();
}
