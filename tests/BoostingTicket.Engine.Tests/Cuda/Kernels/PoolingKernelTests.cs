using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

internal sealed class PoolingKernelTests
{
    // Windows that fit, leave rows and columns over, overlap, leave gaps; one value; everything.
    private static readonly (PoolShape Pool, FeatureShape Input)[] Pools =
    [
        (new(PoolKind.Max, 2, 2), new(3, 8, 8)),
        (new(PoolKind.Max, 2, 2), new(17, 5, 7)),
        (new(PoolKind.Max, 3, 2), new(10, 7, 7)),
        (new(PoolKind.Max, 3, 1), new(1, 6, 5)),
        (new(PoolKind.Max, 2, 3), new(10, 8, 9)),
        (new(PoolKind.Max, 3, 3), new(5, 7, 8)),
        (new(PoolKind.Max, 4, 4), new(64, 4, 4)),
        (new(PoolKind.Max, 1, 1), new(3, 3, 3)),
        (new(PoolKind.Average, 2, 2), new(3, 8, 8)),
        (new(PoolKind.Average, 2, 2), new(17, 5, 7)),
        (new(PoolKind.Average, 2, 3), new(10, 8, 9)),
        (new(PoolKind.Average, 4, 4), new(64, 4, 4)),
        (new(PoolKind.Average, 8, 8), new(16, 8, 8)),
    ];

    private static IEnumerable<TestCaseData> ForwardCases =>
        from pool in Pools
        from type in Enum.GetValues<ElementType>()
        select new TestCaseData(pool.Pool, pool.Input, type);

    /// <summary>Every pooling plain, and with whole numbers, of which windows hold the largest several times; every ending with
    /// a pooling of each kernel.</summary>
    private static IEnumerable<TestCaseData> BackwardCases =>
        from pool in Pools
        from type in Enum.GetValues<ElementType>()
        from ties in new[] { false, true }
        from summand in Enum.GetValues<Summand>()
        from relu in new[] { false, true }
        where (summand == Summand.None && !relu) || (summand != Summand.None && relu && !ties)
        select new TestCaseData(pool.Pool, pool.Input, type, summand, relu, ties);

    [TestCaseSource(nameof(ForwardCases))]
    public void Forward_takes_the_largest_or_the_mean(PoolShape pool, FeatureShape input, ElementType type)
    {
        using var bench = new TensorBench($"pool forward {pool} {input} {type}");
        float[] values = bench.Normal(type, 5 * input.Length);
        values[^1] = float.NegativeInfinity;
        values[values.Length / 2] = float.NaN;
        FeatureShape pooled = pool.Output(input);
        TensorView x = bench.Tensor(type, 5, input, values), y = bench.Tensor(type, 5, pooled);
        new PoolingKernels(bench.Library).Forward(pool, x, y);

        double[] expected = new double[5 * pooled.Length];
        for (int i = 0; i < expected.Length; i++)
        {
            List<double> window = [.. Window(pool, input, i).Select(at => (double)values[at])];
            expected[i] = pool.Kind == PoolKind.Average ? window.Average()
                : window.Any(double.IsNaN) ? double.NaN
                : window.Max();
        }
        double[] actual = bench.Read(y);
        if (pool.Kind == PoolKind.Max)
            Assert.That(actual, Is.EqualTo(expected));
        else
            TensorBench.AssertClose(actual, expected, type, "y", 8);
    }

    [TestCaseSource(nameof(BackwardCases))]
    public void Backward_gives_the_gradient_to_the_first_largest_or_to_all(
        PoolShape pool, FeatureShape input, ElementType type, Summand summand, bool relu, bool ties)
    {
        using var bench = new TensorBench($"pool backward {pool} {input} {type} {summand} {relu} {ties}");
        int count = 5 * input.Length;
        FeatureShape pooled = pool.Output(input);
        float[] values = bench.Normal(type, count), slopes = bench.Normal(type, 5 * pooled.Length);
        float[] addend = bench.Normal(type, count),
        mask = Array.ConvertAll(bench.Normal(type, count), value => MathF.Max(value, 0));
        if (ties)
            values = Array.ConvertAll(values, value => MathF.Max(MathF.Round(value), 0));
        else if (pool.Kind == PoolKind.Max)
            values[count / 2] = float.NaN;
        double[] expected = new double[count];
        float[] largest = new float[slopes.Length];
        if (summand != Summand.None)
            expected = Array.ConvertAll(addend, value => (double)value);
        for (int i = 0; i < slopes.Length; i++)
        {
            List<int> window = [.. Window(pool, input, i)];
            largest[i] = window.Any(at => float.IsNaN(values[at])) ? float.NaN : window.Max(at => values[at]);
            if (pool.Kind == PoolKind.Average)
                window.ForEach(at => expected[at] += (double)slopes[i] / window.Count);
            else if (!float.IsNaN(largest[i]))
                expected[window.First(at => values[at] == largest[i])] += slopes[i];
        }
        for (int i = 0; relu && i < count; i++)
            expected[i] = mask[i] > 0 ? expected[i] : 0;

        // The gradient of a mean depends on no value, and a plan may have given up their memory: nobody wrote x and y.
        bool isMax = pool.Kind == PoolKind.Max;
        TensorView x = isMax ? bench.Tensor(type, 5, input, values) : bench.Tensor(type, 5, input);
        TensorView y = isMax ? bench.Tensor(type, 5, pooled, largest) : bench.Tensor(type, 5, pooled);
        TensorView dx = summand == Summand.Destination ? bench.Tensor(type, 5, input, addend) : bench.Tensor(type, 5, input);
        TensorView? other = summand switch
        {
            Summand.Separate => bench.Tensor(type, 5, input, addend),
            Summand.Destination => dx,
            _ => null,
        };
        new PoolingKernels(bench.Library).Backward(
            pool, x, y, bench.Tensor(type, 5, pooled, slopes), dx, other, relu ? bench.Tensor(type, 5, input, mask) : null,
            relu ? Activation.Relu : Activation.None);
        double[] actual = bench.Read(dx);
        TensorBench.AssertClose(actual, expected, type, "dx", 8);
        Assert.That(actual.Where((_, i) => expected[i] == 0), Is.All.Zero, "where no gradient goes");
    }

    [Test]
    public void What_does_not_fit_is_refused_in_a_sentence()
    {
        using var bench = new TensorBench("pooling refusals");
        var kernels = new PoolingKernels(bench.Library);
        TensorView x = bench.Tensor(ElementType.Float32, 2, new FeatureShape(3, 4, 4));
        TensorView y = bench.Tensor(ElementType.Float32, 2, new FeatureShape(3, 2, 2));
        Assert.Multiple(() =>
        {
            Assert.That(
                () => kernels.Forward(new PoolShape(PoolKind.Max, 5, 5), x, y),
                Throws.ArgumentException.With.Message.Contains("window of 5"));
            Assert.That(
                () => kernels.Forward(new PoolShape(PoolKind.Average, 3, 1), x, y),
                Throws.ArgumentException.With.Message.Contains("stride of at least its window"));
            Assert.That(
                () => kernels.Forward(new PoolShape(PoolKind.Max, 4, 4), x, y),
                Throws.ArgumentException.With.Message.Contains("must be a Float32 tensor of 2x3."));
            Assert.That(
                () => kernels.Backward(new PoolShape(PoolKind.Max, 2, 2), x, y, x, x, null, null, Activation.None),
                Throws.ArgumentException.With.Message.Contains("dy"));
        });
    }

    /// <summary>The values of the window of an output, in row order.</summary>
    private static IEnumerable<int> Window(PoolShape pool, FeatureShape input, int index)
    {
        FeatureShape pooled = pool.Output(input);
        int map = index / pooled.Pixels, row = index / pooled.Width % pooled.Height, column = index % pooled.Width;
        return from v in Enumerable.Range(row * pool.Stride, pool.Window)
               from u in Enumerable.Range(column * pool.Stride, pool.Window)
               select (map * input.Pixels) + (v * input.Width) + u;
    }
}
