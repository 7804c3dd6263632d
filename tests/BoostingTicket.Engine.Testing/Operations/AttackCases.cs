using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Random starts, attack steps, restarts, and what an attack did.</summary>
internal static class AttackCases
{
    private const float Epsilon = 8 / 255f;

    /// <summary>As people give them; float32 is larger than some.</summary>
    private static readonly double[] Radii = [8 / 255.0, 2 / 255.0, 0.3, 0.1, 0.05, 1 / 3.0, 1e-3, 0.5, 1];

    private static readonly int[] Batches = [1, 5, 16, 17, 33];
    private static readonly FeatureShape[] Images = [new(1, 6, 7), new(3, 8, 8), new(10)];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (FeatureShape shape in Images)
        {
            foreach (int batch in Batches)
            {
                yield return RandomStart(shape, batch, Epsilon);
                yield return NormalStart(shape, batch);
                yield return Step(shape, batch, Epsilon, 2 / 255f);
                yield return KeepWorst(shape, batch, looksAtClasses: false);
                yield return KeepWorst(shape, batch, looksAtClasses: true);
                yield return Measure(shape, batch);
            }
        }
        yield return RandomStart(Images[1], 5, 0.3f);
        yield return Step(Images[1], 17, 0.3f, 0.01f);
        yield return Step(Images[1], 17, Epsilon, Epsilon);
        yield return Step(Images[1], 17, 0, 2 / 255f);
        yield return SeveralSteps();
        foreach (double epsilon in Radii)
        {
            yield return StepToTheBound(PixelBall.Radius(epsilon));
            yield return StartAtTheBound(PixelBall.Radius(epsilon));
            yield return MeasureAtTheBound(PixelBall.Radius(epsilon));
        }
    }

    /// <summary>Pixels whose sum with a radius rounds in every way: all grey values, their neighbours, powers of two, tiny
    /// ones.</summary>
    private static float[] HardPixels()
    {
        List<float> pixels = [0, float.Epsilon, 1e-40f, 1e-20f, 0.1f, 0.3f];
        for (int grey = 0; grey < 256; grey++)
        {
            float pixel = grey / 255f;
            pixels.AddRange([pixel, Math.Max(MathF.BitDecrement(pixel), 0), Math.Min(MathF.BitIncrement(pixel), 1)]);
        }
        for (int power = 0; power < 40; power++)
        {
            float pixel = MathF.ScaleB(1, -power);
            pixels.AddRange([pixel, MathF.BitDecrement(pixel), 0.75f * pixel]);
        }
        while (pixels.Count % 17 != 0)
            pixels.Add(1);
        return [.. pixels];
    }

    /// <summary>Both ends of the ball around pixels for which they round, in images of one channel.</summary>
    private static OperationCase StepToTheBound(float epsilon) =>
        new($"AttackStep to the bound of the ball, epsilon {epsilon:R}", bench =>
        {
            float[] pixels = [.. HardPixels(), .. HardPixels()];
            var shape = new FeatureShape(pixels.Length / 17);
            float[] slopes = [.. pixels.Select((_, i) => i < pixels.Length / 2 ? 1f : -1f)];
            Tensor clean = bench.Operand("clean", 17, shape, pixels, images: true);
            Tensor gradient = bench.Operand("gradient", 17, shape, slopes, images: true);
            Tensor adversarial = bench.Updated("adversarial", 17, shape, pixels, Match.SameBits, images: true);
            bench.Execute(backend => backend.AttackStep(clean, gradient, epsilon, 2 * epsilon, adversarial));
        });

    private static OperationCase StartAtTheBound(float epsilon) =>
        new($"RandomStart around pixels that round, epsilon {epsilon:R}", bench =>
        {
            float[] pixels = HardPixels();
            var shape = new FeatureShape(pixels.Length / 17);
            Tensor clean = bench.Operand("clean", 17, shape, pixels, images: true);
            IntBuffer samples = bench.Integers(bench.Random.Integers(17, 60000));
            Tensor adversarial = bench.Destination("adversarial", 17, shape, Match.SameBits, images: true);
            var key = new RandomStartKey(Philox.Key(11, RandomStream.TrainingAttack), 2, 0);
            bench.Execute(backend => backend.RandomStart(clean, samples, epsilon, key, adversarial));
        });

    /// <summary>Images that were left where rounding put them, a pixel at a time: each largest perturbation shows to the
    /// bit.</summary>
    private static OperationCase MeasureAtTheBound(float epsilon) =>
        new($"MeasurePerturbation of rounded bounds, epsilon {epsilon:R}", bench =>
        {
            float[] pixels = HardPixels();
            var shape = new FeatureShape(pixels.Length / 17);
            float[] moved =
                [.. pixels.Select((pixel, i) => i % 2 == 0 ? Math.Min(pixel + epsilon, 1) : Math.Max(pixel - epsilon, 0))];
            Tensor clean = bench.Operand("clean", 17, shape, pixels, images: true);
            Tensor adversarial = bench.Operand("adversarial", 17, shape, moved, images: true);
            bench.Execute(backend =>
            {
                PerturbationExtent extent = backend.MeasurePerturbation(clean, adversarial);
                bench.Result("largest perturbation", extent.LargestPerturbation, Match.Exact);
            });
        });

    /// <summary>Pixels in [0, 1], about one in six at either end.</summary>
    private static float[] Pixels(OperationBench bench, int count) =>
        Array.ConvertAll(bench.Random.Uniform(count, -0.25f, 1.25f), value => Math.Clamp(value, 0, 1));

    private static OperationCase RandomStart(FeatureShape shape, int batch, float epsilon) =>
        new($"RandomStart {shape} batch {batch} epsilon {epsilon:R}", bench =>
        {
            Tensor clean = bench.Operand("clean", batch, shape, Pixels(bench, batch * shape.Length), images: true);
            IntBuffer samples = bench.Integers(bench.Random.Integers(batch, 60000));
            Tensor adversarial = bench.Destination("adversarial", batch, shape, Match.SameBits, images: true);
            var key = new RandomStartKey(Philox.Key(7, RandomStream.TrainingAttack), 3, 1);
            bench.Execute(backend => backend.RandomStart(clean, samples, epsilon, key, adversarial));
        });

    /// <summary>Around zero, so that the numbers themselves are compared.</summary>
    private static OperationCase NormalStart(FeatureShape shape, int batch) =>
        new($"NormalStart {shape} batch {batch}", bench =>
        {
            Tensor clean = bench.Operand("clean", batch, shape, new float[batch * shape.Length], images: true);
            IntBuffer samples = bench.Integers(bench.Random.Integers(batch, 60000));
            Tensor adversarial = bench.Destination("adversarial", batch, shape, images: true);
            var key = new RandomStartKey(Philox.Key(7, RandomStream.TrainingAttack), 3, 1);
            bench.Execute(backend => backend.NormalStart(clean, samples, 0.001f, key, adversarial));
        });

    private static OperationCase Step(FeatureShape shape, int batch, float epsilon, float stepSize) =>
        new($"AttackStep {shape} batch {batch} epsilon {epsilon:R} step {stepSize:R}", bench =>
        {
            int count = batch * shape.Length;
            float[] pixels = Pixels(bench, count), moves = bench.Random.Uniform(count, -1, 1);
            float[] moved = [.. pixels.Zip(moves, (pixel, move) => Math.Clamp(pixel + epsilon * move, 0, 1))];
            Tensor clean = bench.Operand("clean", batch, shape, pixels, images: true);
            Tensor gradient = bench.Operand("gradient", batch, shape, Slopes(bench, count), images: true);
            Tensor adversarial = bench.Updated("adversarial", batch, shape, moved, Match.Exact, images: true);
            bench.Execute(backend => backend.AttackStep(clean, gradient, epsilon, stepSize, adversarial));
        });

    private static OperationCase SeveralSteps() =>
        new("AttackStep ten times", bench =>
        {
            int count = 17 * Images[1].Length;
            float[] pixels = Pixels(bench, count);
            Tensor clean = bench.Operand("clean", 17, Images[1], pixels, images: true);
            Tensor first = bench.Operand("first gradient", 17, Images[1], Slopes(bench, count), images: true);
            Tensor second = bench.Operand("second gradient", 17, Images[1], Slopes(bench, count), images: true);
            Tensor adversarial = bench.Updated("adversarial", 17, Images[1], pixels, Match.Exact, images: true);
            bench.Execute(backend =>
            {
                for (int step = 0; step < 10; step++)
                    backend.AttackStep(clean, step % 3 == 0 ? first : second, Epsilon, 2 / 255f, adversarial);
            });
        });

    /// <summary>Gradients of every size down to the smallest float32, with both zeros.</summary>
    private static float[] Slopes(OperationBench bench, int count)
    {
        float[] slopes = bench.Random.Normal(count, deviation: 1e-3f);
        for (int i = 0; i < count; i += 5)
            slopes[i] = (i / 5 % 6) switch
            {
                0 => 0,
                1 => -0f,
                2 => 1e-30f,
                3 => -1e-30f,
                4 => float.MaxValue,
                _ => -float.MaxValue,
            };
        return slopes;
    }

    /// <summary>Better, worse and equal candidates, infinite losses on either side, and NaN, which never wins but where the
    /// candidate is misclassified.</summary>
    private static OperationCase KeepWorst(FeatureShape shape, int batch, bool looksAtClasses) =>
        new($"KeepWorst {shape} batch {batch}{(looksAtClasses ? " by classes" : "")}", bench =>
        {
            float[] challengers = bench.Random.Normal(batch), champions = bench.Random.Normal(batch);
            for (int i = 0; i < batch; i++)
            {
                (challengers[i], champions[i]) = (i % 7) switch
                {
                    2 => (champions[i], champions[i]),
                    3 => (float.PositiveInfinity, champions[i]),
                    4 => (challengers[i], float.NegativeInfinity),
                    5 => (float.PositiveInfinity, float.PositiveInfinity),
                    6 => (float.NaN, champions[i]),
                    _ => (challengers[i], champions[i]),
                };
            }
            Tensor candidate = bench.Operand("candidate", batch, shape, images: true);
            Tensor best = bench.Updated("best", batch, shape, match: Match.Exact, images: true);
            FloatBuffer candidateLosses = bench.OperandBuffer("candidate losses", challengers);
            FloatBuffer bestLosses = bench.UpdatedBuffer("best losses", champions, Match.Exact);
            float[] classes = [.. Enumerable.Range(0, batch).Select(sample => sample / 7 % 2 == 0 && sample % 3 != 1 ? 1f : 0f)];
            FloatBuffer? correct = looksAtClasses ? bench.OperandBuffer("correct", classes) : null;
            bench.Execute(backend => backend.KeepWorst(candidate, candidateLosses, best, bestLosses, correct));
        });

    private static OperationCase Measure(FeatureShape shape, int batch) =>
        new($"MeasurePerturbation {shape} batch {batch}", bench =>
        {
            int count = batch * shape.Length;
            float[] pixels = bench.Random.Uniform(count, 0.2f, 0.8f);
            float[] moved = [.. pixels.Zip(bench.Random.Uniform(count, -0.1f, 0.1f), (pixel, move) => pixel + move)];
            Tensor clean = bench.Operand("clean", batch, shape, pixels, images: true);
            Tensor adversarial = bench.Operand("adversarial", batch, shape, moved, images: true);
            bench.Execute(backend =>
            {
                PerturbationExtent extent = backend.MeasurePerturbation(clean, adversarial);
                bench.Result("largest perturbation", extent.LargestPerturbation);
                bench.Result("smallest pixel", extent.Smallest);
                bench.Result("largest pixel", extent.Largest);
            });
        });
}
