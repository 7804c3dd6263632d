using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class ParameterTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private static readonly SgdOptions Options = new(0.1f, 0.9f, 5e-4f);

    [Test]
    public void A_step_matches_the_definition([Values(1, 7, 16, 33, 50_001)] int length, [Values] bool masked)
    {
        float[] g = Uniform(length), v = Uniform(length), w = Uniform(length);
        float[] mask = Whole(length, 1).Select(Math.Abs).ToArray();
        BufferSlice gradients = Slice(g), momenta = Slice(v), weights = Slice(w);
        Backend.SgdStep(Options, gradients, momenta, masked ? Slice(mask) : null, weights);
        double[] expectedV = new double[length], expectedW = new double[length];
        for (int i = 0; i < length; i++)
        {
            double kept = !masked || mask[i] != 0 ? 1 : 0;
            expectedV[i] = kept * (0.9 * v[i] + g[i] + 5e-4 * w[i]);
            expectedW[i] = kept * (w[i] - 0.1 * expectedV[i]);
        }
        AssertClose(Read(momenta), expectedV, 3e-7);
        AssertClose(Read(weights), expectedW, 3e-7);
        Assert.That(Read(gradients), Is.EqualTo(g));
    }

    [Test]
    public void Pruned_weights_and_momenta_become_positive_zero_whatever_stood_there()
    {
        float[] bad = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -1, -0f];
        float[] values = Enumerable.Range(0, 37).Select(i => bad[i % 5]).ToArray();
        BufferSlice momenta = Slice(values), weights = Slice(values), masks = Slice(new float[37]);
        Backend.SgdStep(Options, Slice(values), momenta, masks, weights);
        BufferSlice applied = Slice(values);
        Backend.ApplyMask(masks, applied);
        foreach (BufferSlice slice in new[] { momenta, weights, applied })
            Assert.That(Read(slice).Select(BitConverter.SingleToInt32Bits), Is.All.Zero);
    }

    [Test]
    public void A_mask_keeps_what_it_does_not_prune()
    {
        float[] values = Uniform(1001), mask = Whole(1001, 1).Select(Math.Abs).ToArray();
        BufferSlice slice = Slice(values);
        Backend.ApplyMask(Slice(mask), slice);
        Assert.That(Read(slice), Is.EqualTo(values.Select((value, i) => mask[i] == 0 ? 0 : value)));
    }

    [Test]
    public void Values_outside_a_slice_stay()
    {
        FloatBuffer buffer = Floats(Enumerable.Repeat(1f, 40).ToArray());
        var slice = new BufferSlice(buffer, 5, 21);
        Backend.ApplyMask(Slice(new float[21]), slice);
        Assert.That(Read(buffer), Is.EqualTo(Enumerable.Range(0, 40).Select(i => i is >= 5 and < 26 ? 0f : 1f)));
    }

    [Test]
    public void A_sum_is_taken_in_double([Values(0, 1, 31, 16_384, 100_003)] int length)
    {
        float[] values = Uniform(length, 0, 1);
        Assert.That(Backend.Sum(Slice(values)), Is.EqualTo(values.Sum(value => (double)value)).Within(1e-12).Percent);
    }

    [Test]
    public void A_sum_keeps_what_float32_would_lose() =>
        Assert.That(Backend.Sum(Slice([1e9f, .. Enumerable.Repeat(1f, 1000), -1e9f])), Is.EqualTo(1000));

    [Test]
    public void A_sum_shows_NaN_and_infinity([Values(0, 5, 20_000, 39_999)] int place)
    {
        float[] values = Uniform(40_000);
        values[place] = float.NaN;
        Assert.That(Backend.Sum(Slice(values)), Is.NaN);
        values[place] = float.NegativeInfinity;
        Assert.That(Backend.Sum(Slice(values)), Is.EqualTo(double.NegativeInfinity));
    }

    [Test]
    public void Mismatched_lengths_are_refused()
    {
        BufferSlice two = Slice(1, 2), three = Slice(1, 2, 3);
        Assert.Multiple(() =>
        {
            Assert.That(() => Backend.SgdStep(Options, two, three, null, three), Throws.ArgumentException);
            Assert.That(() => Backend.SgdStep(Options, three, two, null, three), Throws.ArgumentException);
            Assert.That(() => Backend.SgdStep(Options, three, three, two, three), Throws.ArgumentException);
            Assert.That(() => Backend.ApplyMask(two, three), Throws.ArgumentException.With.Message.Contains("2 masks"));
            Assert.That(
                () => Backend.Sum(two with { Length = 3 }), Throws.InstanceOf<ArgumentOutOfRangeException>());
        });
    }

    [Test]
    public void Results_do_not_depend_on_threads_and_nothing_is_allocated()
    {
        const int Length = 150_007;
        float[] start = Uniform(Length);
        BufferSlice g = Slice(Uniform(Length)), v = Slice(start), w = Slice(start);
        BufferSlice mask = Slice(Whole(Length, 1).Select(Math.Abs).ToArray());
        AssertSameForAnyThreads(backend =>
        {
            backend.Upload(start, v);
            backend.Upload(start, w);
            backend.SgdStep(Options, g, v, mask, w);
            float[] weights = Read(w);
            backend.ApplyMask(mask, v);
            double sum = backend.Sum(g);
            float[] halves = [.. System.Runtime.InteropServices.MemoryMarshal.Cast<double, float>([sum])];
            return [weights, Read(v), halves];
        });
        AssertAllocatesNothing(() =>
        {
            Backend.SgdStep(Options, g, v, mask, w);
            Backend.ApplyMask(mask, v);
            Backend.Sum(g);
        });
    }
}
