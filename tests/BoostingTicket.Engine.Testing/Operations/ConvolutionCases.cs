using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Dense convolutions, linear layers and bias gradients.</summary>
internal static class ConvolutionCases
{
    private static readonly int[] Batches = [1, 5, 16, 17, 33];

    /// <summary>Kernels 1, 3 and 5, strides, paddings, channel counts that fill no block, non-square maps and kernels.</summary>
    private static readonly ConvolutionShape[] Spatial =
    [
        new(new FeatureShape(3, 5, 7), 10, 1, 1, 1, 0),
        new(new FeatureShape(64, 4, 4), 17, 1, 1, 1, 0),
        new(new FeatureShape(17, 7, 6), 64, 1, 1, 2, 0),
        new(new FeatureShape(1, 8, 8), 3, 3, 3, 1, 1),
        new(new FeatureShape(3, 9, 7), 17, 3, 3, 1, 1),
        new(new FeatureShape(3, 32, 32), 16, 3, 3, 1, 1),
        new(new FeatureShape(10, 8, 8), 10, 3, 3, 1, 0),
        new(new FeatureShape(16, 8, 8), 16, 3, 3, 1, 1),
        new(new FeatureShape(17, 12, 12), 3, 3, 3, 1, 1),
        new(new FeatureShape(64, 4, 4), 64, 3, 3, 1, 1),
        new(new FeatureShape(10, 6, 6), 33, 3, 3, 1, 1),
        new(new FeatureShape(16, 5, 5), 16, 3, 3, 1, 2),
        new(new FeatureShape(17, 8, 6), 10, 3, 3, 2, 1),
        new(new FeatureShape(64, 7, 5), 64, 3, 3, 2, 1),
        new(new FeatureShape(64, 16, 16), 64, 3, 3, 2, 1),
        new(new FeatureShape(64, 11, 14), 68, 3, 3, 1, 1),
        new(new FeatureShape(3, 8, 8), 10, 3, 3, 2, 0),
        new(new FeatureShape(3, 10, 10), 10, 3, 3, 3, 1),
        new(new FeatureShape(17, 1, 1), 10, 3, 3, 1, 1),
        new(new FeatureShape(64, 2, 2), 17, 3, 3, 2, 1),
        new(new FeatureShape(16, 2, 2), 16, 3, 3, 1, 1),
        new(new FeatureShape(1, 12, 12), 10, 5, 5, 1, 0),
        new(new FeatureShape(10, 8, 8), 17, 5, 5, 1, 2),
        new(new FeatureShape(3, 11, 9), 10, 5, 5, 2, 2),
        new(new FeatureShape(10, 6, 5), 3, 3, 1, 1, 0),
        new(new FeatureShape(3, 5, 6), 17, 1, 3, 1, 0),
        new(new FeatureShape(10, 6, 6), 10, 5, 3, 1, 1),
    ];

    private static readonly ConvolutionShape[] Linear =
    [
        ConvolutionShape.Linear(new FeatureShape(1), 1),
        ConvolutionShape.Linear(new FeatureShape(64), 10),
        ConvolutionShape.Linear(new FeatureShape(500), 10),
        ConvolutionShape.Linear(new FeatureShape(17), 64),
        ConvolutionShape.Linear(new FeatureShape(10, 3, 5), 3),
        ConvolutionShape.Linear(new FeatureShape(17, 4, 4), 10),
        ConvolutionShape.Linear(new FeatureShape(16, 5, 5), 64),
    ];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (ConvolutionShape shape in Spatial)
        {
            foreach (int batch in (int[])[5, 17])
                yield return Forward(shape, batch, new ForwardVariant(false, Summand.None, Activation.None));
            foreach (int batch in (int[])[5, 17])
                yield return BackwardInput(shape, batch, new GradientVariant(Summand.None, Activation.None));
            foreach (int batch in (int[])[5, 17])
                yield return BackwardFilter(shape, batch);
        }
        foreach (ConvolutionShape shape in (ConvolutionShape[])[.. Linear, Spatial[7], Spatial[12]])
        {
            foreach (int batch in Batches.Where(batch => shape.IsLinear || batch is not 5 and not 17))
            {
                yield return Forward(shape, batch, new ForwardVariant(true, Summand.None, Activation.Relu));
                yield return BackwardInput(shape, batch, new GradientVariant(Summand.None, Activation.Relu));
                yield return BackwardFilter(shape, batch);
            }
        }
        foreach (ConvolutionShape shape in (ConvolutionShape[])[Spatial[1], Spatial[4], Spatial[7], Spatial[12], Linear[5]])
        {
            foreach (ForwardVariant variant in ForwardVariant.All)
                yield return Forward(shape, 18, variant);
            foreach (GradientVariant variant in GradientVariant.All)
                yield return BackwardInput(shape, 18, variant);
        }
        foreach (ConvolutionShape shape in (ConvolutionShape[])[Spatial[1], Spatial[7], Spatial[12], Linear[5]])
        {
            foreach (GradientVariant variant in GradientVariant.All)
                yield return BackwardInputScaled(shape, variant, Summand.Separate);
            yield return BackwardInputScaled(shape, new GradientVariant(Summand.None, Activation.Relu), Summand.Destination);
            yield return BackwardInputScaled(shape, new GradientVariant(Summand.Separate, Activation.Relu), Summand.Destination);
            yield return BackwardInputScaled(shape, new GradientVariant(Summand.None, Activation.Relu), Summand.None);
        }
        yield return Refreshed(Spatial[7]);
        yield return Refreshed(Spatial[12]);
        yield return Refreshed(Linear[5]);
        foreach (ConvolutionShape shape in (ConvolutionShape[])[Spatial[1], Spatial[7], Spatial[12], Linear[5]])
        {
            yield return Scaled(shape);
            yield return InTurn(shape);
        }
        foreach (int batch in Batches)
        {
            yield return Bias(new FeatureShape(10), batch);
            yield return Bias(new FeatureShape(17, 3, 5), batch);
            yield return Bias(new FeatureShape(1, 8, 8), batch);
        }
    }

    /// <summary>The layers that are timed, in all three passes.</summary>
    public static IEnumerable<OperationCase> Layers() => LayerShapes.All.Values.SelectMany(shape => (OperationCase[])
    [
        Forward(shape, 1, new ForwardVariant(false, Summand.None, Activation.None)),
        BackwardInput(shape, 1, new GradientVariant(Summand.None, Activation.None)),
        BackwardFilter(shape, 1),
    ]);

    /// <summary>Random weights whose outputs have the inputs' size.</summary>
    internal static float[] Weights(OperationBench bench, ConvolutionShape shape) => bench.Random.Normal(
        shape.WeightCount, deviation: MathF.Sqrt((float)shape.OutputChannels / shape.WeightCount));

    internal static string Describe(ConvolutionShape shape) => shape.IsLinear
        ? $"{shape.Input}->{shape.OutputChannels} linear"
        : $"{shape.Input}->{shape.OutputChannels} k{shape.KernelHeight}x{shape.KernelWidth} s{shape.Stride} p{shape.Padding}";

    private static OperationCase Forward(ConvolutionShape shape, int batch, ForwardVariant variant) =>
        new($"ConvolutionForward {Describe(shape)} batch {batch}{variant}", Tolerance.LongSum, bench =>
        {
            Tensor x = bench.Operand("x", batch, shape.Input);
            BufferSlice weight = bench.Operand("weight", Weights(bench, shape));
            ForwardEpilogue epilogue = variant.Declare(bench, batch, shape.Output, out Tensor y);
            Filter filter = bench.CreateFilter(shape, FilterUses.Forward);
            bench.Execute(backend =>
            {
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null, epilogue.Shift));
                backend.ConvolutionForward(filter, x, y, epilogue);
            });
        });

    private static OperationCase BackwardInput(ConvolutionShape shape, int batch, GradientVariant variant) =>
        new($"ConvolutionBackwardInput {Describe(shape)} batch {batch}{variant}", Tolerance.LongSum, bench =>
        {
            Tensor dy = bench.Operand("dy", batch, shape.Output);
            BufferSlice weight = bench.Operand("weight", Weights(bench, shape));
            GradientEpilogue epilogue = variant.Declare(bench, batch, shape.Input, out Tensor dx);
            Filter filter = bench.CreateFilter(shape, FilterUses.BackwardInput);
            bench.Execute(backend =>
            {
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                backend.ConvolutionBackwardInput(filter, dy, dx, epilogue);
            });
        });

    /// <summary>The gradient goes on through a normalisation by constants. A backend that does not do that in one operation does
    /// it in two, as plans do.</summary>
    private static OperationCase BackwardInputScaled(ConvolutionShape shape, GradientVariant variant, Summand summand) =>
        new($"ConvolutionBackwardInputScaled {Describe(shape)}{variant} sum {summand}", Tolerance.LongSum, bench =>
        {
            const int Batch = 18;
            Tensor dy = bench.Operand("dy", Batch, shape.Output);
            BufferSlice weight = bench.Operand("weight", Weights(bench, shape));
            BufferSlice scale = bench.Operand("scale", bench.Random.Normal(shape.Input.Channels, mean: 1));
            Tensor? last = summand == Summand.Separate ? bench.Operand("summand", Batch, shape.Input) : null;
            Tensor? addend = variant.Addend == Summand.Separate ? bench.Operand("addend", Batch, shape.Input) : null;
            Tensor? through = variant.Through(bench, Batch, shape.Input);
            bool updates = summand == Summand.Destination || variant.Addend == Summand.Destination;
            Tensor dx = updates ? bench.Updated("dx", Batch, shape.Input) : bench.Destination("dx", Batch, shape.Input);
            var epilogue = new GradientEpilogue(
                variant.Addend == Summand.Destination ? dx : addend, through, variant.Activation);
            Tensor? before = summand == Summand.Destination ? bench.Destination("before", Batch, shape.Input, Match.Exact) : null;
            Filter filter = bench.CreateFilter(shape, FilterUses.BackwardInput);
            bench.Execute(backend =>
            {
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                if (before is not null)
                    backend.Copy(dx, before);
                if (backend.ScalesInputGradients)
                {
                    backend.ConvolutionBackwardInputScaled(filter, dy, dx, epilogue, scale, before is null ? last : dx);
                    return;
                }
                backend.ConvolutionBackwardInput(filter, dy, dx, epilogue);
                backend.ScaleBackward(dx, scale, dx, new GradientEpilogue(before ?? last, null));
            });
        });

    private static OperationCase BackwardFilter(ConvolutionShape shape, int batch) =>
        new($"ConvolutionBackwardFilter {Describe(shape)} batch {batch}", Tolerance.LongSum, bench =>
        {
            Tensor x = bench.Operand("x", batch, shape.Input), dy = bench.Operand("dy", batch, shape.Output);
            BufferSlice weight = bench.Operand("weight", Weights(bench, shape));
            BufferSlice dw = bench.Destination("dw", shape.WeightCount);
            Filter filter = bench.CreateFilter(shape, FilterUses.BackwardFilter);
            bench.Execute(backend =>
            {
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                backend.ConvolutionBackwardFilter(filter, x, dy, dw);
            });
        });

    /// <summary>One filter for all uses that is prepared, used, and prepared again after its weights changed.</summary>
    private static OperationCase Refreshed(ConvolutionShape shape) =>
        new($"PrepareFilter again {Describe(shape)}", Tolerance.LongSum, bench =>
        {
            Tensor x = bench.Operand("x", 17, shape.Input), dy = bench.Operand("dy", 17, shape.Output);
            float[] first = Weights(bench, shape), second = Weights(bench, shape);
            BufferSlice weight = bench.Updated("weight", first, Match.Exact);
            Tensor firstY = bench.Destination("first y", 17, shape.Output);
            Tensor y = bench.Destination("y", 17, shape.Output), dx = bench.Destination("dx", 17, shape.Input);
            BufferSlice dw = bench.Destination("dw", shape.WeightCount);
            Filter filter = bench.CreateFilter(
                shape, FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter);
            bench.Execute(backend =>
            {
                var source = new FilterSource(weight, null, 0, null);
                backend.PrepareFilter(filter, source);
                backend.ConvolutionForward(filter, x, firstY, default);
                backend.Upload(second, weight);
                backend.PrepareFilter(filter, source);
                backend.ConvolutionForward(filter, x, y, default);
                backend.ConvolutionBackwardInput(filter, dy, dx, default);
                backend.ConvolutionBackwardFilter(filter, x, dy, dw);
            });
        });

    /// <summary>A folded normalisation: a factor for each output channel, prepared into the weights.</summary>
    private static OperationCase Scaled(ConvolutionShape shape) =>
        new($"PrepareFilter scaled {Describe(shape)}", Tolerance.LongSum, bench =>
        {
            Tensor x = bench.Operand("x", 5, shape.Input), dy = bench.Operand("dy", 5, shape.Output);
            BufferSlice weight = bench.Operand("weight", Weights(bench, shape));
            BufferSlice scale = bench.Operand("scale", bench.Random.Normal(shape.OutputChannels, mean: 1));
            BufferSlice shift = bench.Operand("shift", bench.Random.Normal(shape.OutputChannels));
            Tensor y = bench.Destination("y", 5, shape.Output), dx = bench.Destination("dx", 5, shape.Input);
            Filter filter = bench.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput);
            bench.Execute(backend =>
            {
                backend.PrepareFilter(filter, new FilterSource(weight, null, 0, scale, shift));
                backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(shift, null, Activation.Relu));
                backend.ConvolutionBackwardInput(filter, dy, dx, default);
            });
        });

    /// <summary>Two plans that share a filter: one with a bias, one with a folded normalisation; and a shift that changes in
    /// between.</summary>
    private static OperationCase InTurn(ConvolutionShape shape) =>
        new($"PrepareFilter in turn {Describe(shape)}", Tolerance.LongSum, bench =>
        {
            Tensor x = bench.Operand("x", 5, shape.Input);
            BufferSlice weight = bench.Operand("weight", Weights(bench, shape));
            BufferSlice scale = bench.Operand("scale", bench.Random.Normal(shape.OutputChannels, mean: 1));
            BufferSlice bias = bench.Operand("bias", bench.Random.Normal(shape.OutputChannels));
            float[] second = bench.Random.Normal(shape.OutputChannels);
            BufferSlice shift = bench.Updated("shift", bench.Random.Normal(shape.OutputChannels), Match.Exact);
            Tensor[] y = [.. Enumerable.Range(0, 4).Select(i => bench.Destination($"y{i}", 5, shape.Output))];
            Filter filter = bench.CreateFilter(shape, FilterUses.Forward);
            bench.Execute(backend =>
            {
                var plain = new FilterSource(weight, null, 0, null, bias);
                var folded = new FilterSource(weight, null, 0, scale, shift);
                for (int i = 0; i < y.Length; i++)
                {
                    backend.PrepareFilter(filter, i % 2 == 0 ? plain : folded);
                    Activation activation = i < 2 ? Activation.Relu : Activation.None;
                    backend.ConvolutionForward(
                        filter, x, y[i], new ForwardEpilogue(i % 2 == 0 ? bias : shift, null, activation));
                    if (i == 1)
                        backend.Upload(second, shift);
                }
            });
        });

    private static OperationCase Bias(FeatureShape shape, int batch) =>
        new($"BiasBackward {shape} batch {batch}", Tolerance.LongSum, bench =>
        {
            Tensor dy = bench.Operand("dy", batch, shape, bench.Random.Normal(batch * shape.Length, mean: 0.25f));
            BufferSlice db = bench.Destination("db", shape.Channels);
            bench.Execute(backend => backend.BiasBackward(dy, db));
        });
}
