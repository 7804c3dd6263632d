using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.Kernels;
using static BoostingTicket.Engine.Tests.Cpu.ConvolutionTests;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Strided convolutions by their phases, also for shapes for which the direct algorithm is chosen, against plain loops
/// in double precision.</summary>
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
internal sealed unsafe class PolyphaseTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Of the sum of the products' magnitudes.
    private const double Tolerance = 5e-6;

    private static readonly (int Batch, ConvolutionShape Shape)[] Cases = [
        (1, new(new(1, 8, 8), 1, 3, 3, 2, 1)),
        (16, new(new(3, 16, 16), 10, 3, 3, 2, 1)),
        (33, new(new(10, 4, 4), 17, 3, 3, 2, 1)),
        (65, new(new(5, 2, 2), 6, 3, 3, 2, 1)),
        (17, new(new(17, 7, 9), 12, 3, 3, 2, 1)),
        (5, new(new(40, 10, 13), 35, 3, 3, 2, 1)),
        (5, new(new(3, 1, 1), 5, 3, 3, 2, 1)),
        (5, new(new(3, 3, 18), 5, 3, 3, 2, 1)),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Forward_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        ConvolutionTests.AssertClose(
            Compute(shape, true, batch, x, w, null), ConvolutionReference.Forward(shape, batch, x, w), Tolerance);
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

    [Test]
    public void Error_of_many_channels_is_a_few_roundings([Values] bool forward)
    {
        var shape = new ConvolutionShape(new(forward ? 256 : 4, 16, 16), forward ? 4 : 256, 3, 3, 2, 1);
        float[] w = Values(shape.WeightCount, 2);
        float[] from = Values(2 * (forward ? shape.Input : shape.Output).Length, 1);
        double[] expected = forward
            ? ConvolutionReference.Forward(shape, 2, from, w).Value
            : ConvolutionReference.BackwardInput(shape, 2, from, w).Value;
        float[] actual = Compute(shape, forward, 2, from, w, null);
        double error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e));
        Assert.That(error, Is.LessThan(2e-6), "root mean square, relative");
        TestContext.Out.WriteLine($"Root mean square error {error:E2} of the results'.");
    }

    [TestCase(5)]
    [TestCase(130)]
    public void Results_do_not_depend_on_threads(int batch)
    {
        var shape = new ConvolutionShape(new(10, 8, 16), 40, 3, 3, 2, 1);
        foreach (bool forward in new[] { true, false })
        {
            float[] from = Values(batch * (forward ? shape.Input : shape.Output).Length, 1), w = Values(shape.WeightCount, 2);
            float[] one = Compute(shape, forward, batch, from, w, null, threads: 1);
            foreach (int threads in new[] { 2, 3, 4 })
            {
                Assert.That(
                    Compute(shape, forward, batch, from, w, null, threads).AsSpan().SequenceEqual(one), $"{threads} threads");
            }
        }
    }

    [Test]
    public void Epilogues_are_those_of_the_seam()
    {
        const int Batch = 20;
        var shape = new ConvolutionShape(new(64, 15, 22), 70, 3, 3, 2, 1);
        float[] x = Values(Batch * shape.Input.Length, 1), w = Values(shape.WeightCount, 2);
        float[] dy = Values(Batch * shape.Output.Length, 3), shift = Values(shape.OutputChannels, 4);
        float[] output = [.. Values(Batch * shape.Input.Length, 5).Select(value => Math.Max(value, 0))];
        using var pool = new WorkerPool(2);
        using var scratch = new WorkerScratch(2);
        float* weight = CpuFloats.Of(Floats(w).All);

        using var forward = new PolyphasePass<TLanes, TVector>(shape, true, scratch);
        CpuTensor from = Activation(Batch, shape.Input, x), y = Activation(Batch, shape.Output, dy);
        forward.Prepare(pool, weight, null);
        forward.Run(
            pool, from.Blocks, from.Data, y.Data,
            new PassEpilogue(CpuFloats.Of(Floats(shift).All), y.Data, Function.Relu, null));
        (double[] value, double[] magnitude) = ConvolutionReference.Forward(shape, Batch, x, w);
        double[] expected = [.. value.Select((v, i) =>
            Math.Max(0, v + dy[i] + shift[i / shape.Output.Pixels % shape.OutputChannels]))];
        ConvolutionTests.AssertClose(Read(y), (expected, [.. magnitude.Select(m => m + 2)]), Tolerance);

        using var backward = new PolyphasePass<TLanes, TVector>(shape, false, scratch);
        CpuTensor gradient = Gradient(Batch, shape.Output, dy), dx = Gradient(Batch, shape.Input, x);
        backward.Prepare(pool, weight, null);
        backward.Run(
            pool, gradient.Blocks, gradient.Data, dx.Data,
            new PassEpilogue(null, dx.Data, Function.Relu, Activation(Batch, shape.Input, output).Data));
        (value, magnitude) = ConvolutionReference.BackwardInput(shape, Batch, dy, w);
        expected = [.. value.Select((v, i) => output[i] > 0 ? v + x[i] : 0)];
        ConvolutionTests.AssertClose(Read(dx), (expected, [.. magnitude.Select(m => m + 1)]), Tolerance);
    }

    [Test]
    public void Wide_strided_layers_take_it_and_others_do_not()
    {
        Assert.Multiple(() =>
        {
            Assert.That(PassOf(new(new(64, 32, 32), 128, 3, 3, 2, 1)), Is.InstanceOf<PolyphasePass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(128, 16, 16), 256, 3, 3, 2, 1)), Is.InstanceOf<PolyphasePass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(64, 32, 32), 128, 3, 3, 2, 0)), Is.InstanceOf<DirectPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(512, 2, 2), 512, 3, 3, 2, 1)), Is.InstanceOf<DirectPass<TLanes, TVector>>());
            Assert.That(PassOf(new(new(64, 32, 32), 128, 1, 1, 2, 0)), Is.InstanceOf<DirectPass<TLanes, TVector>>());
        });
    }

    private ConvolutionPass PassOf(ConvolutionShape shape) =>
        CpuFilter.Of(Owned(Backend.CreateFilter(shape, FilterUses.Forward))).Forward;

    private float[] Compute(
        ConvolutionShape shape, bool forward, int batch, float[] source, float[] weight, float[]? scale, int threads = 2)
    {
        using var pool = new WorkerPool(threads);
        using var scratch = new WorkerScratch(threads);
        using var pass = new PolyphasePass<TLanes, TVector>(shape, forward, scratch);
        CpuTensor from = Gradient(batch, pass.Source, source), to = Empty(batch, pass.Target);
        pass.Prepare(
            pool, CpuFloats.Of(Floats(weight).All), scale is null ? null : CpuFloats.Of(Floats(scale).All));
        pass.Run(pool, from.Blocks, from.Data, to.Data, default);
        Assert.That(ConvolutionRunner.UnusedLanes(to), Has.All.EqualTo(0f), "lanes without an image");
        return Read(to);
    }
}
