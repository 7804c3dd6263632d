using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>SplitMix64 with uniform and normal draws: the data depend on a seed and on no library's generator.</summary>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A double in [0, 1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>A double in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double Uniform(double low, double high) => low + (high - low) * Uniform();

    /// <summary>A normal deviate of mean 0 and standard deviation 1 (Box-Muller).</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    /// <summary>An integer in [0, <paramref name="bound"/>).</summary>
    public int Integer(int bound) => (int)(Uniform() * bound);

    /// <summary>A float64 tensor whose elements are drawn in order.</summary>
    public static Tensor Fill(long[] shape, Func<double> draw)
    {
        double[] values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
            values[i] = draw();
        return tensor(values, shape);
    }

    private ulong Next()
    {
        _state += 0x9e3779b97f4a7c15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
