using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu;

[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
internal sealed class AttackTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const float Epsilon = 8 / 255f;

    // 105 values an image: no multiple of the four words of a draw.
    private static readonly FeatureShape Shape = new(3, 5, 7);

    [Test]
    public void Random_start_draws_the_documented_words([ValueSource(nameof(Batches))] int batch)
    {
        float[] clean = Uniform(batch * Shape.Length, 0, 1);
        int[] samples = Enumerable.Range(0, batch).Select(n => n * 7919 + 3).ToArray();
        CpuTensor adversarial = Empty(batch, Shape);
        var key = new RandomStartKey(0x123456789ABCDEF0, 5, 2);
        Backend.RandomStart(Activation(batch, Shape, clean), Ints(samples), Epsilon, key, adversarial);

        float[] expected = new float[clean.Length];
        for (int i = 0; i < clean.Length; i++)
        {
            int e = i % Shape.Length;
            uint word = Philox.Words(key.Key, (uint)e / 4, (uint)samples[i / Shape.Length], 5, 2)[e % 4];
            float t = 2 * ((word >> 8) * (1f / 16777216)) - 1;
            float d = Epsilon * t;
            float v = clean[i] + d;
            expected[i] = PixelBall.Project(v, clean[i], Epsilon);
        }
        Assert.That(Read(adversarial), Is.EqualTo(expected), "to the bit");
        AssertAllFinite(adversarial);
    }

    [Test]
    public void Random_start_fills_the_ball_evenly()
    {
        FeatureShape shape = new(3, 32, 32);
        float[] clean = Enumerable.Repeat(0.5f, 20 * shape.Length).ToArray();
        CpuTensor x = Activation(20, shape, clean);
        Backend.RandomStart(x, Ints(Enumerable.Range(0, 20).ToArray()), 0.25f, new RandomStartKey(1, 0, 0), x);
        float[] values = Read(x);
        Assert.Multiple(() =>
        {
            // Mean 0.5 and variance 1/48 of 61,440 draws: four standard errors.
            Assert.That(values.Average(), Is.EqualTo(0.5).Within(4 * 0.25 / Math.Sqrt(3.0 * values.Length)));
            Assert.That(
                values.Average(value => (value - 0.5) * (value - 0.5)), Is.EqualTo(1 / 48.0).Within(2).Percent);
            Assert.That(values.Min(), Is.InRange(0.25f, 0.2501f));
            Assert.That(values.Max(), Is.InRange(0.7499f, 0.75f));
        });
    }

    [Test]
    public void Attack_step_matches_the_definition([ValueSource(nameof(Batches))] int batch)
    {
        const float StepSize = 2 / 255f;
        float[] clean = Uniform(batch * Shape.Length, 0, 1), slope = Whole(clean.Length, 1);
        slope[1] = float.NaN;
        float[] start = clean.Zip(Uniform(clean.Length, -Epsilon, Epsilon), (a, b) => Math.Clamp(a + b, 0, 1)).ToArray();
        CpuTensor adversarial = Activation(batch, Shape, start);
        Backend.AttackStep(
            Activation(batch, Shape, clean), Gradient(batch, Shape, slope), Epsilon, StepSize, adversarial);
        double[] expected = clean.Select((centre, i) => Math.Clamp(
            Math.Clamp(start[i] + (double)StepSize * (i == 1 ? 0 : slope[i]), centre - (double)Epsilon, centre + (double)Epsilon),
            0, 1)).ToArray();
        float[] actual = Read(adversarial);
        AssertClose(actual, expected, 1e-7);
        for (int i = 0; i < actual.Length; i++)
        {
            if (Math.Abs((double)actual[i] - clean[i]) > Epsilon || actual[i] is < 0 or > 1)
                Assert.Fail($"{actual[i]} is outside the ball around {clean[i]} or the range of pixels.");
        }
        AssertAllFinite(adversarial);
    }

    [Test]
    public void Keep_worst_takes_the_samples_of_larger_loss([ValueSource(nameof(Batches))] int batch)
    {
        float[] candidate = Uniform(batch * Shape.Length), best = Uniform(candidate.Length);
        float[] candidateLosses = Whole(batch, 1), bestLosses = Whole(batch, 1);
        candidateLosses[0] = float.PositiveInfinity;
        if (batch > 1)
            candidateLosses[1] = float.NaN;
        CpuTensor result = Activation(batch, Shape, best);
        FloatBuffer losses = Floats(bestLosses);
        Backend.KeepWorst(Activation(batch, Shape, candidate), Floats(candidateLosses), result, losses);
        Assert.That(
            Read(result), Is.EqualTo(best.Select((value, i) =>
                candidateLosses[i / Shape.Length] > bestLosses[i / Shape.Length] ? candidate[i] : value)));
        Assert.That(
            Read(losses), Is.EqualTo(bestLosses.Select((value, n) => candidateLosses[n] > value ? candidateLosses[n] : value)));
        AssertAllFinite(result);
    }

    [Test]
    public void Measured_extents_leave_unused_lanes_out([ValueSource(nameof(Batches))] int batch, [Values(1, 20)] int times)
    {
        batch *= times;
        float[] clean = Uniform(batch * Shape.Length, 0, 1);
        float[] adversarial = clean.Zip(Uniform(clean.Length, -Epsilon, Epsilon), (a, b) => Math.Max(a + b, 0)).ToArray();
        PerturbationExtent extent = Backend.MeasurePerturbation(
            Activation(batch, Shape, clean), Gradient(batch, Shape, adversarial));
        Assert.Multiple(() =>
        {
            Assert.That(extent.LargestPerturbation, Is.EqualTo(clean.Zip(adversarial, PixelBall.Distance).Max()));
            Assert.That(extent.Smallest, Is.EqualTo(adversarial.Min()));
            Assert.That(extent.Largest, Is.EqualTo(adversarial.Max()));
        });
    }

    [Test]
    public void Measured_extents_show_NaN()
    {
        float[] clean = Uniform(20 * Shape.Length, 0, 1), adversarial = [.. clean];
        adversarial[17] = float.NaN;
        PerturbationExtent extent = Backend.MeasurePerturbation(
            Activation(20, Shape, clean), Activation(20, Shape, adversarial));
        Assert.That(
            new[] { extent.LargestPerturbation, extent.Smallest, extent.Largest }, Is.All.NaN);
    }

    [Test]
    public void Mismatched_operands_are_refused()
    {
        CpuTensor one = Empty(5, Shape), other = Empty(4, Shape);
        IntBuffer four = Ints(1, 2, 3, 4);
        FloatBuffer losses = Floats(0, 0, 0, 0);
        Assert.Multiple(() =>
        {
            Assert.That(() => Backend.AttackStep(one, one, 1, 1, other), Mentions("5x3x5x7", "4x3x5x7"));
            Assert.That(() => Backend.AttackStep(one, other, 1, 1, one), Mentions("5x3x5x7", "4x3x5x7"));
            Assert.That(() => Backend.RandomStart(one, four, 1, default, other), Mentions("5x3x5x7", "4x3x5x7"));
            Assert.That(() => Backend.RandomStart(one, four, 1, default, one), Mentions("4 sample numbers", "5x3x5x7"));
            Assert.That(() => Backend.KeepWorst(one, losses, other, losses), Mentions("5x3x5x7", "4x3x5x7"));
            Assert.That(() => Backend.KeepWorst(one, losses, one, losses), Mentions("4 candidate losses", "5x3x5x7"));
            Assert.That(() => Backend.MeasurePerturbation(one, other), Mentions("5x3x5x7", "4x3x5x7"));
        });
    }

    [Test]
    public void Results_do_not_depend_on_threads_and_nothing_is_allocated()
    {
        FeatureShape shape = new(3, 28, 28);
        const int Batch = 37;
        float[] values = Uniform(Batch * shape.Length, 0, 1);
        CpuTensor clean = Activation(Batch, shape, values), gradient = Gradient(Batch, shape, Uniform(values.Length));
        CpuTensor adversarial = Empty(Batch, shape), best = Empty(Batch, shape);
        IntBuffer samples = Ints(Enumerable.Range(0, Batch).ToArray());
        FloatBuffer losses = Floats(Uniform(Batch)), bestLosses = Floats(new float[Batch]);
        AssertSameForAnyThreads(backend =>
        {
            backend.Copy(clean, best);
            backend.Fill(bestLosses.All, 0);
            backend.RandomStart(clean, samples, Epsilon, new RandomStartKey(7, 1, 0), adversarial);
            backend.AttackStep(clean, gradient, Epsilon, 0.01f, adversarial);
            backend.KeepWorst(adversarial, losses, best, bestLosses);
            PerturbationExtent extent = backend.MeasurePerturbation(clean, adversarial);
            return
            [
                Read(adversarial), Read(best), Read(bestLosses),
                [extent.LargestPerturbation, extent.Smallest, extent.Largest],
            ];
        });
        AssertAllocatesNothing(() =>
        {
            Backend.RandomStart(clean, samples, Epsilon, new RandomStartKey(7, 1, 0), adversarial);
            Backend.AttackStep(clean, gradient, Epsilon, 0.01f, adversarial);
            Backend.KeepWorst(adversarial, losses, best, bestLosses);
            Backend.MeasurePerturbation(clean, adversarial);
        });
    }

    private static NUnit.Framework.Constraints.ContainsConstraint Mentions(string first, string second) =>
        Throws.ArgumentException.With.Message.Contains(first).And.Message.Contains(second);
}
