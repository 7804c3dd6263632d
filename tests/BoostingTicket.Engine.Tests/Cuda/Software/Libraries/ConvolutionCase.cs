using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

/// <summary>A convolution's sizes and its three passes by direct loops over n, c, h, w in double.</summary>
internal sealed record ConvolutionCase(int N, int C, int H, int W, int K, int Kernel, int Padding, int Stride)
{
    public int P => (H + 2 * Padding - Kernel) / Stride + 1;

    public int Q => (W + 2 * Padding - Kernel) / Stride + 1;

    internal int Length(Operand operand) => operand switch
    {
        Operand.X => N * C * H * W,
        Operand.W => K * C * Kernel * Kernel,
        _ => N * K * P * Q,
    };

    /// <summary>What a pass writes, from the other two operands (n, c, h, w and k, c, r, s).</summary>
    internal double[] Reference(ConvolutionDirection direction, double[] x, double[] w, double[] y)
    {
        double[] result = new double[Length(OutputOf(direction))];
        for (int n = 0; n < N; n++)
            for (int k = 0; k < K; k++)
                for (int p = 0; p < P; p++)
                    for (int q = 0; q < Q; q++)
                        for (int c = 0; c < C; c++)
                            for (int r = 0; r < Kernel; r++)
                                for (int s = 0; s < Kernel; s++)
                                {
                                    int h = p * Stride + r - Padding, column = q * Stride + s - Padding;
                                    if (h < 0 || h >= H || column < 0 || column >= W)
                                        continue;
                                    int xi = ((n * C + c) * H + h) * W + column, wi = ((k * C + c) * Kernel + r) * Kernel + s,
                                    yi = ((n * K + k) * P + p) * Q + q;
                                    switch (direction)
                                    {
                                        case ConvolutionDirection.Forward:
                                            result[yi] += x[xi] * w[wi];
                                            break;
                                        case ConvolutionDirection.BackwardData:
                                            result[xi] += y[yi] * w[wi];
                                            break;
                                        default:
                                            result[wi] += x[xi] * y[yi];
                                            break;
                                    }
                                }

        return result;
    }

    internal static Operand OutputOf(ConvolutionDirection direction) => direction switch
    {
        ConvolutionDirection.Forward => Operand.Y,
        ConvolutionDirection.BackwardData => Operand.X,
        _ => Operand.W,
    };

    /// <summary>From channels second to channels last.</summary>
    internal double[] ToLast(Operand operand, double[] values) => Reorder(operand, values, true);

    /// <summary>From channels last to channels second.</summary>
    internal double[] ToSecond(Operand operand, double[] values) => Reorder(operand, values, false);

    public override string ToString() => $"{N}x{C}x{H}x{W} to {K}, kernel {Kernel}, padding {Padding}, stride {Stride}";

    private double[] Reorder(Operand operand, double[] values, bool toLast)
    {
        (int channels, int pixels) = operand switch
        {
            Operand.X => (C, H * W),
            Operand.W => (C, Kernel * Kernel),
            _ => (K, P * Q),
        };
        double[] result = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int image = i / (channels * pixels), channel = i / pixels % channels, pixel = i % pixels;
            int last = (image * pixels + pixel) * channels + channel;
            if (toLast)
                result[last] = values[i];
            else
                result[i] = values[last];
        }

        return result;
    }
}

/// <summary>Operands of a convolution.</summary>
internal enum Operand
{
    X,
    W,
    Y,
}
