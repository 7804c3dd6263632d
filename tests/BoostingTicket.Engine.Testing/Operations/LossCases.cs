using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Cross-entropy, the Carlini-Wagner margin, and the divergence of predictions.</summary>
internal static class LossCases
{
    public static IEnumerable<OperationCase> Cases()
    {
        foreach (LossKind kind in Enum.GetValues<LossKind>())
        {
            foreach (int batch in (int[])[1, 5, 16, 17, 33])
            {
                foreach (int classes in (int[])[2, 10, 17, 100])
                    yield return Random(kind, batch, classes, 1f / batch);
            }
            yield return Random(kind, 17, 10, 1);
            yield return WithoutGradient(kind);
            yield return Ties(kind);
        }
        foreach (int batch in (int[])[1, 5, 16, 17, 33])
        {
            foreach (int classes in (int[])[2, 10, 17, 100])
                yield return Divergence(batch, classes, 3, 6f / batch, byReference: true, byLogits: true);
        }
        yield return Divergence(17, 10, 3, 1, byReference: false, byLogits: true);
        yield return Divergence(17, 10, 3, 1, byReference: true, byLogits: false);
        yield return Divergence(17, 10, 3, 1, byReference: false, byLogits: false);
        yield return Divergence(17, 10, 300, 1, byReference: true, byLogits: true);
        yield return LargeLogits();
        yield return MarginPastTheKink();
    }

    private static OperationCase Random(LossKind kind, int batch, int classes, float gradientScale) =>
        new($"Loss {kind} {batch}x{classes} gradient scale {gradientScale:R}", Tolerance.LongSum, bench =>
            Execute(bench, kind, bench.Random.Normal(batch * classes, deviation: 3), bench.Random.Integers(batch, classes),
                gradientScale));

    private static OperationCase Divergence(
        int batch, int classes, float deviation, float gradientScale, bool byReference, bool byLogits) =>
        new(
            $"Divergence {batch}x{classes} of logits around {deviation:R} gradient scale {gradientScale:R}"
            + (byReference ? " by reference" : "") + (byLogits ? " by logits" : ""),
            Tolerance.LongSum,
            bench =>
            {
                var shape = new FeatureShape(classes);
                float[] targets = bench.Random.Normal(batch * classes, deviation: deviation);
                Tensor reference = bench.Operand("reference", batch, shape, targets);
                Tensor logits = bench.Operand("logits", batch, shape, bench.Random.Normal(batch * classes, deviation: deviation));
                FloatBuffer divergences = bench.DestinationBuffer("divergences", batch);
                Tensor? referenceGradient = byReference ? bench.Updated("reference gradient", batch, shape) : null;
                Tensor? gradient = byLogits ? bench.Destination("gradient", batch, shape) : null;
                bench.Execute(
                    backend => backend.Divergence(reference, logits, divergences, referenceGradient, gradient, gradientScale));
            });

    private static OperationCase WithoutGradient(LossKind kind) =>
        new($"Loss {kind} without gradient", Tolerance.LongSum, bench =>
        {
            Tensor logits = bench.Operand("logits", 17, new FeatureShape(10));
            IntBuffer labels = bench.Integers(bench.Random.Integers(17, 10));
            FloatBuffer losses = bench.DestinationBuffer("losses", 17);
            FloatBuffer correct = bench.DestinationBuffer("correct", 17, Match.Exact);
            bench.Execute(backend => backend.Loss(kind, logits, labels, losses, correct, null, 1));
        });

    /// <summary>Equal largest logits: the first counts, for the prediction and as the margin's rival.</summary>
    private static OperationCase Ties(LossKind kind) =>
        new($"Loss {kind} with ties", Tolerance.LongSum, bench =>
        {
            float[] logits = Array.ConvertAll(bench.Random.Normal(33 * 5), MathF.Round);
            Execute(bench, kind, logits, bench.Random.Integers(33, 5), 1);
        });

    /// <summary>Logits whose exponentials overflow float32.</summary>
    private static OperationCase LargeLogits() =>
        new("Loss CrossEntropy of large logits", Tolerance.LongSum, bench =>
        {
            float[] logits = bench.Random.Normal(17 * 10, deviation: 1000);
            Execute(bench, LossKind.CrossEntropy, logits, bench.Random.Integers(17, 10), 1);
        });

    /// <summary>Margins above, at and below -50: the gradient vanishes at and beyond the kink.</summary>
    private static OperationCase MarginPastTheKink() =>
        new("Loss CarliniWagner at the kink", Tolerance.LongSum, bench =>
        {
            float[] logits = new float[6 * 3];
            float[] margins = [-49, -50, -51, 0, 40, -1000];
            for (int sample = 0; sample < 6; sample++)
            {
                logits[sample * 3 + sample % 3] = margins[sample];
                logits[sample * 3 + (sample + 1) % 3] = -2000;
            }
            Execute(bench, LossKind.CarliniWagner, logits, [0, 1, 2, 0, 1, 2], 0.5f);
        });

    private static void Execute(OperationBench bench, LossKind kind, float[] values, int[] labels, float gradientScale)
    {
        int batch = labels.Length;
        var shape = new FeatureShape(values.Length / batch);
        Tensor logits = bench.Operand("logits", batch, shape, values);
        IntBuffer classes = bench.Integers(labels);
        FloatBuffer losses = bench.DestinationBuffer("losses", batch);
        FloatBuffer correct = bench.DestinationBuffer("correct", batch, Match.Exact);
        Match match = kind == LossKind.CarliniWagner ? Match.Exact : Match.Close;
        Tensor gradient = bench.Destination("gradient", batch, shape, match);
        bench.Execute(backend => backend.Loss(kind, logits, classes, losses, correct, gradient, gradientScale));
    }
}
