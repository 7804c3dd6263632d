using System.Diagnostics;

namespace BoostingTicket.Benchmarks;

/// <summary>Work that is timed in turn with other work.</summary>
/// <param name="name">What it is, for errors.</param>
/// <param name="work">The work.</param>
/// <param name="before">What must precede it and is not timed; null for nothing.</param>
internal sealed class TimedWork(string name, Action work, Action? before = null)
{
    private const double LeastSeconds = 0.1;
    private readonly List<double> _seconds = [];
    private int _calls = 1;

    public string Name => name;

    /// <summary>Seconds of a call, repetition by repetition.</summary>
    public IReadOnlyList<double> Seconds => _seconds;

    /// <summary>Warms up, and finds how many calls make a repetition long enough to be timed.</summary>
    public void Prepare()
    {
        Call();
        _calls = Math.Max(1, (int)Math.Ceiling(LeastSeconds / Math.Max(Call(), 1e-6)));
    }

    /// <summary>Times a repetition.</summary>
    public void Repeat()
    {
        double sum = 0;
        for (int call = 0; call < _calls; call++)
            sum += Call();
        _seconds.Add(sum / _calls);
    }

    private double Call()
    {
        before?.Invoke();
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>Statistics of few numbers.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));
}

/// <summary>The same work in both engines.</summary>
/// <param name="Work">What is done.</param>
/// <param name="Model">Model, or shape of an operation.</param>
/// <param name="Batch">Samples.</param>
/// <param name="Sparsity">Share of the prunable weights that is pruned.</param>
/// <param name="OursSeconds">Median seconds of this engine.</param>
/// <param name="TheirsSeconds">Median seconds of TorchSharp.</param>
/// <param name="Ratio">Median of theirs over ours, repetition by repetition: above 1 this engine is faster.</param>
/// <param name="LowestRatio">Least of them.</param>
/// <param name="HighestRatio">Largest of them.</param>
/// <param name="OursFastestSeconds">Seconds of this engine's fastest repetition.</param>
/// <param name="TheirsFastestSeconds">Seconds of TorchSharp's fastest repetition.</param>
/// <param name="FastestRatio">Theirs over ours of the fastest: what other guests of the machine add to single repetitions has no
/// part in it.</param>
/// <param name="Repetitions">How many.</param>
/// <param name="OursGigaflops">Operations of the dense network over our time, in billions a second.</param>
/// <param name="TheirsGigaflops">The same over theirs.</param>
/// <param name="Disagreement">Normalised squared error between the engines' answers.</param>
/// <param name="Composed">Whether the time is a sum of parts that were timed apart.</param>
internal sealed record RatioRow(
    string Work, string Model, int Batch, double Sparsity, double OursSeconds, double TheirsSeconds, double Ratio,
    double LowestRatio,
    double HighestRatio, double OursFastestSeconds, double TheirsFastestSeconds, double FastestRatio, int Repetitions,
    double OursGigaflops, double TheirsGigaflops, double Disagreement, bool Composed)
{
    /// <summary>Number format of this engine's attacks.</summary>
    public string OursPrecision { get; init; } = "float32";

    /// <summary>TorchSharp's variant.</summary>
    public string Opponent { get; init; } = TorchVariant.Shipped.Name;

    /// <summary>A row from the seconds of each repetition.</summary>
    public static RatioRow Of(
        string work, string model, int batch, double sparsity, IReadOnlyList<double> ours, IReadOnlyList<double> theirs,
        double operations,
        double disagreement, bool composed = false)
    {
        double[] ratios = [.. theirs.Zip(ours, (t, o) => t / o).Order()];
        double oursMedian = Statistics.Median(ours), theirsMedian = Statistics.Median(theirs);
        return new RatioRow(
            work, model, batch, sparsity, oursMedian, theirsMedian, Statistics.Median(ratios), ratios[0], ratios[^1], ours.Min(),
            theirs.Min(),
            theirs.Min() / ours.Min(), ratios.Length, operations / oursMedian / 1e9, operations / theirsMedian / 1e9,
            disagreement, composed);
    }
}

/// <summary>What a target is set for: the ratios of all models for one kind of work.</summary>
/// <param name="Work">What is done.</param>
/// <param name="Sparsity">Share of the prunable weights that is pruned.</param>
/// <param name="OursPrecision">Number format of this engine's attacks.</param>
/// <param name="Opponent">Number format of TorchSharp's fastest variants.</param>
/// <param name="Models">How many models.</param>
/// <param name="Least">The least of their ratios.</param>
/// <param name="GeometricMean">Their geometric mean.</param>
/// <param name="FastestGeometricMean">That of the ratios of fastest repetitions.</param>
internal sealed record RatioSummary(
    string Work, double Sparsity, string OursPrecision, string Opponent, int Models, double Least, double GeometricMean,
    double FastestGeometricMean);
