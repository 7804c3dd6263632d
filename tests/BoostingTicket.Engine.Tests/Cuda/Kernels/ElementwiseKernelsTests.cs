using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>Against loops with the same roundings, to the bit.</summary>
internal sealed class ElementwiseKernelsTests
{
    private const ElementType F32 = ElementType.Float32, BF16 = ElementType.BFloat16;

    private static readonly FeatureShape[] Shapes = [new(1), new(3, 5, 7), new(12, 2, 2), new(17, 2, 3), new(64, 4, 4)];

    private static IEnumerable<TestCaseData> Cases =>
        from x in (ElementType[])[F32, BF16]
        from y in (ElementType[])[F32, BF16]
        from shape in Shapes
        from batch in (int[])[1, 5]
        select new TestCaseData(x, y, shape, batch);

    [TestCaseSource(nameof(Cases))]
    public void Forward_is_scale_shift_residual_and_relu(object xType, object yType, FeatureShape shape, int batch)
    {
        (ElementType from, ElementType to) = ((ElementType)xType, (ElementType)yType);
        var random = new SeededValues($"forward {from} {to} {shape} {batch}");
        using var bench = new KernelBench();
        var kernels = new ElementwiseKernels(bench.Library);
        float[] x = random.Normal(batch * shape.Length), residual = random.Normal(x.Length);
        float[] scale = random.Normal(shape.Channels), shift = random.Normal(shape.Channels);
        x[0] = float.NaN;
        x[^1] = -0f;
        TensorView source = bench.Upload(from, batch, shape, x), other = bench.Upload(to, batch, shape, residual);
        DevicePointer factors = bench.Upload(scale, 1), summands = bench.Upload(shift, 3);
        for (int variant = 0; variant < 16; variant++)
        {
            bool scaled = (variant & 1) != 0, shifted = (variant & 2) != 0, added = (variant & 4) != 0, relu = (variant & 8) != 0;
            TensorView y = bench.Reserve(to, batch, shape);
            kernels.Forward(
                source, scaled ? factors : DevicePointer.Null, shifted ? summands : DevicePointer.Null, added ? other : null,
                relu ? Activation.Relu : Activation.None, y);
            float[] expected = new float[x.Length];
            for (int i = 0; i < x.Length; i++)
            {
                int channel = i / shape.Pixels % shape.Channels;
                float value = MathF.FusedMultiplyAdd(
                    KernelBench.Rounded(from, x[i]), scaled ? scale[channel] : 1, shifted ? shift[channel] : -0f);
                if (added)
                    value += KernelBench.Rounded(to, residual[i]);
                expected[i] = KernelBench.Rounded(to, relu && value < 0 ? 0 : value);
            }
            Assert.That(bench.Read(y), Is.EqualTo(expected), $"scale {scaled} shift {shifted} residual {added} relu {relu}");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Backward_is_scale_addend_and_mask(object dyType, object dxType, FeatureShape shape, int batch)
    {
        (ElementType from, ElementType to) = ((ElementType)dyType, (ElementType)dxType);
        var random = new SeededValues($"backward {from} {to} {shape} {batch}");
        using var bench = new KernelBench();
        var kernels = new ElementwiseKernels(bench.Library);
        float[] dy = random.Normal(batch * shape.Length), addend = random.Normal(dy.Length),
        scale = random.Normal(shape.Channels);
        float[] output = Array.ConvertAll(random.Normal(dy.Length), value => value < 0 ? 0 : value);
        output[0] = float.NaN;
        TensorView source = bench.Upload(from, batch, shape, dy), other = bench.Upload(to, batch, shape, addend);
        TensorView mask = bench.Upload(to, batch, shape, output);
        DevicePointer factors = bench.Upload(scale, 2);
        for (int variant = 0; variant < 8; variant++)
        {
            bool scaled = (variant & 1) != 0, added = (variant & 2) != 0, masked = (variant & 4) != 0;
            TensorView dx = bench.Reserve(to, batch, shape);
            kernels.Backward(source, scaled ? factors : DevicePointer.Null, added ? other : null, masked ? mask : null,
                masked ? Activation.Relu : Activation.None, dx);
            float[] expected = new float[dy.Length];
            for (int i = 0; i < dy.Length; i++)
            {
                float factor = scaled ? scale[i / shape.Pixels % shape.Channels] : 1, value = KernelBench.Rounded(from, dy[i]);
                value = added ? MathF.FusedMultiplyAdd(value, factor, KernelBench.Rounded(to, addend[i])) : value * factor;
                expected[i] = masked && !(output[i] > 0) ? 0 : KernelBench.Rounded(to, value);
            }
            Assert.That(bench.Read(dx), Is.EqualTo(expected), $"scale {scaled} addend {added} mask {masked}");
        }
    }

    [Test]
    public void Operands_may_be_the_destination([Values] bool residual)
    {
        var shape = new FeatureShape(10, 3, 5);
        using var bench = new KernelBench();
        var kernels = new ElementwiseKernels(bench.Library);
        var random = new SeededValues("in place");
        float[] x = random.Normal(18 * shape.Length), other = random.Normal(x.Length);
        TensorView first = bench.Upload(F32, 18, shape, x), second = bench.Upload(F32, 18, shape, other);
        TensorView y = residual ? second : first;
        kernels.Forward(first, default, default, second, Activation.Relu, y);
        Assert.That(bench.Read(y), Is.EqualTo(x.Zip(other, (a, b) => a + b < 0 ? 0 : a + b)));
    }

    /// <summary>More than one block's worth of channels, and more pixels than the grid has threads for.</summary>
    [Test]
    public void Loops_over_what_the_grid_does_not_cover()
    {
        using var bench = new KernelBench();
        var kernels = new ElementwiseKernels(bench.Library);
        foreach ((int batch, FeatureShape shape) in ((int, FeatureShape)[])[(3, new(1100)), (7, new(4, 96, 96))])
        {
            float[] x = new SeededValues($"large {shape}").Normal(batch * shape.Length);
            TensorView y = bench.Reserve(F32, batch, shape);
            kernels.Forward(bench.Upload(F32, batch, shape, x), default, default, null, Activation.Relu, y);
            Assert.That(bench.Read(y), Is.EqualTo(Array.ConvertAll(x, value => value < 0 ? 0 : value)));
        }
    }

    /// <summary>Every case of rounding: ties to even either way, the largest numbers, infinities, NaN, subnormal
    /// numbers.</summary>
    [Test]
    public void Converts_between_types_rounding_to_nearest_even()
    {
        uint[] bits = [
            0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x7f7fffff, 0x7f7f8000, 0x7f7f7fff, 0x7f800000, 0xff800000,
            0x7f800001,
            0xffffffff, 0x7fc00000, 0x00000001, 0x00008000, 0x00018000, 0x80008001, 0x80000000, 0x007fffff];
        float[] values = [.. bits.Select(BitConverter.UInt32BitsToSingle), .. new SeededValues("round").Normal(200)];
        var shape = new FeatureShape(values.Length);
        using var bench = new KernelBench();
        var kernels = new ElementwiseKernels(bench.Library);
        TensorView narrow = bench.Reserve(BF16, 1, shape), wide = bench.Reserve(F32, 1, shape);
        kernels.Forward(bench.Upload(F32, 1, shape, values), default, default, null, Activation.None, narrow);
        kernels.Forward(narrow, default, default, null, Activation.None, wide);
        float[] expected = Array.ConvertAll(values, BFloat16Values.Round);
        Assert.That(Bits(bench.Read(narrow)), Is.EqualTo(Bits(expected)));
        Assert.That(Bits(bench.Read(wide)), Is.EqualTo(Bits(expected)));

        // Zeros with their signs; one NaN is as good as another.
        static uint[] Bits(float[] values) =>
            Array.ConvertAll(values, value => float.IsNaN(value) ? 0x7fc00000 : BitConverter.SingleToUInt32Bits(value));
    }

    [Test]
    public void Refuses_operands_that_do_not_fit()
    {
        using var bench = new KernelBench();
        var kernels = new ElementwiseKernels(bench.Library);
        TensorView x = bench.Reserve(F32, 2, new FeatureShape(3)), y = bench.Reserve(F32, 2, new FeatureShape(4));
        TensorView half = bench.Reserve(BF16, 2, new FeatureShape(3));
        Assert.That(
            () => kernels.Forward(x, default, default, null, Activation.None, y),
            Throws.ArgumentException.With.Message.Contains("2 x 3"));
        Assert.That(
            () => kernels.Forward(x, default, default, half, Activation.None, x),
            Throws.ArgumentException.With.Message.Contains("residual"));
    }
}
