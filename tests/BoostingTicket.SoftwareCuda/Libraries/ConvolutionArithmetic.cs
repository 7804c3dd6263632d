namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>The three passes of a convolution as nested loops, summed in double.</summary>
internal static class ConvolutionArithmetic
{
    /// <summary>y = x * w.</summary>
    public static double[] Forward(in ConvolutionGeometry g, ReadOnlySpan<double> x, ReadOnlySpan<double> w)
    {
        // Filters with k innermost, so that a pixel's sums are a vector.
        double[] transposed = new double[w.Length];
        int taps = g.R * g.S * g.C;
        for (int k = 0; k < g.K; k++)
        {
            for (int tap = 0; tap < taps; tap++)
                transposed[tap * g.K + k] = w[k * taps + tap];
        }

        double[] y = new double[g.YLength];
        for (int pixel = 0; pixel < g.N * g.P * g.Q; pixel++)
        {
            int n = pixel / (g.P * g.Q), p = pixel / g.Q % g.P, q = pixel % g.Q;
            Span<double> sums = y.AsSpan(pixel * g.K, g.K);
            for (int r = 0; r < g.R; r++)
            {
                int h = p * g.Stride - g.Padding + r;
                if ((uint)h >= (uint)g.H)
                    continue;
                for (int s = 0; s < g.S; s++)
                {
                    int column = q * g.Stride - g.Padding + s;
                    if ((uint)column >= (uint)g.W)
                        continue;
                    ReadOnlySpan<double> channels = x.Slice(((n * g.H + h) * g.W + column) * g.C, g.C);
                    int tap = (r * g.S + s) * g.C;
                    for (int c = 0; c < g.C; c++)
                        Span64.AddScaled(channels[c], transposed.AsSpan((tap + c) * g.K, g.K), sums);
                }
            }
        }

        return y;
    }

    /// <summary>dx = dgrad(w, dy).</summary>
    /// <param name="g">Sizes.</param>
    /// <param name="w">Filters.</param>
    /// <param name="dy">Gradient of y.</param>
    /// <param name="split">Filters whose sum is stored before the others' is added; 0 for a single sum.</param>
    public static double[] BackwardData(in ConvolutionGeometry g, ReadOnlySpan<double> w, ReadOnlySpan<double> dy, int split)
    {
        double[] dx = new double[g.XLength];
        for (int pixel = 0; pixel < g.N * g.H * g.W; pixel++)
        {
            int n = pixel / (g.H * g.W), h = pixel / g.W % g.H, column = pixel % g.W;
            Span<double> sums = dx.AsSpan(pixel * g.C, g.C);
            AddPixel(g, w, dy, n, h, column, 0, split, sums);
            if (split > 0)
                Span64.RoundToSingle(sums);
            AddPixel(g, w, dy, n, h, column, split, g.K, sums);
        }

        return dx;
    }

    /// <summary>dw = wgrad(x, dy).</summary>
    /// <param name="g">Sizes.</param>
    /// <param name="x">Input.</param>
    /// <param name="dy">Gradient of y.</param>
    /// <param name="split">Rows of all samples' y whose sum is stored before the others' is added; 0 for a single sum.</param>
    public static double[] BackwardFilter(in ConvolutionGeometry g, ReadOnlySpan<double> x, ReadOnlySpan<double> dy, int split)
    {
        double[] dw = new double[g.WLength];
        int taps = g.R * g.S * g.C;
        for (int pixel = 0; pixel < g.N * g.P * g.Q; pixel++)
        {
            if (split > 0 && pixel == split * g.Q)
                Span64.RoundToSingle(dw);
            int n = pixel / (g.P * g.Q), p = pixel / g.Q % g.P, q = pixel % g.Q;
            ReadOnlySpan<double> gradient = dy.Slice(pixel * g.K, g.K);
            for (int r = 0; r < g.R; r++)
            {
                int h = p * g.Stride - g.Padding + r;
                if ((uint)h >= (uint)g.H)
                    continue;
                for (int s = 0; s < g.S; s++)
                {
                    int column = q * g.Stride - g.Padding + s;
                    if ((uint)column >= (uint)g.W)
                        continue;
                    ReadOnlySpan<double> channels = x.Slice(((n * g.H + h) * g.W + column) * g.C, g.C);
                    int tap = (r * g.S + s) * g.C;
                    for (int k = 0; k < g.K; k++)
                        Span64.AddScaled(gradient[k], channels, dw.AsSpan(k * taps + tap, g.C));
                }
            }
        }

        return dw;
    }

    private static void AddPixel(
        in ConvolutionGeometry g, ReadOnlySpan<double> w, ReadOnlySpan<double> dy, int n, int h, int column, int first, int end,
        Span<double> sums)
    {
        int taps = g.R * g.S * g.C;
        for (int r = 0; r < g.R; r++)
        {
            int row = h + g.Padding - r;
            if (row < 0 || row % g.Stride != 0 || row / g.Stride >= g.P)
                continue;
            for (int s = 0; s < g.S; s++)
            {
                int place = column + g.Padding - s;
                if (place < 0 || place % g.Stride != 0 || place / g.Stride >= g.Q)
                    continue;
                ReadOnlySpan<double> gradient = dy.Slice(((n * g.P + row / g.Stride) * g.Q + place / g.Stride) * g.K, g.K);
                int tap = (r * g.S + s) * g.C;
                for (int k = first; k < end; k++)
                    Span64.AddScaled(gradient[k], w.Slice(k * taps + tap, g.C), sums);
            }
        }
    }
}
