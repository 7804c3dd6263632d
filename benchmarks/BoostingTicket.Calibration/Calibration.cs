using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Calibration;

/// <summary>Times every algorithm on the shapes of the networks at several densities, in turn, and fits prices to the
/// times.</summary>
internal static unsafe class Calibration
{
    private const double SecondsOfSample = 0.006;

    private static readonly double[] Densities = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

    private enum Kind
    {
        Direct,
        Winograd,
        WideWinograd,
        Polyphase,
        Sparse,
        Gradient,
        WinogradGradient,
        SparseGradient,
    }

    public static void Run<TLanes, TVector>(InstructionSet set, int repetitions, string only, bool sparse, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var candidates = new List<Candidate>();
        ConvolutionPrices prices = ConvolutionPrices.Of(set);
        foreach ((string name, ConvolutionShape shape) in LayerShapes.All)
        {
            if (!name.Contains(only, StringComparison.Ordinal))
                continue;
            using var bench = new Bench<TLanes, TVector>(name, shape, prices, sparse ? Densities : [], threads);
            bench.Measure(repetitions);
            candidates.AddRange(bench.Candidates);
            Console.Error.WriteLine($"{name}: {bench.Candidates.Count} candidates");
            foreach (Candidate dense in bench.Candidates.Where(one => one.Density == 1))
            {
                Console.Error.WriteLine(
                    $"{name,-16} {dense.Pass,-15} {dense.Kind,-16} {dense.Nanoseconds / 1e6,8:F3} ms a block, "
                    + $"expected {dense.Price(prices) / 1e6,8:F3}");
            }
        }
        foreach (Kind kind in Enum.GetValues<Kind>())
            Fit(kind, candidates);
        Regret(candidates, prices);
    }

    private static void Fit(Kind kind, List<Candidate> candidates)
    {
        (double[] Steps, double Time)[] samples =
            [.. candidates.Where(one => one.Kind == kind).Select(one => (one.Steps, one.Nanoseconds))];
        if (samples.Length == 0)
            return;
        double[] fitted = PriceFit.Solve(samples);
        Console.WriteLine(
            $"{kind}: new({string.Join(", ", fitted.Select(price => price.ToString("G3")))}), "
            + $"relative error {PriceFit.Error(samples, fitted):P0} of {samples.Length} samples");
    }

    /// <summary>How much slower than the best candidate is what the prices in use choose.</summary>
    private static void Regret(List<Candidate> candidates, ConvolutionPrices prices)
    {
        var losses = new List<double>();
        foreach (IGrouping<(string, bool, bool), Candidate> work
            in candidates.GroupBy(one => (one.Name, one.Forward, one.IsGradient)))
        {
            foreach (double density in Densities)
            {
                Candidate[] open = [.. work.Where(one => one.Density is 1 || one.Density == density)];
                Candidate chosen = open.MinBy(one => one.Price(prices))!, best = open.MinBy(one => one.Nanoseconds)!;
                double loss = chosen.Nanoseconds / best.Nanoseconds - 1;
                losses.Add(loss);
                double dense = open.Where(one => one.Density == 1).Min(one => one.Nanoseconds);
                Console.WriteLine(
                    $"{best.Name,-16} {best.Pass,-14} {density,4:P0}: dense {dense / 1e6,8:F3} ms a block, best "
                    + $"{best.Nanoseconds / 1e6,8:F3} ({dense / best.Nanoseconds,5:F2}x, {best}), chosen {chosen} (+{loss:P0})");
            }
        }
        losses.Sort();
        Console.WriteLine(
            $"The choice loses {losses.Average():P1} on average, {losses[losses.Count / 2]:P1} in the median, "
            + $"{losses[^1]:P0} at worst.");
    }

    private sealed record Candidate(
        string Name, Kind Kind, bool Forward, double Density, int Chunk, double[] Steps, Action<int> Run)
    {
        public bool IsGradient => Kind is Kind.Gradient or Kind.WinogradGradient or Kind.SparseGradient;

        public string Pass => IsGradient ? "filter gradient" : Forward ? "forward" : "input gradient";

        public double Nanoseconds { get; set; }

        public double Price(ConvolutionPrices prices) => Kind switch
        {
            Kind.Direct => prices.Direct.Of(Steps),
            Kind.Winograd => prices.Winograd.Of(Steps),
            Kind.WideWinograd => prices.WideWinograd.Of(Steps),
            Kind.Polyphase => prices.Polyphase.Of(Steps),
            Kind.Sparse => prices.Sparse.Of(Steps),
            Kind.Gradient => prices.Gradient.Of(Steps),
            Kind.WinogradGradient => prices.WinogradGradient.Of(Steps),
            _ => prices.SparseGradient.Of(Steps),
        };

        public override string ToString() => Chunk == 0 ? $"{Kind}" : $"{Kind} in chunks of {Chunk}";
    }

    private sealed class Bench<TLanes, TVector> : IDisposable
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        private readonly List<IDisposable> _owned = [];
        private readonly int _blocks, _threads;

        public Bench(
            string name, ConvolutionShape original, ConvolutionPrices prices, double[] densities, int threads)
        {
            _threads = threads;
            ConvolutionShape shape = ConvolutionPass.Flattened(original);
            _blocks = threads * (original.IsLinear || shape.Output.Pixels <= 4 ? 8 : 4);
            WorkerPool pool = Own(new WorkerPool(threads));
            WorkerScratch scratch = Own(new WorkerScratch(threads));
            float* weight = Values(shape.WeightCount), result = Values(shape.WeightCount);
            float* input = Values(_blocks * shape.Input.Length * Layout.Lanes);
            float* output = Values(_blocks * shape.Output.Length * Layout.Lanes);
            foreach (bool forward in (bool[])[true, false])
            {
                var geometry = new SparseGeometry(shape, forward, SparseKernel<TLanes, TVector>.MaximalPixels);
                float* from = forward ? input : output, to = forward ? output : input;
                AddPass(
                    Kind.Direct, forward, 1, 0, ConvolutionCost.Direct(shape, forward),
                    new DirectPass<TLanes, TVector>(shape, forward), from, to);
                if (ConvolutionCost.WinogradApplies(shape))
                {
                    AddPass(
                        shape.KernelHeight == WideFilterTransforms.Kernel ? Kind.WideWinograd : Kind.Winograd, forward, 1, 0,
                        ConvolutionCost.Winograd(shape, forward), new WinogradPass<TLanes, TVector>(shape, forward, scratch),
                        from, to);
                }
                if (ConvolutionCost.PolyphaseApplies(shape))
                {
                    AddPass(
                        Kind.Polyphase, forward, 1, 0, ConvolutionCost.Polyphase(shape, forward),
                        new PolyphasePass<TLanes, TVector>(shape, forward, scratch), from, to);
                }
                foreach (double density in densities)
                {
                    float* mask = Mask(shape.WeightCount, density);
                    int kept = SparseLists.CountKept(mask, shape.WeightCount);
                    foreach (int chunk in Chunks(geometry, ConvolutionCost.Chunk(prices, geometry, kept)))
                    {
                        AddPass(
                            Kind.Sparse, forward, density, chunk, ConvolutionCost.Sparse(geometry, kept, chunk),
                            new SparsePass<TLanes, TVector>(shape, forward, mask, prices, scratch, chunk), from, to);
                    }
                    if (!forward)
                        continue;
                    foreach (int chunk in Chunks(geometry, FilterGradientCost.Chunk(prices, geometry, kept)))
                    {
                        AddGradient(
                            Kind.SparseGradient, density, chunk, FilterGradientCost.Sparse(geometry, kept, chunk),
                            new SparseFilterGradient<TLanes, TVector>(shape, mask, prices, scratch, chunk));
                    }
                }
            }
            AddGradient(
                Kind.Gradient, 1, 0, ConvolutionCost.Direct(shape, forward: true), new FilterGradient<TLanes, TVector>(shape));
            if (FilterGradientCost.WinogradApplies(shape))
            {
                AddGradient(
                    Kind.WinogradGradient, 1, 0, FilterGradientCost.Winograd(shape),
                    new WinogradFilterGradient<TLanes, TVector>(shape, scratch));
            }

            void AddPass(
                Kind kind, bool forward, double density, int chunk, double[] steps, ConvolutionPass pass, float* from, float* to)
            {
                Own(pass).Prepare(pool, weight, null);
                Candidates.Add(new Candidate(
                    name, kind, forward, density, chunk, steps, blocks => pass.Run(pool, blocks, from, to, default)));
            }

            void AddGradient(Kind kind, double density, int chunk, double[] steps, FilterGradient gradient)
            {
                Own(gradient);
                Candidates.Add(new Candidate(
                    name, kind, true, density, chunk, steps, blocks => gradient.Run(pool, blocks, input, output, result)));
            }
        }

        public List<Candidate> Candidates { get; } = [];

        /// <summary>Times all candidates in turn; what counts is the lower quartile of the repetitions.</summary>
        public void Measure(int repetitions)
        {
            int[] times = new int[Candidates.Count];
            for (int i = 0; i < times.Length; i++)
            {
                Candidates[i].Run(_blocks);
                times[i] = Math.Max(1, (int)(SecondsOfSample / Seconds(Candidates[i], 1)));
            }
            var measured = Candidates.Select(_ => new List<double>()).ToArray();
            for (int repetition = 0; repetition < repetitions; repetition++)
            {
                for (int i = 0; i < times.Length; i++)
                    measured[i].Add(Seconds(Candidates[i], times[i]));
            }
            for (int i = 0; i < times.Length; i++)
            {
                measured[i].Sort();
                Candidates[i].Nanoseconds = measured[i][repetitions / 4] * 1e9 / _blocks;
            }
        }

        public void Dispose()
        {
            foreach (IDisposable owned in _owned)
                owned.Dispose();
        }

        // Of one thread, its own; of several, those that passed for each of them.
        private double Seconds(Candidate candidate, int times)
        {
            double start = Now();
            for (int i = 0; i < times; i++)
                candidate.Run(_blocks);
            return _threads * Math.Max(Now() - start, 1e-8) / times;
        }

        private double Now() => _threads == 1
            ? ProcessorTime.Seconds
            : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

        private static IEnumerable<int> Chunks(SparseGeometry geometry, int usual) => new[]
        {
            usual, Math.Max(1, usual / 2), Math.Min(geometry.GroupChannels, 2 * usual), geometry.GroupChannels,
        }.Distinct();

        private T Own<T>(T disposable)
            where T : IDisposable
        {
            _owned.Add(disposable);
            return disposable;
        }

        private float* Values(int count)
        {
            CpuFloats floats = Own(new CpuFloats(count));
            var random = new Random(1);
            for (int i = 0; i < count; i++)
                floats.Data[i] = random.NextSingle() - 0.5f;
            return floats.Data;
        }

        private float* Mask(int count, double density)
        {
            CpuFloats floats = Own(new CpuFloats(count));
            var random = new Random(2);
            for (int i = 0; i < count; i++)
                floats.Data[i] = random.NextDouble() < density ? 1 : 0;
            return floats.Data;
        }
    }
}
