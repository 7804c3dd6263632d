using System.Diagnostics;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

[TestFixture]
internal sealed class SoftwareCudnnTests
{
    private static readonly ConvolutionCase Usual = new(2, 8, 6, 5, 16, 3, 1, 1);

    private static readonly ConvolutionCase[] Shapes =
    [
        Usual,
        new(3, 8, 7, 7, 8, 3, 1, 2),
        new(1, 16, 8, 8, 24, 1, 0, 2),
        new(2, 8, 9, 10, 8, 5, 2, 1),
        new(5, 8, 4, 4, 16, 4, 0, 1),
        new(1, 8, 3, 3, 8, 3, 3, 3),
    ];

    [Test]
    public void Every_algorithm_computes_its_pass(
        [ValueSource(nameof(Shapes))] ConvolutionCase shape, [Values] ConvolutionDirection direction, [Values] bool isBFloat16,
        [Values(0f, 0.5f)] float beta)
    {
        using var bench = new ConvolutionBench(shape, isBFloat16, CudnnMath.Default);
        double[] reference = shape.Reference(direction, bench.X, bench.W, bench.Y);
        Operand output = ConvolutionCase.OutputOf(direction);
        double[] old = output switch { Operand.X => bench.X, Operand.W => bench.W, _ => bench.Y };
        CudnnAlgorithm[] algorithms = bench.Find(direction);
        Assert.That(algorithms, Has.Length.GreaterThanOrEqualTo(2));
        foreach (CudnnAlgorithm algorithm in algorithms)
        {
            bench.Restore(output);
            double[] result = bench.Convolve(direction, algorithm.Algorithm, 1.5f, beta);
            for (int i = 0; i < result.Length; i++)
            {
                double expected = 1.5 * reference[i] + beta * old[i];
                double bound = Math.Abs(expected) * (isBFloat16 ? 1.0 / 256 : 2e-7) + 1e-6;
                Assert.That(result[i], Is.EqualTo(expected).Within(bound), $"algorithm {algorithm.Algorithm}, element {i}");
            }
        }
    }

    [Test]
    public void The_fused_pass_adds_and_rectifies(
        [Values] bool isBFloat16, [Values(0f, 0.25f)] float factor, [Values] bool isInPlace)
    {
        using var bench = new ConvolutionBench(Usual, isBFloat16, CudnnMath.Default);
        double[] bias = [.. Enumerable.Range(0, Usual.K).Select(k => k / 8.0 - 1)];
        double[] residual = [.. bench.Y.Select(value => isInPlace ? value : -value)];
        DevicePointer z = isInPlace ? bench.Operands.Y : bench.Device.Upload(Usual.ToLast(Operand.Y, residual), isBFloat16);
        double[] reference = Usual.Reference(ConvolutionDirection.Forward, bench.X, bench.W, bench.Y);
        bench.Library.ConvolveBiasRelu(
            bench.Handle, bench.Operands, 1, bench.Workspace, ConvolutionBench.WorkspaceBytes, factor, z, bench.BiasTensor,
            bench.Device.Upload(bias, isBFloat16), bench.Relu);
        double[] result = bench.Download(Operand.Y);
        for (int i = 0; i < result.Length; i++)
        {
            double expected = Math.Max(0, reference[i] + factor * residual[i] + bias[i / (Usual.P * Usual.Q) % Usual.K]);
            Assert.That(result[i], Is.EqualTo(expected).Within(Math.Abs(expected) * (isBFloat16 ? 1.0 / 256 : 2e-7) + 1e-6));
        }

        Assert.That(result, Has.Some.EqualTo(0).And.Some.GreaterThan(1));
    }

    [Test]
    public void Tensor_cores_round_float32_factors_unless_told_not_to()
    {
        using var bench = new ConvolutionBench(Usual, false, CudnnMath.Default);
        DeviceNumbers.Store(
            [.. Enumerable.Repeat(1 + 1.0 / 4096, Usual.Length(Operand.X))], false,
            bench.Device.Write(bench.Operands.X, Usual.Length(Operand.X) * 4, "test"));
        DeviceNumbers.Store(
            [.. Enumerable.Repeat(1.0, Usual.Length(Operand.W))], false,
            bench.Device.Write(bench.Operands.W, Usual.Length(Operand.W) * 4, "test"));
        int center = Usual.Q + 1;
        double Center(int algorithm) => bench.Convolve(ConvolutionDirection.Forward, algorithm)[center];
        Assert.That(Center(1), Is.EqualTo(72), "TF32");
        Assert.That(Center(0), Is.EqualTo(72 * (1 + 1.0 / 4096)), "no tensor cores");
        bench.Library.SetMath(bench.Operands.Convolution, CudnnMath.Fma);
        Assert.That(Center(1), Is.EqualTo(72 * (1 + 1.0 / 4096)), "multiply-adds in float32");
    }

    [Test]
    public void Searches_name_what_works_in_a_fixed_order_and_overwrite_the_output()
    {
        using var bench = new ConvolutionBench(Usual, false, CudnnMath.Default);
        int[] Numbers(ConvolutionDirection direction, int bytes) =>
            [.. bench.Find(direction, bytes).Select(found => found.Algorithm)];
        Assert.That(Numbers(ConvolutionDirection.Forward, ConvolutionBench.WorkspaceBytes), Is.EqualTo(new[] { 7, 1, 0 }));
        Assert.That(bench.Download(Operand.Y), Has.All.NaN);
        Assert.That(bench.Device.Read(bench.Workspace, 256, "test").ToArray(), Has.All.EqualTo(0xff));
        Assert.That(Numbers(ConvolutionDirection.Forward, 0), Is.EqualTo(new[] { 0 }));
        Assert.That(Numbers(ConvolutionDirection.BackwardData, ConvolutionBench.WorkspaceBytes), Is.EqualTo(new[] { 0, 5, 1 }));
        Assert.That(
            Numbers(ConvolutionDirection.BackwardFilter, ConvolutionBench.WorkspaceBytes), Is.EqualTo(new[] { 3, 1, 5, 0 }));
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
        {
            CudnnAlgorithm[] found = bench.Find(direction);
            Assert.That(found.Select(each => each.Milliseconds), Is.Ordered.Ascending);
            foreach (CudnnAlgorithm each in found)
            {
                bool isOrdered = direction == ConvolutionDirection.Forward || each.Algorithm is 1 or 5;
                Assert.That(each.IsDeterministic, Is.EqualTo(isOrdered));
                Assert.That(
                    bench.Library.WorkspaceBytes(bench.Handle, direction, bench.Operands, each.Algorithm),
                    Is.EqualTo(each.WorkspaceBytes));
            }
        }
    }

    [Test]
    public void Searches_measure_the_kind_of_multiply_adds_and_the_default([Values] CudnnMath math)
    {
        using var bench = new ConvolutionBench(Usual, false, math);
        CudnnAlgorithm[] found = [.. bench.Find(ConvolutionDirection.Forward).Where(each => each.Algorithm == 1)];
        CudnnMath[] expected = math == CudnnMath.Fma ? [CudnnMath.Default, CudnnMath.Fma] : [CudnnMath.TensorOp];
        Assert.That(found.Select(each => each.Math), Is.EqualTo(expected));
        nuint needed = bench.Library.WorkspaceBytes(bench.Handle, ConvolutionDirection.Forward, bench.Operands, 1);
        Assert.That(found[^1].WorkspaceBytes, Is.EqualTo(needed));
        if (math == CudnnMath.Fma)
            Assert.That(found[0].WorkspaceBytes, Is.LessThan(needed), "tensor cores need less");
    }

    [Test]
    public void Algorithms_repeat_their_bits_exactly_when_they_say_so([Values] ConvolutionDirection direction)
    {
        using var bench = new ConvolutionBench(new ConvolutionCase(4, 8, 8, 8, 16, 3, 1, 1), false, CudnnMath.Fma);
        // Values that no short sum holds exactly.
        var random = new Random(5);
        foreach ((DevicePointer pointer, Operand operand) in
            new[] { (bench.Operands.X, Operand.X), (bench.Operands.W, Operand.W), (bench.Operands.Y, Operand.Y) })
        {
            double[] values = [.. Enumerable.Range(0, bench.Shape.Length(operand)).Select(_ => random.NextDouble() - 0.5)];
            DeviceNumbers.Store(values, false, bench.Device.Write(pointer, values.Length * 4, "test"));
        }

        foreach (CudnnAlgorithm algorithm in bench.Find(direction))
        {
            double[] first = bench.Convolve(direction, algorithm.Algorithm);
            bool repeats = Enumerable.Range(0, 3).All(_ => bench.Convolve(direction, algorithm.Algorithm).SequenceEqual(first));
            Assert.That(repeats, Is.EqualTo(algorithm.IsDeterministic), $"algorithm {algorithm.Algorithm}");
        }
    }

    [Test]
    public void A_replayed_pass_keeps_what_it_was_captured_with()
    {
        using var bench = new ConvolutionBench(Usual, false, CudnnMath.Fma);
        double[] reference = Usual.Reference(ConvolutionDirection.Forward, bench.X, bench.W, bench.Y);
        bench.Device.IsCapturing = true;
        bench.Library.Convolve(
            bench.Handle, ConvolutionDirection.Forward, 2, bench.Operands, 0, default, 0, 0);
        bench.Device.IsCapturing = false;
        bench.Library.SetMath(bench.Operands.Convolution, CudnnMath.Default);
        Assert.That(bench.Download(Operand.Y), Is.EqualTo(bench.Y), "nothing ran yet");
        bench.Device.Replay();
        Assert.That(bench.Download(Operand.Y), Is.EqualTo(reference.Select(value => 2 * value)).Within(1e-6));
        bench.Device.IsCapturing = true;
        Assert.That(
            () => bench.Find(ConvolutionDirection.Forward),
            Throws.TypeOf<CudaException>().With.Property(nameof(CudaException.Status)).EqualTo(SoftwareCudnn.ExecutionFailed));
    }

    [Test]
    public void Small_layers_take_milliseconds()
    {
        using var bench = new ConvolutionBench(new ConvolutionCase(33, 16, 8, 8, 16, 3, 1, 1), false, CudnnMath.Default);
        bench.Convolve(ConvolutionDirection.Forward, 1);
        double best = double.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            bench.Library.Convolve(
                bench.Handle, ConvolutionDirection.Forward, 1, bench.Operands, 1, bench.Workspace,
                ConvolutionBench.WorkspaceBytes, 0);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        TestContext.Out.WriteLine($"{best:F2} ms");
        Assert.That(best, Is.LessThan(100), "milliseconds; many times what it takes on an idle machine");
    }
}
