using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Testing.Operations;
using BoostingTicket.TorchSharpSupport;
using BoostingTicket.Training;

namespace BoostingTicket.Benchmarks;

/// <summary>What <c>--ratio</c> was asked for.</summary>
/// <param name="Only">Text that the names of models, or of shapes, contain.</param>
/// <param name="Threads">Threads of both engines.</param>
/// <param name="Repetitions">Repetitions at most.</param>
/// <param name="Budget">Seconds for all models together.</param>
/// <param name="Whole">Whether steps of PGD training are timed as a whole.</param>
/// <param name="Operations">Whether convolutions are timed instead of networks.</param>
/// <param name="Memory">Whether the memory of both engines is measured too.</param>
/// <param name="Busy">Whether ratios are printed on a busy machine.</param>
/// <param name="Json">Whether the answer is a JSON document.</param>
/// <param name="KeepsFreedMemory">Whether the process keeps freed memory.</param>
/// <param name="Precision">The one number format of TorchSharp that counts; null for all.</param>
internal sealed record RatioOptions(
    string Only, int Threads, int Repetitions, int Budget, bool Whole, bool Operations, bool Memory, bool Busy, bool Json,
    bool KeepsFreedMemory, string? Precision);

/// <summary>Times both engines in turn and prints the ratios.</summary>
/// <param name="options">What was asked for.</param>
internal sealed class RatioRun(RatioOptions options)
{
    private const double BusyLoad = 0.5;

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
    };

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly List<RatioRow> _rows = [];
    private readonly List<VariantRow> _variants = [];
    private readonly List<PeakMemory> _memory = [];

    private double Seconds => Stopwatch.GetElapsedTime(_started).TotalSeconds;

    private IReadOnlyList<RatioSummary> Summary =>
    [
        .. _rows.GroupBy(row => (row.Work, row.Sparsity, row.OursPrecision, Opponent: row.Opponent.Split(',')[0])).Select(
            group => new RatioSummary(
                group.Key.Work, group.Key.Sparsity, group.Key.OursPrecision, group.Key.Opponent, group.Count(),
                group.Min(row => row.Ratio), Statistics.GeometricMean(group.Select(row => row.Ratio)),
                Statistics.GeometricMean(group.Select(row => row.FastestRatio)))),
    ];

    /// <summary>Times and prints.</summary>
    /// <returns>The exit code: that of wrong usage where the machine is too busy.</returns>
    /// <exception cref="ConfigurationException">No model or shape has the name.</exception>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public int Execute()
    {
        IReadOnlyList<string> names = options.Operations ? [.. LayerShapes.All.Keys] : [.. BenchmarkModel.All.Select(
            model => model.Name)];
        string[] chosen = [.. names.Where(name => name.Contains(options.Only, StringComparison.Ordinal))];
        if (chosen.Length == 0)
            throw new ConfigurationException(
                $"--only is '{options.Only}', which no name contains; there are {string.Join(", ", names)}.");
        TorchLibrary.Load(options.Threads);
        using IBackend backend = CpuBackend.Create(options.Threads);
        double? load = LoadAverage();
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{backend.Device.Description}, against TorchSharp on {options.Threads} threads; load of the machine before: "
            + $"{load:F1}"));
        if (load > BusyLoad)
        {
            // TorchSharp's threads wait for one another and suffer more.
            Console.Error.WriteLine(options.Busy
                ? "Warning: the machine is busy, and ratios are too high."
                : "The machine is busy, so that ratios would be too high; wait until it is quiet, or give --busy to see them all "
                    + "the same.");
            if (!options.Busy)
                return ExitCodes.Configuration;
        }
        if (options.Operations)
            TimeOperations(chosen, backend);
        else
            TimeNetworks([.. chosen.Select(BenchmarkModel.Find)], backend);
        Print(backend, load);
        return ExitCodes.Done;
    }

    private void TimeNetworks(IReadOnlyList<BenchmarkModel> models, IBackend backend)
    {
        using IBackend bfloat16 = CpuBackend.CreateWithBFloat16Attacks(options.Threads, out string? lacking);
        // Each model gets of what is left in proportion to its operations, of which small networks reach fewer a second.
        double[] weights =
            [.. models.Select(model => Math.Sqrt((double)new Workload(model, 0).Graph.MultiplyAdds * model.Batch))];
        for (int i = 0; i < models.Count; i++)
        {
            double left = options.Budget - Seconds;
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Seconds,5:F0} s: {models[i].Name}"));
            (IReadOnlyList<TorchVariant> fastest, IReadOnlyList<VariantRow> timed) = VariantChoice.Find(
                models[i], backend, options.Precision);
            foreach (VariantRow variant in timed)
                Add(variant);
            var ratios = new NetworkRatios(models[i], backend, lacking is null ? bfloat16 : null, options.Whole);
            foreach (RatioRow row in ratios.Run(fastest, options.Repetitions, left * weights[i] / weights[i..].Sum()))
                Add(row);
        }
        if (!options.Memory)
            return;
        foreach (BenchmarkModel model in models)
        {
            var peak = PeakMemory.Measure(model, options.Threads);
            _memory.Add(peak);
            if (!options.Json)
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{"peak memory",-28} {peak.Model,-14} ours {peak.OursBytes / 1048576.0,7:F0} MiB  theirs "
                    + $"{peak.TheirsBytes / 1048576.0,7:F0} MiB  ratio {peak.Ratio:F2}"));
        }
    }

    private void TimeOperations(IReadOnlyList<string> shapes, IBackend backend)
    {
        foreach (string shape in shapes)
        {
            using var pair = new ConvolutionPair(shape, backend);
            double disagreement = pair.RequireAgreement();
            foreach ((string work, TimedWork ours, TimedWork theirs) in pair.Works())
            {
                ours.Prepare();
                theirs.Prepare();
                for (int i = 0; i < options.Repetitions; i++)
                {
                    ours.Repeat();
                    theirs.Repeat();
                }
                Add(RatioRow.Of(
                    work, shape, ConvolutionPair.Batch, 0, ours.Seconds, theirs.Seconds, pair.Operations, disagreement));
            }
        }
    }

    private void Add(VariantRow row)
    {
        _variants.Add(row);
        if (!options.Json)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{"TorchSharp, PGD-10 step",-28} {row.Model,-14} {row.Variant,-40} {row.PgdSeconds * 1e3,9:F1} ms"
                + $"{(row.IsFastest ? "  (the fastest)" : "")}"));
    }

    private void Add(RatioRow row)
    {
        _rows.Add(row);
        if (!options.Json)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Work,-28} {row.Model,-14} {row.Sparsity * 100,2:0} %  ours {row.OursPrecision} "
                + $"{row.OursSeconds * 1e3,9:F2} ms ({row.OursGigaflops,6:F0} Gop/s)  theirs "
                + $"{row.TheirsSeconds * 1e3,9:F2} ms ({row.TheirsGigaflops,5:F0} Gop/s)  ratio {row.Ratio:F2} "
                + $"({row.LowestRatio:F2} to {row.HighestRatio:F2}), of the fastest {row.FastestRatio:F2}"));
    }

    private void Print(IBackend backend, double? load)
    {
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    device = backend.Device.Description,
                    threads = options.Threads,
                    keepsFreedMemory = options.KeepsFreedMemory,
                    loadBefore = load,
                    seconds = Seconds,
                    variants = _variants,
                    rows = _rows,
                    summary = Summary,
                    memory = _memory,
                },
                Format));
            return;
        }
        foreach (RatioSummary line in Summary)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{line.Work}, {line.Sparsity * 100:0} % pruned, {line.OursPrecision} against TorchSharp's fastest "
                + $"{line.Opponent}: ratio at least {line.Least:F2}, geometric mean {line.GeometricMean:F2} of {line.Models}, of "
                + $"the fastest repetitions {line.FastestGeometricMean:F2}"));
    }

    private static double? LoadAverage() => File.Exists("/proc/loadavg")
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
        : null;
}
