using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Convolutions with pruned weights.</summary>
internal static class SparseConvolutionCases
{
    private static readonly ConvolutionShape[] Shapes =
    [
        new(new FeatureShape(64, 4, 4), 17, 1, 1, 1, 0),
        new(new FeatureShape(3, 9, 7), 17, 3, 3, 1, 1),
        new(new FeatureShape(16, 8, 8), 16, 3, 3, 1, 1),
        new(new FeatureShape(17, 8, 6), 10, 3, 3, 2, 1),
        new(new FeatureShape(10, 8, 8), 17, 5, 5, 1, 2),
        ConvolutionShape.Linear(new FeatureShape(17, 4, 4), 10),
        ConvolutionShape.Linear(new FeatureShape(500), 64),
    ];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (ConvolutionShape shape in Shapes)
        {
            foreach (float density in (float[])[0, 0.02f, 0.1f, 0.2f, 0.5f, 1])
            {
                foreach (int batch in (int[])[5, 17])
                {
                    yield return AllUses(
                        $"to {100 * density:F0} %", shape, batch, bench => Pattern(bench, shape, density));
                }
            }
            yield return AllUses("to one weight", shape, 33, _ => Where(shape, i => i == shape.WeightCount / 2));
            int filter = shape.WeightCount / shape.OutputChannels, taps = shape.KernelHeight * shape.KernelWidth;
            yield return AllUses("to every other filter", shape, 33, _ => Where(shape, i => i / filter % 2 == 1));
            yield return AllUses("to every other channel", shape, 33, _ => Where(shape, i => i / taps % 2 == 1));
            yield return Repruned(shape);
            foreach (Activation activation in ActivationTruth.All)
                yield return Epilogues(shape, activation);
        }
    }

    private static OperationCase AllUses(
        string pruning, ConvolutionShape shape, int batch, Func<OperationBench, float[]> createPattern) =>
        new(
            $"PrepareFilter pruned {pruning} {ConvolutionCases.Describe(shape)} batch {batch}",
            Tolerance.LongSum,
            bench =>
            {
                float[] pattern = createPattern(bench);
                Operands operands = Declare(bench, shape, batch, pattern);
                BufferSlice weight = bench.Operand("weight", Pruned(ConvolutionCases.Weights(bench, shape), pattern));
                BufferSlice mask = bench.Operand("mask", pattern);
                bench.Execute(backend =>
                {
                    backend.PrepareFilter(operands.Filter, new FilterSource(weight, mask, 7, null));
                    backend.ConvolutionForward(operands.Filter, operands.X, operands.Y, default);
                    backend.ConvolutionBackwardInput(operands.Filter, operands.Dy, operands.Dx, default);
                    backend.ConvolutionBackwardFilter(operands.Filter, operands.X, operands.Dy, operands.Dw);
                });
            });

    /// <summary>New weights under an old mask, then a new mask, then no mask.</summary>
    private static OperationCase Repruned(ConvolutionShape shape) =>
        new($"PrepareFilter pruned again {ConvolutionCases.Describe(shape)}", Tolerance.LongSum, bench =>
        {
            const int Batch = 5;
            float[] dense = ConvolutionCases.Weights(bench, shape), other = ConvolutionCases.Weights(bench, shape);
            float[] first = Pattern(bench, shape, 0.3f), second = Pattern(bench, shape, 0.1f);
            BufferSlice weight = bench.Updated("weight", Pruned(dense, first), Match.Exact);
            BufferSlice mask = bench.Updated("mask", first, Match.Exact);
            Tensor x = bench.Operand("x", Batch, shape.Input), dy = bench.Operand("dy", Batch, shape.Output);
            Tensor[] y = [.. Enumerable.Range(0, 4).Select(i => bench.Destination($"y {i}", Batch, shape.Output))];
            Tensor[] dx = [.. Enumerable.Range(0, 4).Select(i => bench.Destination($"dx {i}", Batch, shape.Input))];
            Filter filter = bench.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput);
            bench.Execute(backend =>
            {
                Step(0, Pruned(dense, first), first, 1, true);
                Step(1, Pruned(other, first), first, 1, true);
                Step(2, Pruned(dense, second), second, 2, true);
                Step(3, dense, second, 3, false);

                void Step(int step, float[] weights, float[] pattern, int version, bool masked)
                {
                    backend.Upload(weights, weight);
                    backend.Upload(pattern, mask);
                    backend.PrepareFilter(filter, new FilterSource(weight, masked ? mask : null, version, null));
                    backend.ConvolutionForward(filter, x, y[step], default);
                    backend.ConvolutionBackwardInput(filter, dy, dx[step], default);
                }
            });
        });

    /// <summary>Sparse kernels with everything an epilogue can hold, and folded scales.</summary>
    private static OperationCase Epilogues(ConvolutionShape shape, Activation activation) =>
        new($"PrepareFilter pruned and scaled {ConvolutionCases.Describe(shape)} {activation}", Tolerance.LongSum, bench =>
        {
            const int Batch = 17;
            float[] pattern = Pattern(bench, shape, 0.1f);
            BufferSlice weight = bench.Operand("weight", Pruned(ConvolutionCases.Weights(bench, shape), pattern));
            BufferSlice mask = bench.Operand("mask", pattern);
            BufferSlice scale = bench.Operand("scale", bench.Random.Normal(shape.OutputChannels, mean: 1));
            Tensor x = bench.Operand("x", Batch, shape.Input), dy = bench.Operand("dy", Batch, shape.Output);
            ForwardEpilogue forward = new ForwardVariant(true, Summand.Destination, activation)
                .Declare(bench, Batch, shape.Output, out Tensor y);
            GradientEpilogue gradient = new GradientVariant(Summand.Destination, activation)
                .Declare(bench, Batch, shape.Input, out Tensor dx);
            Filter filter = bench.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput);
            bench.Execute(backend =>
            {
                backend.PrepareFilter(filter, new FilterSource(weight, mask, 1, scale));
                backend.ConvolutionForward(filter, x, y, forward);
                backend.ConvolutionBackwardInput(filter, dy, dx, gradient);
            });
        });

    private sealed record Operands(Filter Filter, Tensor X, Tensor Dy, Tensor Y, Tensor Dx, BufferSlice Dw);

    private static Operands Declare(OperationBench bench, ConvolutionShape shape, int batch, float[] pattern) => new(
        bench.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter),
        bench.Operand("x", batch, shape.Input),
        bench.Operand("dy", batch, shape.Output),
        bench.Destination("y", batch, shape.Output),
        bench.Destination("dx", batch, shape.Input),
        bench.Destination("dw", shape.WeightCount, mayBeZero: Array.ConvertAll(pattern, value => value == 0)));

    private static float[] Where(ConvolutionShape shape, Func<int, bool> kept) =>
        [.. Enumerable.Range(0, shape.WeightCount).Select(i => kept(i) ? 1f : 0f)];

    private static float[] Pattern(OperationBench bench, ConvolutionShape shape, float density) =>
        Array.ConvertAll(bench.Random.Uniform(shape.WeightCount), value => value < density ? 1f : 0f);

    private static float[] Pruned(float[] weights, float[] pattern) =>
        [.. weights.Zip(pattern, (weight, kept) => kept == 0 ? 0 : weight)];
}
