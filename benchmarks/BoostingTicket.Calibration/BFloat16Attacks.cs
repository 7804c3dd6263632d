using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.BFloat16;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Calibration;

/// <summary>Times attacks' convolutions in float32, by the algorithm that is chosen for a filter without mask, and in bfloat16,
/// in turn, on one thread in its own time, and prints what bfloat16's steps cost in the nanoseconds of the prices in
/// float32.</summary>
internal static unsafe class BFloat16Attacks
{
    private const double SecondsOfSample = 0.02;
    private const int Batch = 64;

    /// <summary>Measures every shape whose name contains a text.</summary>
    /// <returns>An exit code.</returns>
    public static int Run(int repetitions, string only)
    {
        foreach (BFloat16Kernels kernels in All())
        {
            Console.WriteLine(
                $"{kernels.Name}, {Batch} images, one thread: float32 µs, bfloat16 µs, gain, gain by prices, nanoseconds of "
                + $"prices, steps");
            foreach ((string name, ConvolutionShape shape) in LayerShapes.All.Where(
                one => one.Key.Contains(only, StringComparison.Ordinal)))
            {
                foreach (bool forward in (ReadOnlySpan<bool>)[true, false])
                    Measure(kernels, name, shape, forward, repetitions);
            }
        }
        return 0;
    }

    private static IEnumerable<BFloat16Kernels> All()
    {
        if (ProcessorFeatures.HasTileProducts && ProcessorFeatures.MayUseTiles())
            yield return new TileKernels();
        if (ProcessorFeatures.HasVectorProducts)
            yield return new VectorKernels();
    }

    private static void Measure(BFloat16Kernels kernels, string name, ConvolutionShape shape, bool forward, int repetitions)
    {
        var prices = ConvolutionPrices.Of(InstructionSet.Avx512);
        using var pool = new WorkerPool(1);
        using var scratch = new WorkerScratch(1);
        using var choice = new PassChoice<Avx512Lanes, Vector512<float>>(shape, forward, prices, scratch, null);
        using var bfloat16 = new BFloat16Pass<Avx512Lanes, Vector512<float>>(shape, forward, kernels, scratch);
        const int Blocks = Batch / Layout.Lanes;
        using NativeBlock source = Random(choice.Pass.Source.Length * Batch), weights = Random(shape.WeightCount);
        using NativeBlock target = Random(choice.Pass.Target.Length * Batch);
        ConvolutionPass[] passes = [choice.Pass, bfloat16];
        double[][] times = [new double[repetitions], new double[repetitions]];
        foreach (ConvolutionPass pass in passes)
            pass.Prepare(pool, (float*)weights.Data, null);
        for (int repetition = 0; repetition < repetitions; repetition++)
        {
            for (int i = 0; i < passes.Length; i++)
                times[i][repetition] = Time(passes[i]);
        }
        double plain = Quartile(times[0]), brief = Quartile(times[1]);
        ConvolutionShape flat = ConvolutionPass.Flattened(shape);
        var sparse = new SparseGeometry(flat, forward, SparseKernel<Avx512Lanes, Vector512<float>>.MaximalPixels);
        ConvolutionAlgorithm algorithm = ConvolutionCost.Choose(prices, sparse, flat, forward, flat.WeightCount);
        double cost = ConvolutionCost.Of(prices, sparse, flat, forward, flat.WeightCount, algorithm);
        var geometry = new BFloat16Geometry(flat, forward, kernels);
        double[] steps = BFloat16Cost.Steps(geometry);
        Console.WriteLine(
            $"{name,-16} {(forward ? "forward" : "gradient"),-8} {algorithm,-8} {plain * 1e6,8:F0} {brief * 1e6,8:F0} "
            + $"{plain / brief,6:F2} "
            + $"{cost / BFloat16Cost.Of(kernels, flat, forward),6:F2}  scaled ns a block "
                + $"{brief / Blocks * 1e9 * cost / (plain / Blocks * 1e9),9:F0} "
            + $"steps {string.Join(' ', steps.Select(step => $"{step:F0}"))}");

        double Time(ConvolutionPass pass)
        {
            var epilogue = new PassEpilogue(null, null, Activation.Relu, null);
            double start = ProcessorTime.Seconds, elapsed;
            int count = 0;
            do
            {
                pass.Run(pool, Blocks, (float*)source.Data, (float*)target.Data, epilogue);
                count++;
                elapsed = ProcessorTime.Seconds - start;
            }
            while (elapsed < SecondsOfSample);
            return elapsed / count;
        }
    }

    private static NativeBlock Random(long length)
    {
        var block = new NativeBlock(length * sizeof(float));
        var random = new Random(7);
        for (long i = 0; i < length; i++)
            ((float*)block.Data)[i] = random.NextSingle() - 0.5f;
        return block;
    }

    private static double Quartile(double[] times)
    {
        Array.Sort(times);
        return times[times.Length / 4];
    }
}
