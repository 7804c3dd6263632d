using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>Against loops with the same roundings, over slices that begin anywhere.</summary>
internal sealed class ParameterKernelsTests
{
    private static readonly int[] Lengths = [1, 2, 3, 4, 5, 7, 16, 1000, 9001];

    /// <summary>Values between an aligned address and the beginning of gradients, momenta, masks, weights.</summary>
    private static readonly int[][] Offsets = [
        [0, 0, 0, 0], [1, 1, 1, 1], [2, 6, 2, 10], [3, 3, 3, 3], [0, 1, 2, 3], [1, 1, 0, 1]];

    [Test]
    public void Sgd_step_is_that_of_the_cpu_to_the_bit(
        [ValueSource(nameof(Lengths))] int length, [ValueSource(nameof(Offsets))] int[] offsets, [Values] bool masked)
    {
        var random = new SeededValues($"sgd {length} {masked}");
        var options = new SgdOptions(0.1f, 0.9f, 5e-4f);
        float[] g = random.Normal(length), v = random.Normal(length), w = random.Normal(length);
        float[] m = Array.ConvertAll(random.Uniform(length), value => value < 0.5f ? 1f : 0f);
        for (int i = 0; i < length; i++)
        {
            if (masked && m[i] == 0 && i % 2 == 0)
                (g[i], v[i]) = (float.NaN, float.NegativeInfinity);
        }
        using var bench = new KernelBench();
        DevicePointer gradients = bench.Upload(g, offsets[0]), momenta = bench.Upload(v, offsets[1]);
        DevicePointer masks = masked ? bench.Upload(m, offsets[2]) : DevicePointer.Null, weights = bench.Upload(w, offsets[3]);
        new ParameterKernels(bench.Library).SgdStep(options, gradients, momenta, masks, weights, length);
        for (int i = 0; i < length; i++)
        {
            bool kept = !masked || m[i] != 0;
            float slope = MathF.FusedMultiplyAdd(options.WeightDecay, w[i], g[i]);
            float velocity = MathF.FusedMultiplyAdd(options.Momentum, v[i], slope);
            w[i] = kept ? MathF.FusedMultiplyAdd(-options.LearningRate, velocity, w[i]) : 0;
            v[i] = kept ? velocity : 0;
        }
        AssertSameBits(bench.Read<float>(weights, length), w);
        AssertSameBits(bench.Read<float>(momenta, length), v);
        AssertSameBits(bench.Read<float>(gradients, length), g);
    }

    [Test]
    public void Mask_leaves_positive_zeros(
        [ValueSource(nameof(Lengths))] int length, [Values(0, 1, 3)] int offset, [Values(0, 1, 2)] int maskOffset)
    {
        var random = new SeededValues($"mask {length}");
        float[] values = random.Normal(length);
        float[] pattern = Array.ConvertAll(random.Uniform(length), value => value < 0.5f ? 1f : 0f);
        for (int i = 0; i < length; i += 3)
            values[i] = pattern[i] == 0 ? float.NaN : values[i];
        using var bench = new KernelBench();
        DevicePointer masked = bench.Upload(values, offset);
        new ParameterKernels(bench.Library).ApplyMask(bench.Upload(pattern, maskOffset), masked, length);
        AssertSameBits(bench.Read<float>(masked, length), [.. values.Zip(pattern, (value, mask) => mask == 0 ? 0 : value)]);
    }

    [Test]
    public void Packed_values_are_those_that_indices_point_to_and_go_back_there(
        [ValueSource(nameof(Lengths))] int length, [Values(0, 1, 3)] int offset)
    {
        var random = new SeededValues($"pack {length}");
        float[] values = random.Normal(length), others = random.Normal(length);
        int[] kept = [.. Enumerable.Range(0, length).Where(i => i % 3 != 1)];
        using var bench = new KernelBench();
        DevicePointer from = bench.Upload(values, offset), indices = bench.Upload(kept), to = bench.Upload(others, offset);
        DevicePointer packed = bench.Upload(new float[kept.Length], offset);
        var kernels = new ParameterKernels(bench.Library);
        kernels.Pack(from, indices, packed, kept.Length);
        AssertSameBits(bench.Read<float>(packed, kept.Length), [.. kept.Select(i => values[i])]);
        kernels.Unpack(packed, indices, to, kept.Length);
        AssertSameBits(bench.Read<float>(to, length), [.. others.Select((other, i) => i % 3 != 1 ? values[i] : other)]);
    }

    [Test]
    public void Sum_is_in_double_precision_and_does_not_depend_on_the_address([ValueSource(nameof(Lengths))] int length)
    {
        float[] values = new SeededValues($"sum {length}").Normal(length, mean: 1);
        values[0] = 1e8f;
        double exact = 0;
        foreach (float value in values)
            exact += value;
        double first = Sum(values, 0);
        Assert.That(first, Is.EqualTo(exact).Within(1e-12 * Math.Abs(exact)));
        for (int offset = 1; offset < 4; offset++)
            Assert.That(BitConverter.DoubleToInt64Bits(Sum(values, offset)), Is.EqualTo(BitConverter.DoubleToInt64Bits(first)));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void Sum_holds_what_is_no_number(float value)
    {
        float[] values = new SeededValues("no number").Normal(5000);
        values[4321] = value;
        Assert.That(Sum(values, 1), Is.EqualTo((double)value));
    }

    [Test]
    public void Nothing_to_do_launches_nothing()
    {
        using var bench = new KernelBench();
        var kernels = new ParameterKernels(bench.Library);
        kernels.SgdStep(new SgdOptions(1, 1, 1), default, default, default, default, 0);
        kernels.ApplyMask(default, default, 0);
        kernels.Pack(default, default, default, 0);
        kernels.Unpack(default, default, default, 0);
        Assert.That(Sum([], 0), Is.Zero);
    }

    private static double Sum(float[] values, int offset)
    {
        using var bench = new KernelBench();
        DevicePointer scratch = bench.Reserve(ParameterKernels.SumScratchBytes(values.Length)),
        result = bench.Reserve(sizeof(double));
        DevicePointer from = values.Length == 0 ? DevicePointer.Null : bench.Upload(values, offset);
        new ParameterKernels(bench.Library).Sum(from, values.Length, scratch, result);
        return bench.Read<double>(result, 1)[0];
    }

    private static void AssertSameBits(float[] actual, float[] expected) =>
        Assert.That(
            Array.ConvertAll(actual, BitConverter.SingleToUInt32Bits),
            Is.EqualTo(Array.ConvertAll(expected, BitConverter.SingleToUInt32Bits)));
}
