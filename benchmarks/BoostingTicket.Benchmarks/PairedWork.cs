using System.Diagnostics;

namespace BoostingTicket.Benchmarks;

/// <summary>The same work done by this engine and by TorchSharp, in one process on the same data.</summary>
internal abstract class PairedWork : IDisposable
{
    /// <summary>What is done.</summary>
    public abstract string Name { get; }

    /// <summary>Multiply-adds of the dense work, times two.</summary>
    public abstract double Arithmetic { get; }

    /// <summary>Does it with this engine.</summary>
    public abstract void Ours();

    /// <summary>Does it with TorchSharp.</summary>
    public abstract void Theirs();

    /// <summary>Does it once with both and compares the answers.</summary>
    /// <returns>Normalised squared error, Σ(a-b)² / Σb².</returns>
    public abstract double Disagreement();

    public abstract void Dispose();

    /// <summary>Times both in turn, after a warm-up.</summary>
    /// <param name="repetitions">Timed pairs.</param>
    public PairedTimes Time(int repetitions)
    {
        Ours();
        Theirs();
        double[] ours = new double[repetitions], theirs = new double[repetitions];
        for (int i = 0; i < repetitions; i++)
        {
            ours[i] = Seconds(Ours);
            theirs[i] = Seconds(Theirs);
        }
        return new PairedTimes(ours, theirs);
    }

    private static double Seconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>Seconds of interleaved repetitions.</summary>
internal sealed record PairedTimes(double[] Ours, double[] Theirs)
{
    /// <summary>Theirs over ours, pair by pair, ascending: above 1 this engine is faster.</summary>
    public double[] Ratios { get; } = [.. Theirs.Zip(Ours, (theirs, ours) => theirs / ours).Order()];

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
