using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.Kernels;
using static BoostingTicket.Engine.Tests.Cpu.ConvolutionTests;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Winograd's algorithm on its own, also for shapes for which the direct one is chosen, against plain loops in
/// double precision.</summary>
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
internal sealed unsafe class WinogradTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Of the sum of the products' magnitudes; the worst single value of these cases stays under half of it.
    private const double Tolerance = 1e-5;

    private static readonly (int Batch, ConvolutionShape Shape)[] Cases = [
        (1, new(new(1, 4, 4), 1, 3, 3, 1, 1)),
        (16, new(new(3, 8, 8), 10, 3, 3, 1, 1)),
        (33, new(new(10, 4, 4), 17, 3, 3, 1, 1)),
        (65, new(new(5, 2, 2), 6, 3, 3, 1, 1)),
        (17, new(new(17, 7, 9), 12, 3, 3, 1, 1)),
        (5, new(new(40, 6, 5), 35, 3, 3, 1, 1)),
        (5, new(new(3, 8, 11), 5, 3, 3, 1, 0)),
        (5, new(new(3, 5, 13), 5, 3, 3, 1, 2)),
        (5, new(new(4, 1, 1), 6, 3, 3, 1, 1)),
        (33, new(new(10, 14, 14), 17, 5, 5, 1, 2)),
        (5, new(new(3, 7, 9), 5, 5, 5, 1, 2)),
        (17, new(new(4, 3, 2), 6, 5, 5, 1, 2)),
        (5, new(new(4, 1, 1), 6, 5, 5, 1, 2)),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Forward_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        (double[] value, double[] magnitude) = ConvolutionReference.Forward(shape, batch, x, w);
        ConvolutionTests.AssertClose(Compute(shape, true, batch, x, w, null), (value, magnitude), Tolerance);
        float[] scale = Values(shape.OutputChannels, 3);
        double[] factor = [.. value.Select((_, i) => (double)scale[i / shape.Output.Pixels % shape.OutputChannels])];
        ConvolutionTests.AssertClose(
            Compute(shape, true, batch, x, w, scale),
            ([.. value.Zip(factor, (v, f) => v * f)], [.. magnitude.Zip(factor, (m, f) => m * Math.Abs(f))]), Tolerance);
    }

    [TestCaseSource(nameof(Cases))]
    public void Input_gradient_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        float[] dy = Values(batch * shape.Output.Length, 1), w = Values(shape.WeightCount, 2);
        float[] scale = Values(shape.OutputChannels, 3);
        float[] scaled = [.. w.Select((value, i) => value * scale[i / (shape.WeightCount / shape.OutputChannels)])];
        ConvolutionTests.AssertClose(
            Compute(shape, false, batch, dy, w, scale), ConvolutionReference.BackwardInput(shape, batch, dy, scaled),
            Tolerance);
    }

    [TestCase(256, 3)]
    [TestCase(64, 5)]
    public void Error_of_many_channels_is_a_few_roundings(int channels, int kernel)
    {
        var shape = new ConvolutionShape(new(channels, 8, 8), 4, kernel, kernel, 1, kernel / 2);
        float[] x = Values(2 * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        double[] expected = ConvolutionReference.Forward(shape, 2, x, w).Value;
        float[] actual = Compute(shape, true, 2, x, w, null);
        double error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e));
        Assert.That(error, Is.LessThan(5e-6), "root mean square, relative");
        TestContext.Out.WriteLine($"Root mean square error {error:E2} of the results'.");
    }

    [TestCase(5)]
    [TestCase(130)]
    public void Results_do_not_depend_on_threads(int batch)
    {
        var shape = new ConvolutionShape(new(10, 4, 8), 40, 3, 3, 1, 1);
        float[] x = Values(batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        float[] one = Compute(shape, true, batch, x, w, null, threads: 1);
        foreach (int threads in new[] { 2, 3, 4 })
            Assert.That(Compute(shape, true, batch, x, w, null, threads).AsSpan().SequenceEqual(one), $"{threads} threads");
    }

    [Test]
    public void Wide_layers_take_it_and_narrow_ones_do_not()
    {
        Assert.Multiple(() =>
        {
            Assert.That(PassOf(new(new(64, 32, 32), 64, 3, 3, 1, 1)), Is.InstanceOf<WinogradPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(512, 4, 4), 512, 3, 3, 1, 1)), Is.InstanceOf<WinogradPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(32, 14, 14), 64, 5, 5, 1, 2)), Is.InstanceOf<WinogradPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(1, 28, 28), 32, 5, 5, 1, 2)), Is.InstanceOf<DirectPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(512, 2, 2), 512, 3, 3, 1, 1)), Is.InstanceOf<DirectPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(64, 32, 32), 64, 1, 1, 1, 0)), Is.InstanceOf<DirectPass<TLanes, TVector>>());
        });
    }

    [TestCase(3)]
    [TestCase(5)]
    public void Epilogues_are_those_of_the_seam(int kernel)
    {
        const int Batch = 20;
        var shape = new ConvolutionShape(new(40, 7, 11), 38, kernel, kernel, 1, kernel / 2);
        Assert.That(PassOf(shape), Is.InstanceOf<WinogradPass<TLanes, TVector>>(), "algorithm");
        float[] x = Values(Batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        float[] dy = Values(Batch * shape.Output.Length, 3), shift = Values(shape.OutputChannels, 4);
        float[] output = [.. Values(Batch * shape.Input.Length, 5).Select(value => Math.Max(value, 0))];
        Filter filter = Owned(Backend.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput));
        Backend.PrepareFilter(filter, new FilterSource(Floats(w).All, null, 0, null));

        CpuTensor y = Activation(Batch, shape.Output, dy);
        Backend.ConvolutionForward(
            filter, Activation(Batch, shape.Input, x), y, new ForwardEpilogue(Floats(shift).All, y, Function.Relu));
        (double[] value, double[] magnitude) = ConvolutionReference.Forward(shape, Batch, x, w);
        double[] expected = [.. value.Select((v, i) =>
            Math.Max(0, v + dy[i] + shift[i / shape.Output.Pixels % shape.OutputChannels]))];
        ConvolutionTests.AssertClose(Read(y), (expected, [.. magnitude.Select(m => m + 2)]), Tolerance);

        CpuTensor dx = Gradient(Batch, shape.Input, x);
        Backend.ConvolutionBackwardInput(
            filter, Gradient(Batch, shape.Output, dy), dx,
            new GradientEpilogue(dx, Activation(Batch, shape.Input, output)));
        (value, magnitude) = ConvolutionReference.BackwardInput(shape, Batch, dy, w);
        expected = [.. value.Select((v, i) => output[i] > 0 ? v + x[i] : 0)];
        ConvolutionTests.AssertClose(Read(dx), (expected, [.. magnitude.Select(m => m + 1)]), Tolerance);
    }

    private ConvolutionPass PassOf(ConvolutionShape shape) =>
        CpuFilter.Of(Owned(Backend.CreateFilter(shape, FilterUses.Forward))).Forward;

    private float[] Compute(
        ConvolutionShape shape, bool forward, int batch, float[] source, float[] weight, float[]? scale, int threads = 2)
    {
        using var pool = new WorkerPool(threads);
        using var scratch = new WorkerScratch(threads);
        using var pass = new WinogradPass<TLanes, TVector>(shape, forward, scratch);
        CpuTensor from = Gradient(batch, pass.Source, source), to = Empty(batch, pass.Target);
        pass.Prepare(
            pool, CpuFloats.Of(Floats(weight).All), scale is null ? null : CpuFloats.Of(Floats(scale).All));
        pass.Run(pool, from.Blocks, from.Data, to.Data, default);
        Assert.That(ConvolutionRunner.UnusedLanes(to), Has.All.EqualTo(0f), "lanes without an image");
        return Read(to);
    }
}
