using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>Against loops with the same roundings, to the bit.</summary>
internal sealed class AttackKernelsTests
{
    private const ElementType F32 = ElementType.Float32;

    /// <summary>Pixels that are and that are not a multiple of four, channels of one and of several vectors.</summary>
    private static readonly FeatureShape[] Images = [
        new(1, 6, 7), new(3, 8, 8), new(3, 5, 5), new(10), new(6, 3, 3), new(1, 28, 28)];

    private static float[] Pixels(SeededValues random, int count) =>
        Array.ConvertAll(random.Uniform(count, -0.25f, 1.25f), value => Math.Clamp(value, 0, 1));

    [Test]
    public void Random_start_draws_the_numbers_of_every_backend(
        [ValueSource(nameof(Images))] FeatureShape shape, [Values(1, 5, 70)] int batch)
    {
        var random = new SeededValues($"start {shape} {batch}");
        var key = new RandomStartKey(Philox.Key(7, RandomStream.TrainingAttack), 3, 1);
        float[] clean = Pixels(random, batch * shape.Length);
        int[] samples = random.Integers(batch, 60000);
        using var bench = new KernelBench();
        TensorView adversarial = bench.Reserve(F32, batch, shape);
        new AttackKernels(bench.Library).RandomStart(
            bench.Upload(F32, batch, shape, clean), bench.Upload(samples), 0.3f, key, adversarial);
        float[] expected = new float[clean.Length];
        for (int i = 0; i < clean.Length; i++)
        {
            int element = i % shape.Length;
            var words = Philox.Words(key.Key, (uint)(element / 4), (uint)samples[i / shape.Length], 3, 1);
            float offset = 0.3f * (2 * Philox.Uniform(words[element % 4]) - 1);
            expected[i] = PixelBall.Project(clean[i] + offset, clean[i], 0.3f);
        }
        Assert.That(bench.Read(adversarial), Is.EqualTo(expected));
    }

    [Test]
    public void Step_ascends_within_ball_and_range([ValueSource(nameof(Images))] FeatureShape shape, [Values(1, 17)] int batch)
    {
        const float Epsilon = 8 / 255f, StepSize = 2 / 255f;
        var random = new SeededValues($"step {shape} {batch}");
        float[] clean = Pixels(random, batch * shape.Length), moves = random.Uniform(clean.Length, -1, 1);
        float[] gradient = random.Normal(clean.Length, deviation: 1e-30f);
        for (int i = 0; i < gradient.Length; i += 3)
            gradient[i] = (
                i / 3 % 5) switch
            { 0 => 0, 1 => -0f, 2 => float.NaN, 3 => float.PositiveInfinity, _ => -float.MaxValue };
        float[] moved = [.. clean.Zip(moves, (pixel, move) => Math.Clamp(pixel + Epsilon * move, 0, 1))];
        using var bench = new KernelBench();
        TensorView adversarial = bench.Upload(F32, batch, shape, moved);
        new AttackKernels(bench.Library).AttackStep(
            bench.Upload(F32, batch, shape, clean), bench.Upload(F32, batch, shape, gradient), Epsilon, StepSize, adversarial);
        float[] expected = new float[clean.Length];
        for (int i = 0; i < clean.Length; i++)
        {
            float step = gradient[i] > 0 ? StepSize : gradient[i] < 0 ? -StepSize : 0;
            expected[i] = PixelBall.Project(moved[i] + step, clean[i], Epsilon);
        }
        Assert.That(bench.Read(adversarial), Is.EqualTo(expected));
    }

    [Test]
    public void Worst_candidates_replace_the_best_with_their_losses([ValueSource(nameof(Images))] FeatureShape shape)
    {
        const int Batch = 9;
        const float Infinity = float.PositiveInfinity;
        float[] challengers = [1, 2, 3, Infinity, 0, Infinity, float.NaN, 1, -1];
        float[] champions = [2, 1, 3, 0, -Infinity, Infinity, 0, float.NaN, -2];
        var random = new SeededValues($"worst {shape}");
        float[] candidates = random.Normal(Batch * shape.Length), kept = random.Normal(candidates.Length);
        using var bench = new KernelBench();
        TensorView best = bench.Upload(F32, Batch, shape, kept);
        DevicePointer bestLosses = bench.Upload(champions);
        new AttackKernels(bench.Library).KeepWorst(
            bench.Upload(F32, Batch, shape, candidates), bench.Upload(challengers), best, bestLosses);
        for (int i = 0; i < kept.Length; i++)
        {
            if (challengers[i / shape.Length] > champions[i / shape.Length])
                kept[i] = candidates[i];
        }
        Assert.That(bench.Read(best), Is.EqualTo(kept));
        Assert.That(
            bench.Read<float>(bestLosses, Batch),
            Is.EqualTo(challengers.Zip(champions, (one, other) => one > other ? one : other)));
    }

    [Test]
    public void Measures_perturbation_and_range([ValueSource(nameof(Images))] FeatureShape shape, [Values(1, 33)] int batch)
    {
        // Everything well above 0, so that padding would show as the smallest value.
        var random = new SeededValues($"measure {shape} {batch}");
        float[] clean = random.Uniform(batch * shape.Length, 0.2f, 0.8f);
        float[] moved = [.. clean.Zip(random.Uniform(clean.Length, -0.1f, 0.1f), (pixel, move) => pixel + move)];
        float perturbation = clean.Zip(moved, PixelBall.Distance).Max();
        Assert.That(Measure(shape, batch, clean, moved), Is.EqualTo([perturbation, moved.Min(), moved.Max()]));
    }

    [TestCase(float.NaN, float.NaN, float.NaN, float.NaN)]
    [TestCase(float.PositiveInfinity, float.PositiveInfinity, 0.25f, float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity, float.PositiveInfinity, float.NegativeInfinity, 0.25f)]
    public void Measuring_does_not_hide_what_is_no_number(float value, float perturbation, float smallest, float largest)
    {
        var shape = new FeatureShape(3, 20, 20);
        float[] clean = new float[2 * shape.Length], moved = new float[clean.Length];
        Array.Fill(moved, 0.25f);
        moved[777] = value;
        Assert.That(Measure(shape, 2, clean, moved), Is.EqualTo([perturbation, smallest, largest]));
    }

    private static float[] Measure(FeatureShape shape, int batch, float[] clean, float[] adversarial)
    {
        using var bench = new KernelBench();
        TensorView before = bench.Upload(F32, batch, shape, clean), after = bench.Upload(F32, batch, shape, adversarial);
        DevicePointer scratch = bench.Reserve(AttackKernels.MeasureScratchBytes(before)),
        result = bench.Reserve(3 * sizeof(float));
        new AttackKernels(bench.Library).MeasurePerturbation(before, after, scratch, result);
        return bench.Read<float>(result, 3);
    }

    [Test]
    public void Images_are_float32()
    {
        using var bench = new KernelBench();
        var kernels = new AttackKernels(bench.Library);
        TensorView images = bench.Reserve(F32, 2, Images[0]), gradient = bench.Reserve(ElementType.BFloat16, 2, Images[0]);
        Assert.That(
            () => kernels.AttackStep(images, gradient, 1, 1, images), Throws.ArgumentException.With.Message.Contains("gradient"));
    }
}
