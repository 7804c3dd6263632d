using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;
using static BoostingTicket.Engine.Tests.Cpu.ConvolutionTests;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Sparse passes on their own, also for patterns for which a dense algorithm is chosen, against plain loops in double
/// precision.</summary>
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
internal sealed unsafe class SparsePassTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const double Tolerance = 3e-6;

    private static readonly (int Batch, ConvolutionShape Shape)[] Cases = [
        (1, new(new(1, 5, 7), 1, 3, 3, 1, 1)),
        (16, new(new(3, 9, 6), 10, 3, 3, 1, 1)),
        (33, new(new(10, 4, 4), 17, 3, 3, 1, 1)),
        (65, new(new(5, 2, 2), 6, 3, 3, 1, 1)),
        (170, new(new(4, 1, 1), 6, 3, 3, 1, 1)),
        (40, new(new(6, 1, 3), 5, 3, 3, 1, 1)),
        (17, new(new(17, 8, 8), 12, 3, 3, 1, 1)),
        (5, new(new(60, 12, 11), 6, 3, 3, 1, 1)),
        (33, new(new(13, 14, 14), 9, 5, 5, 1, 2)),
        (17, new(new(7, 28, 28), 3, 5, 5, 1, 2)),
        (5, new(new(3, 8, 9), 7, 3, 3, 2, 1)),
        (33, new(new(17, 8, 8), 10, 3, 3, 2, 1)),
        (16, new(new(10, 11, 7), 3, 3, 3, 3, 2)),
        (17, new(new(10, 8, 6), 9, 1, 1, 1, 0)),
        (33, new(new(10, 8, 8), 17, 1, 1, 2, 0)),
        (5, new(new(3, 7, 7), 4, 1, 1, 3, 1)),
        (17, new(new(3, 10, 9), 5, 5, 5, 1, 0)),
        (5, new(new(2, 9, 14), 3, 7, 7, 2, 3)),
        (5, new(new(3, 6, 6), 4, 2, 2, 2, 0)),
        (5, new(new(3, 6, 5), 4, 2, 2, 1, 1)),
        (5, new(new(3, 6, 9), 4, 3, 5, 1, 2)),
        (5, new(new(3, 6, 9), 4, 2, 1, 2, 0)),
        (5, new(new(3, 2, 2), 4, 3, 3, 1, 2)),
        (33, new(new(300, 4, 4), 5, 3, 3, 1, 1)),
        (33, ConvolutionShape.Linear(new FeatureShape(17), 10)),
        (128, ConvolutionShape.Linear(new FeatureShape(10, 3, 2), 19)),
        (1, ConvolutionShape.Linear(new FeatureShape(300, 2, 2), 11)),
        (150, ConvolutionShape.Linear(new FeatureShape(2100), 9)),
    ];

    /// <summary>Shapes and source channels of a chunk; 0 is the pass's own choice.</summary>
    private static IEnumerable<(int Batch, ConvolutionShape Shape, int Chunk)> ChunkedCases() =>
        Cases.SelectMany(_ => (int[])[0, 3], (one, chunk) => (one.Batch, one.Shape, chunk));

    [TestCaseSource(nameof(ChunkedCases))]
    public void Forward_equals_the_plain_loops((int Batch, ConvolutionShape Shape, int Chunk) operation)
    {
        (int batch, ConvolutionShape shape, int chunk) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), mask = Pattern(shape, 0.3), w = Pruned(shape, mask);
        AssertClose(
            Compute(shape, true, batch, x, w, mask, null, chunk: chunk), ConvolutionReference.Forward(shape, batch, x, w));
    }

    [TestCaseSource(nameof(ChunkedCases))]
    public void Input_gradient_equals_the_plain_loops((int Batch, ConvolutionShape Shape, int Chunk) operation)
    {
        (int batch, ConvolutionShape shape, int chunk) = operation;
        float[] dy = Values(batch * shape.Output.Length, 1), mask = Pattern(shape, 0.3), w = Pruned(shape, mask);
        float[] scale = Values(shape.OutputChannels, 3);
        float[] scaled = [.. w.Select((value, i) => value * scale[i / (shape.WeightCount / shape.OutputChannels)])];
        AssertClose(
            Compute(shape, false, batch, dy, w, mask, scale, chunk: chunk),
            ConvolutionReference.BackwardInput(shape, batch, dy, scaled));
    }

    [TestCaseSource(nameof(Cases))]
    public void Patterns_may_be_empty_full_or_a_single_weight((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), dy = Values(batch * shape.Output.Length, 2);
        foreach (float[] mask in (float[][])[Pattern(shape, 0), Pattern(shape, 1), OnlyOne(shape), EveryOtherFilter(shape)])
        {
            float[] w = Pruned(shape, mask);
            AssertClose(
                Compute(shape, true, batch, x, w, mask, null), ConvolutionReference.Forward(shape, batch, x, w));
            AssertClose(
                Compute(shape, false, batch, dy, w, mask, null), ConvolutionReference.BackwardInput(shape, batch, dy, w));
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Results_depend_neither_on_threads_nor_on_chunks((int Batch, ConvolutionShape Shape) operation)
    {
        (int batch, ConvolutionShape shape) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), dy = Values(batch * shape.Output.Length, 2);
        float[] mask = Pattern(shape, 0.3), w = Pruned(shape, mask);
        float[] y = Compute(shape, true, batch, x, w, mask, null, threads: 1, chunk: 0);
        float[] dx = Compute(shape, false, batch, dy, w, mask, null, threads: 1, chunk: 0);
        foreach ((int threads, int chunk) in ((int, int)[])[(2, 0), (3, 2), (4, 0)])
        {
            Assert.That(Compute(shape, true, batch, x, w, mask, null, threads, chunk).AsSpan().SequenceEqual(y));
            Assert.That(Compute(shape, false, batch, dy, w, mask, null, threads, chunk).AsSpan().SequenceEqual(dx));
        }
    }

    [TestCaseSource(nameof(ChunkedCases))]
    public void Filter_gradient_of_kept_weights_equals_the_plain_loops((int Batch, ConvolutionShape Shape, int Chunk) operation)
    {
        (int batch, ConvolutionShape shape, int chunk) = operation;
        float[] x = Values(batch * shape.Input.Length, 1), dy = Values(batch * shape.Output.Length, 2);
        (double[] value, double[] magnitude) = ConvolutionReference.BackwardFilter(shape, batch, x, dy);
        foreach (float[] mask in (float[][])[Pattern(shape, 0.3), Pattern(shape, 0), OnlyOne(shape), EveryOtherFilter(shape)])
        {
            float[] dw = Gradient(shape, batch, x, dy, mask, 2, chunk);
            double[] expected = [.. value.Zip(mask, (one, kept) => one * kept)];
            AssertClose(dw, (expected, magnitude));
            Assert.That(dw.Where((_, i) => mask[i] == 0), Has.All.EqualTo(0f), "gradients of pruned weights");
            foreach (int threads in (int[])[1, 4])
                Assert.That(Gradient(shape, batch, x, dy, mask, threads, chunk).AsSpan().SequenceEqual(dw), $"{threads} threads");
        }
    }

    [Test]
    public void Targets_larger_than_the_caches_are_right_too()
    {
        // 64 x 32 x 32 x 64 images are 16 MiB, which are written past the caches.
        const int Batch = 64;
        var shape = new ConvolutionShape(new(2, 32, 32), 64, 1, 1, 1, 0);
        float[] x = Values(Batch * shape.Input.Length, 1), mask = Pattern(shape, 0.5), w = Pruned(shape, mask);
        AssertClose(Compute(shape, true, Batch, x, w, mask, null), ConvolutionReference.Forward(shape, Batch, x, w));
    }

    [Test]
    public void Filter_follows_its_mask([Values] bool winograd)
    {
        // Input planes of the wide shape make Winograd's algorithm the dense choice, those of the other the direct one.
        var shape = winograd ? new ConvolutionShape(new(40, 8, 8), 48, 3, 3, 1, 1) : new(new(40, 8, 8), 48, 3, 3, 2, 1);
        CpuFilter filter = CpuFilter.Of(Owned(Backend.CreateFilter(
            shape, FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter)));
        float[] w = Values(shape.WeightCount, 1);
        Type dense = filter.Forward.GetType();
        Assert.That(dense, Is.EqualTo(
            winograd ? typeof(WinogradPass<TLanes, TVector>) : typeof(DirectPass<TLanes, TVector>)));

        Prepare(0.02, 1);
        Assert.That(filter.Forward, Is.InstanceOf<SparsePass<TLanes, TVector>>());
        Assert.That(filter.BackwardInput, Is.InstanceOf<SparsePass<TLanes, TVector>>());
        Assert.That(filter.BackwardFilter, Is.InstanceOf<SparseFilterGradient<TLanes, TVector>>());
        ConvolutionPass first = filter.Forward;
        Prepare(0.02, 1);
        Assert.That(filter.Forward, Is.SameAs(first), "Lists are built once for a mask.");
        Prepare(0.01, 2);
        Assert.That(filter.Forward, Is.Not.SameAs(first).And.InstanceOf<SparsePass<TLanes, TVector>>());
        Prepare(0.97, 3);
        Assert.That(filter.Forward, Is.InstanceOf(dense));
        Assert.That(
            filter.BackwardFilter,
            winograd
                ? Is.InstanceOf<WinogradFilterGradient<TLanes, TVector>>()
                : Is.InstanceOf<FilterGradient<TLanes, TVector>>());
        Prepare(0.01, 4);
        Assert.That(filter.BackwardInput, Is.InstanceOf<SparsePass<TLanes, TVector>>());
        Backend.PrepareFilter(filter, new FilterSource(Slice(w), null, 4, null));
        Assert.That(filter.BackwardInput, Is.InstanceOf(dense));

        void Prepare(double density, int version)
        {
            float[] mask = Pattern(shape, density);
            float[] pruned = [.. w.Zip(mask, (weight, kept) => weight * kept)];
            Backend.PrepareFilter(filter, new FilterSource(Slice(pruned), Slice(mask), version, null));
        }
    }

    [Test]
    public void Computing_under_a_mask_allocates_nothing()
    {
        var shape = new ConvolutionShape(new(20, 8, 8), 24, 3, 3, 1, 1);
        const int Batch = 40;
        Filter filter = Owned(Backend.CreateFilter(
            shape, FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter));
        float[] pattern = Pattern(shape, 0.03);
        BufferSlice weight = Slice(Pruned(shape, pattern)), mask = Slice(pattern), scale = Slice(Values(24, 1));
        BufferSlice dw = Slice(new float[shape.WeightCount]);
        CpuTensor x = Activation(Batch, shape.Input, Values(Batch * shape.Input.Length, 2));
        CpuTensor dy = Gradient(Batch, shape.Output, Values(Batch * shape.Output.Length, 3));
        CpuTensor y = Empty(Batch, shape.Output), dx = Empty(Batch, shape.Input);
        AssertAllocatesNothing(() =>
        {
            Backend.PrepareFilter(filter, new FilterSource(weight, mask, 1, scale));
            Backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(scale, null, Function.Relu));
            Backend.ConvolutionBackwardInput(filter, dy, dx, default);
            Backend.ConvolutionBackwardFilter(filter, x, dy, dw);
        });
        AssertUnusedLanesAreZero(dx);
    }

    private static float[] Pattern(ConvolutionShape shape, double density) =>
        [.. Values(shape.WeightCount, 7).Select(value => (value + 1) / 2 < density ? 1f : 0f)];

    private static float[] OnlyOne(ConvolutionShape shape) =>
        [.. Enumerable.Range(0, shape.WeightCount).Select(i => i == shape.WeightCount / 2 ? 1f : 0f)];

    private static float[] EveryOtherFilter(ConvolutionShape shape) =>
        [.. Enumerable.Range(0, shape.WeightCount).Select(i => (float)(i / (shape.WeightCount / shape.OutputChannels) % 2))];

    private static float[] Pruned(ConvolutionShape shape, float[] mask) =>
        [.. Values(shape.WeightCount, 5).Zip(mask, (weight, kept) => kept == 0 ? 0 : weight)];

    private static void AssertClose(float[] actual, (double[] Value, double[] Magnitude) expected) =>
        ConvolutionTests.AssertClose(actual, expected, Tolerance);

    private float[] Gradient(
        ConvolutionShape shape, int batch, float[] x, float[] dy, float[] mask, int threads, int chunk)
    {
        using var pool = new WorkerPool(threads);
        using var scratch = new WorkerScratch(threads);
        using var gradient = new SparseFilterGradient<TLanes, TVector>(
            shape, CpuFloats.Of(Floats(mask).All), ConvolutionPrices.Of(Instructions), scratch, chunk);
        CpuTensor input = Activation(batch, shape.Input, x), output = Gradient(batch, shape.Output, dy);
        BufferSlice dw = Slice(Values(shape.WeightCount, 9));
        gradient.Run(pool, input.Blocks, input.Data, output.Data, CpuFloats.Of(dw));
        return Read(dw);
    }

    private float[] Compute(
        ConvolutionShape shape, bool forward, int batch, float[] source, float[] weight, float[] mask, float[]? scale,
        int threads = 2, int chunk = 0)
    {
        using var pool = new WorkerPool(threads);
        using var scratch = new WorkerScratch(threads);
        using var pass = new SparsePass<TLanes, TVector>(
            shape, forward, CpuFloats.Of(Floats(mask).All), ConvolutionPrices.Of(Instructions), scratch, chunk);
        CpuTensor from = Gradient(batch, forward ? shape.Input : shape.Output, source);
        CpuTensor to = Empty(batch, forward ? shape.Output : shape.Input);
        pass.Prepare(pool, CpuFloats.Of(Floats(weight).All), scale is null ? null : CpuFloats.Of(Floats(scale).All));
        pass.Run(pool, from.Blocks, from.Data, to.Data, default);
        Assert.That(ConvolutionRunner.UnusedLanes(to), Has.All.EqualTo(0f), "lanes without an image");
        return Read(to);
    }
}
