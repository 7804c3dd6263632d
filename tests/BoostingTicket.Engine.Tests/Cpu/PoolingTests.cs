using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class PoolingTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private static readonly FeatureShape Shape = new(3, 7, 8);

    private static readonly PoolShape[] Pools =
    [
        new(PoolKind.Max, 2, 2), new(PoolKind.Max, 3, 2), new(PoolKind.Max, 2, 1), new(PoolKind.Max, 7, 7),
        new(PoolKind.Max, 1, 3), new(PoolKind.Average, 2, 2), new(PoolKind.Average, 2, 3), new(PoolKind.Average, 7, 7),
    ];

    [Test]
    public void Forward_matches_the_definition(
        [ValueSource(nameof(Pools))] PoolShape pool, [ValueSource(nameof(Batches))] int batch)
    {
        float[] x = Uniform(batch * Shape.Length);
        FeatureShape pooled = pool.Output(Shape);
        CpuTensor y = Empty(batch, pooled);
        Backend.PoolForward(pool, Activation(batch, Shape, x), y);
        double[] expected = new double[batch * pooled.Length];
        for (int i = 0; i < expected.Length; i++)
        {
            IEnumerable<double> window = Window(pool, i).Select(at => (double)x[at]);
            expected[i] = pool.Kind == PoolKind.Max ? window.Max() : window.Average();
        }
        AssertClose(Read(y), expected, 1e-6);
        AssertAllFinite(y);
    }

    [Test]
    public void Backward_matches_the_definition_with_ties(
        [ValueSource(nameof(Pools))] PoolShape pool, [ValueSource(nameof(Batches))] int batch,
        [Values("none", "addend", "in place")] string sum, [Values] bool relu)
    {
        float[] x = Whole(batch * Shape.Length, 2), more = Whole(x.Length, 9), output = Whole(x.Length, 1);
        FeatureShape pooled = pool.Output(Shape);
        float[] g = Uniform(batch * pooled.Length);
        CpuTensor input = Activation(batch, Shape, x), y = Empty(batch, pooled), addend = Gradient(batch, Shape, more);
        CpuTensor dx = sum == "in place" ? addend : Empty(batch, Shape);
        Backend.PoolForward(pool, input, y);
        Backend.PoolBackward(
            pool, input, y, Gradient(batch, pooled, g), dx,
            new GradientEpilogue(sum == "none" ? null : addend, relu ? Activation(batch, Shape, output) : null));

        double[] expected = new double[x.Length];
        for (int i = 0; i < g.Length; i++)
        {
            int[] window = Window(pool, i).ToArray();
            if (pool.Kind == PoolKind.Max)
                expected[window.MaxBy(at => x[at])] += g[i];
            else
                Array.ForEach(window, at => expected[at] += (double)g[i] / window.Length);
        }
        for (int i = 0; i < x.Length; i++)
            expected[i] = relu && output[i] <= 0 ? 0 : expected[i] + (sum == "none" ? 0 : more[i]);
        AssertClose(Read(dx), expected, 1e-6);
        AssertUnusedLanesAreZero(dx);
    }

    [Test]
    public void Max_pooling_lets_NaN_through([Values(2, 3)] int size, [Values(0, 1, 2, 3)] int place)
    {
        float[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        FeatureShape shape = new(1, size, size);
        x[place] = float.NaN;
        CpuTensor y = Empty(1, new FeatureShape(1));
        Backend.PoolForward(new PoolShape(PoolKind.Max, size, 1), Activation(1, shape, x[..(size * size)]), y);
        Assert.That(Read(y)[0], Is.NaN);
    }

    [Test]
    public void Wrong_shapes_are_refused()
    {
        CpuTensor x = Empty(5, Shape), y = Empty(5, new FeatureShape(3, 3, 4)), other = Empty(5, new FeatureShape(3, 4, 4));
        PoolShape pool = new(PoolKind.Max, 2, 2);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Backend.PoolForward(pool, x, other),
                Throws.ArgumentException.With.Message.Contains("5x3x7x8").And.Message.Contains("5x3x4x4"));
            Assert.That(
                () => Backend.PoolBackward(pool, x, y, other, x, default),
                Throws.ArgumentException.With.Message.Contains("5x3x3x4").And.Message.Contains("5x3x4x4"));
            Assert.That(
                () => Backend.PoolForward(new PoolShape(PoolKind.Max, 8, 2), x, y),
                Throws.ArgumentException.With.Message.Contains("window of 8"));
            Assert.That(
                () => Backend.PoolForward(new PoolShape(PoolKind.Average, 3, 2), x, Empty(5, new FeatureShape(3, 3, 3))),
                Throws.ArgumentException.With.Message.Contains("stride is 2"));
        });
    }

    [Test]
    public void Results_do_not_depend_on_threads_and_nothing_is_allocated([ValueSource(nameof(Pools))] PoolShape pool)
    {
        FeatureShape shape = new(24, 16, 16), pooled = pool.Output(shape);
        CpuTensor x = Gradient(33, shape, Uniform(33 * shape.Length)), y = Empty(33, pooled), dx = Empty(33, shape);
        CpuTensor dy = Gradient(33, pooled, Uniform(33 * pooled.Length));
        AssertSameForAnyThreads(backend =>
        {
            backend.PoolForward(pool, x, y);
            backend.PoolBackward(pool, x, y, dy, dx, default);
            return [Read(y), Read(dx)];
        });
        AssertAllocatesNothing(() =>
        {
            Backend.PoolForward(pool, x, y);
            Backend.PoolBackward(pool, x, y, dy, dx, new GradientEpilogue(x, x));
        });
    }

    /// <summary>Input indices of the window of an output index, in row order.</summary>
    private static IEnumerable<int> Window(PoolShape pool, int output)
    {
        FeatureShape pooled = pool.Output(Shape);
        int plane = output / pooled.Pixels;
        int top = output % pooled.Pixels / pooled.Width * pool.Stride, left = output % pooled.Width * pool.Stride;
        for (int v = 0; v < pool.Window; v++)
        {
            for (int u = 0; u < pool.Window; u++)
                yield return plane * Shape.Pixels + (top + v) * Shape.Width + left + u;
        }
    }
}
