using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Operations in a row, over batches that fill no block: whatever a layout keeps where no sample is (a shift that
/// was added there, a normalised nothing) must not reach a statistic, a sum or a gradient.</summary>
internal static class ChainCases
{
    private static readonly FeatureShape Map = new(3, 4, 4);

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (int batch in (int[])[1, 5, 17])
        {
            yield return NormalizationOfShifted(batch);
            yield return FilterGradientOfShifted(batch);
            yield return GradientSumsAfterNormalization(batch);
            yield return GradientSumsAfterLoss(batch);
            yield return PerturbationOfShifted(batch);
            yield return PoolingOfShifted(batch);
            yield return PixelsIntoNormalization(batch);
            yield return AttackIntoNormalization(batch);
        }
    }

    /// <summary>A tensor that is computed by adding a shift, which a layout adds where no sample is, too.</summary>
    private sealed class Shifted
    {
        private readonly Tensor _source;
        private readonly BufferSlice _scale;
        private readonly BufferSlice _shift;

        public Shifted(
            OperationBench bench, string name, int batch, FeatureShape shape, float shift, float[] values, bool images = false)
        {
            float[] before = Array.ConvertAll(values, value => value - shift);
            _source = bench.Operand($"{name} before the shift", batch, shape, before, images);
            _scale = bench.Operand($"{name}'s scale", Repeat(1, shape.Channels));
            _shift = bench.Operand($"{name}'s shift", Repeat(shift, shape.Channels));
            Tensor = bench.Destination(name, batch, shape, images: images);
        }

        public Shifted(OperationBench bench, string name, int batch, FeatureShape shape)
            : this(bench, name, batch, shape, 3, bench.Random.Normal(batch * shape.Length))
        {
        }

        public Tensor Tensor { get; }

        public void Compute(IBackend backend) =>
            backend.ScaleForward(_source, _scale, Tensor, new ForwardEpilogue(_shift, null, Activation.None));

        private static float[] Repeat(float value, int length) => [.. Enumerable.Repeat(value, length)];
    }

    private static OperationCase NormalizationOfShifted(int batch) =>
        new($"NormalizationForward and Backward of shifted values, batch {batch}", Tolerance.LongSum, bench =>
        {
            var x = new Shifted(bench, "x", batch, Map);
            NormalizationOperands operands = NormalizationCases.Operands(bench, Map.Channels);
            var running = new RunningStatistics(
                bench.Updated("running mean", new float[3]), bench.Updated("running variance", [1, 1, 1]), 0.1f);
            Tensor y = bench.Destination("y", batch, Map), dy = bench.Operand("dy", batch, Map);
            Tensor dx = bench.Destination("dx", batch, Map);
            BufferSlice dScale = bench.Destination("dScale", 3), dShift = bench.Destination("dShift", 3);
            bench.Execute(backend =>
            {
                x.Compute(backend);
                backend.NormalizationForward(operands, running, x.Tensor, y, default);
                backend.NormalizationBackward(operands, x.Tensor, dy, dx, dScale, dShift, default);
            });
        });

    private static OperationCase FilterGradientOfShifted(int batch) =>
        new($"ConvolutionBackwardFilter of shifted values, batch {batch}", Tolerance.LongSum, bench =>
        {
            var shape = new ConvolutionShape(Map, 10, 3, 3, 1, 1);
            var x = new Shifted(bench, "x", batch, Map);
            Tensor dy = bench.Operand("dy", batch, shape.Output);
            BufferSlice weight = bench.Operand("weight", ConvolutionCases.Weights(bench, shape));
            BufferSlice dw = bench.Destination("dw", shape.WeightCount);
            Filter filter = bench.CreateFilter(shape, FilterUses.BackwardFilter);
            bench.Execute(backend =>
            {
                x.Compute(backend);
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                backend.ConvolutionBackwardFilter(filter, x.Tensor, dy, dw);
            });
        });

    /// <summary>The gradient that leaves a normalisation is a gradient like any other, also where no sample is.</summary>
    private static OperationCase GradientSumsAfterNormalization(int batch) =>
        new($"NormalizationBackward, then gradient sums, batch {batch}", Tolerance.LongSum, bench =>
        {
            ConvolutionShape shape = ConvolutionShape.Linear(Map, 10);
            var before = new ConvolutionShape(Map, 3, 1, 1, 1, 0);
            var x = new Shifted(bench, "x", batch, Map);
            NormalizationOperands operands = NormalizationCases.Operands(bench, Map.Channels);
            Tensor y = bench.Destination("y", batch, Map), dz = bench.Operand("dz", batch, shape.Output);
            Tensor dy = bench.Destination("dy", batch, Map), dx = bench.Destination("dx", batch, Map);
            Tensor addend = bench.Operand("addend", batch, Map);
            BufferSlice weight = bench.Operand("weight", ConvolutionCases.Weights(bench, shape));
            BufferSlice weightBefore = bench.Operand("weight before", ConvolutionCases.Weights(bench, before));
            BufferSlice db = bench.Destination("db", Map.Channels), dw = bench.Destination("dw", before.WeightCount);
            Filter filter = bench.CreateFilter(shape, FilterUses.BackwardInput);
            Filter filterBefore = bench.CreateFilter(before, FilterUses.BackwardFilter);
            bench.Execute(backend =>
            {
                x.Compute(backend);
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                backend.PrepareFilter(filterBefore, new FilterSource(weightBefore, null, 0, null));
                backend.NormalizationForward(operands, null, x.Tensor, y, default);
                backend.ConvolutionBackwardInput(filter, dz, dy, default);
                backend.NormalizationBackward(operands, x.Tensor, dy, dx, null, null, new GradientEpilogue(addend, null));
                backend.BiasBackward(dx, db);
                backend.ConvolutionBackwardFilter(filterBefore, x.Tensor, dx, dw);
            });
        });

    private static OperationCase GradientSumsAfterLoss(int batch) =>
        new($"Loss, then gradient sums, batch {batch}", Tolerance.LongSum, bench =>
        {
            ConvolutionShape shape = ConvolutionShape.Linear(new FeatureShape(17), 10);
            var x = new Shifted(bench, "x", batch, shape.Input);
            BufferSlice weight = bench.Operand("weight", ConvolutionCases.Weights(bench, shape));
            BufferSlice bias = bench.Operand("bias", bench.Random.Normal(10));
            Tensor logits = bench.Destination("logits", batch, shape.Output);
            Tensor gradient = bench.Destination("gradient", batch, shape.Output);
            IntBuffer labels = bench.Integers(bench.Random.Integers(batch, 10));
            FloatBuffer losses = bench.DestinationBuffer("losses", batch);
            FloatBuffer correct = bench.DestinationBuffer("correct", batch, Match.Exact);
            BufferSlice dw = bench.Destination("dw", shape.WeightCount), db = bench.Destination("db", 10);
            Filter filter = bench.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardFilter);
            bench.Execute(backend =>
            {
                x.Compute(backend);
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                backend.ConvolutionForward(filter, x.Tensor, logits, new ForwardEpilogue(bias, null, Activation.None));
                backend.Loss(LossKind.CrossEntropy, logits, labels, losses, correct, gradient, 1f / batch);
                backend.BiasBackward(gradient, db);
                backend.ConvolutionBackwardFilter(filter, x.Tensor, gradient, dw);
            });
        });

    private static OperationCase PerturbationOfShifted(int batch) =>
        new($"MeasurePerturbation of shifted values, batch {batch}", Tolerance.LongSum, bench =>
        {
            float[] pixels = bench.Random.Uniform(batch * Map.Length);
            float[] moved = [.. pixels.Zip(bench.Random.Normal(pixels.Length), (pixel, move) => pixel + 0.1f * move)];
            var clean = new Shifted(bench, "clean", batch, Map, 20, pixels, images: true);
            var adversarial = new Shifted(bench, "adversarial", batch, Map, -20, moved, images: true);
            bench.Execute(backend =>
            {
                clean.Compute(backend);
                adversarial.Compute(backend);
                PerturbationExtent extent = backend.MeasurePerturbation(clean.Tensor, adversarial.Tensor);
                bench.Result("largest perturbation", extent.LargestPerturbation);
                bench.Result("smallest", extent.Smallest);
                bench.Result("largest", extent.Largest);
            });
        });

    private static OperationCase PoolingOfShifted(int batch) =>
        new($"PoolBackward of shifted values, then a bias gradient, batch {batch}", Tolerance.LongSum, bench =>
        {
            var pool = new PoolShape(PoolKind.Max, 2, 2);
            var x = new Shifted(bench, "x", batch, Map);
            Tensor y = bench.Destination("y", batch, pool.Output(Map)), dy = bench.Operand("dy", batch, pool.Output(Map));
            Tensor dx = bench.Destination("dx", batch, Map);
            BufferSlice db = bench.Destination("db", Map.Channels);
            bench.Execute(backend =>
            {
                x.Compute(backend);
                backend.PoolForward(pool, x.Tensor, y);
                backend.PoolBackward(pool, x.Tensor, y, dy, dx, default);
                backend.BiasBackward(dx, db);
            });
        });

    private static OperationCase PixelsIntoNormalization(int batch) =>
        new($"GatherImages into NormalizationForward, batch {batch}", Tolerance.LongSum, bench =>
        {
            byte[] bytes = Array.ConvertAll(bench.Random.Integers(4 * Map.Length, 256), value => (byte)value);
            var requests = new ImageRequest[batch];
            for (int i = 0; i < batch; i++)
                requests[i] = new ImageRequest(i % 4, (sbyte)(i % 3 - 1), 1, i % 2 == 0);
            Tensor images = bench.Destination("images", batch, Map, Match.Exact, images: true);
            Tensor x = bench.Destination("x", batch, Map), y = bench.Destination("y", batch, Map);
            NormalizationOperands operands = NormalizationCases.Operands(bench, Map.Channels);
            bench.Execute(backend =>
            {
                ImageStore store = bench.Own(backend.CreateImageStore(bytes, Map));
                backend.GatherImages(store, requests, images);
                backend.Copy(images, x);
                backend.NormalizationForward(operands, null, x, y, default);
            });
        });

    private static OperationCase AttackIntoNormalization(int batch) =>
        new($"RandomStart and AttackStep into NormalizationForward, batch {batch}", Tolerance.LongSum, bench =>
        {
            Tensor clean = bench.Operand("clean", batch, Map, bench.Random.Uniform(batch * Map.Length), images: true);
            Tensor gradient = bench.Operand("gradient", batch, Map, images: true);
            IntBuffer samples = bench.Integers(bench.Random.Integers(batch, 50000));
            Tensor adversarial = bench.Destination("adversarial", batch, Map, images: true);
            Tensor x = bench.Destination("x", batch, Map), y = bench.Destination("y", batch, Map);
            NormalizationOperands operands = NormalizationCases.Operands(bench, Map.Channels);
            bench.Execute(backend =>
            {
                backend.RandomStart(clean, samples, 0.1f, new RandomStartKey(99, 0, 2), adversarial);
                backend.AttackStep(clean, gradient, 0.1f, 0.02f, adversarial);
                backend.Copy(adversarial, x);
                backend.NormalizationForward(operands, null, x, y, default);
            });
        });
}
