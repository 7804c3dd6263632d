using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;
using static BoostingTicket.Engine.Tests.Cpu.ConvolutionTests;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Filter gradients by Winograd's algorithm, also for shapes for which the direct one is chosen, against plain loops in
/// double precision.</summary>
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
internal sealed unsafe class WinogradFilterGradientTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // Of the sum of the products' magnitudes.
    private const double Tolerance = 5e-6;

    private static readonly (int Batch, ConvolutionShape Shape)[] Cases = [
        (1, new(new(4, 4, 4), 4, 3, 3, 1, 1)),
        (16, new(new(8, 8, 8), 12, 3, 3, 1, 1)),
        (33, new(new(12, 7, 9), 20, 3, 3, 1, 1)),
        (65, new(new(20, 2, 2), 36, 3, 3, 1, 1)),
        (5, new(new(4, 8, 11), 8, 3, 3, 1, 0)),
        (5, new(new(4, 5, 13), 8, 3, 3, 1, 2)),
        (70, new(new(40, 12, 11), 44, 3, 3, 1, 1)),
        (5, new(new(4, 1, 1), 8, 3, 3, 1, 1)),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Gradient_equals_the_plain_loops((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), dy = Values(batch * shape.Output.Length, 2);
        ConvolutionTests.AssertClose(
            Compute(shape, batch, x, dy, 2), ConvolutionReference.BackwardFilter(shape, batch, x, dy), Tolerance);
    }

    [Test]
    public void Error_is_of_the_class_of_the_direct_algorithm()
    {
        var shape = new ConvolutionShape(new(16, 32, 32), 16, 3, 3, 1, 1);
        float[] x = Values(32 * shape.Input.Length, 1), dy = Values(32 * shape.Output.Length, 2);
        double[] expected = ConvolutionReference.BackwardFilter(shape, 32, x, dy).Value;
        float[] actual = Compute(shape, 32, x, dy, 2);
        double error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e));
        Assert.That(error, Is.LessThan(2e-6), "root mean square, relative");
        TestContext.Out.WriteLine($"Root mean square error {error:E2} of the results'.");
    }

    [TestCase(5)]
    [TestCase(130)]
    public void Results_do_not_depend_on_threads(int batch)
    {
        var shape = new ConvolutionShape(new(12, 8, 12), 72, 3, 3, 1, 1);
        float[] x = Values(batch * shape.Input.Length, 1), dy = Values(batch * shape.Output.Length, 2);
        float[] one = Compute(shape, batch, x, dy, 1);
        foreach (int threads in new[] { 2, 3, 4 })
            Assert.That(Compute(shape, batch, x, dy, threads).AsSpan().SequenceEqual(one), $"{threads} threads");
    }

    [Test]
    public void Wide_layers_take_it_and_others_do_not()
    {
        Assert.Multiple(() =>
        {
            Type winograd = typeof(WinogradFilterGradient<TLanes, TVector>);
            Assert.That(GradientOf(new(new(64, 32, 32), 64, 3, 3, 1, 1)), Is.InstanceOf(winograd));
            Assert.That(GradientOf(new(new(256, 8, 8), 256, 3, 3, 1, 1)), Is.InstanceOf(winograd));
            Assert.That(GradientOf(new(new(3, 32, 32), 64, 3, 3, 1, 1)), Is.InstanceOf<FilterGradient<TLanes, TVector>>());
            Assert.That(GradientOf(new(new(512, 2, 2), 512, 3, 3, 1, 1)), Is.InstanceOf<FilterGradient<TLanes, TVector>>());
            Assert.That(GradientOf(new(new(64, 32, 32), 64, 3, 3, 2, 1)), Is.InstanceOf<FilterGradient<TLanes, TVector>>());
        });
    }

    private FilterGradient GradientOf(ConvolutionShape shape) =>
        CpuFilter.Of(Owned(Backend.CreateFilter(shape, FilterUses.BackwardFilter))).BackwardFilter;

    private float[] Compute(ConvolutionShape shape, int batch, float[] x, float[] dy, int threads)
    {
        using var pool = new WorkerPool(threads);
        using var scratch = new WorkerScratch(threads);
        using var gradient = new WinogradFilterGradient<TLanes, TVector>(shape, scratch);
        CpuTensor input = Activation(batch, shape.Input, x), output = Gradient(batch, shape.Output, dy);
        BufferSlice result = Floats(Values(shape.WeightCount, 3)).All;
        gradient.Run(pool, input.Blocks, input.Data, output.Data, CpuFloats.Of(result));
        return new Span<float>(CpuFloats.Of(result), shape.WeightCount).ToArray();
    }
}
