using System.Numerics;
using System.Runtime.InteropServices;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>Sums of products in double, in which products of float32 are exact.</summary>
internal static class Span64
{
    /// <summary><c>y[i] += a * x[i]</c>.</summary>
    public static void AddScaled(double a, ReadOnlySpan<double> x, Span<double> y)
    {
        ReadOnlySpan<Vector<double>> xs = MemoryMarshal.Cast<double, Vector<double>>(x);
        Span<Vector<double>> ys = MemoryMarshal.Cast<double, Vector<double>>(y[..x.Length]);
        var factor = new Vector<double>(a);
        for (int i = 0; i < ys.Length; i++)
            ys[i] += factor * xs[i];
        for (int i = ys.Length * Vector<double>.Count; i < x.Length; i++)
            y[i] += a * x[i];
    }

    /// <summary>Rounds running sums to float32, as a partial sum that is stored is.</summary>
    public static void RoundToSingle(Span<double> values)
    {
        foreach (ref double value in values)
            value = (float)value;
    }
}
