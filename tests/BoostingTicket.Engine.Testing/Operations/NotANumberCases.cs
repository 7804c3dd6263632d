using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>NaN reaches the loss, so that a diverged run is noticed: a ReLU makes negative values zero and NaN is none.</summary>
internal static class NotANumberCases
{
    private const int Batch = 5;
    private static readonly FeatureShape Map = new(3, 4, 4);

    public static IEnumerable<OperationCase> Cases()
    {
        yield return new OperationCase("ElementwiseForward of NaN relu", bench =>
        {
            Tensor x = WithNaN(bench), y = bench.Destination("y", Batch, Map);
            bench.Execute(backend => backend.ElementwiseForward(x, y, new ForwardEpilogue(null, null, Activation.Relu)));
        });
        yield return new OperationCase("ScaleForward of NaN relu", bench =>
        {
            Tensor x = WithNaN(bench), y = bench.Destination("y", Batch, Map);
            BufferSlice scale = bench.Operand("scale", [1, -2, 3]);
            bench.Execute(backend => backend.ScaleForward(x, scale, y, new ForwardEpilogue(null, null, Activation.Relu)));
        });
        yield return new OperationCase("NormalizationForward of NaN relu", Tolerance.LongSum, bench =>
        {
            Tensor x = WithNaN(bench), y = bench.Destination("y", Batch, Map);
            NormalizationOperands operands = NormalizationCases.Operands(bench, Map.Channels);
            bench.Execute(
                backend => backend.NormalizationForward(operands, null, x, y, new ForwardEpilogue(null, null, Activation.Relu)));
        });
        foreach (ConvolutionShape shape in (ConvolutionShape[])
            [new(Map, 10, 1, 1, 1, 0), new(Map, 10, 3, 3, 2, 1), ConvolutionShape.Linear(Map, 10)])
        {
            yield return new OperationCase(
                $"ConvolutionForward of NaN relu {ConvolutionCases.Describe(shape)}", Tolerance.LongSum, bench =>
                {
                    Tensor x = WithNaN(bench), y = bench.Destination("y", Batch, shape.Output);
                    BufferSlice weight = bench.Operand("weight", ConvolutionCases.Weights(bench, shape));
                    Filter filter = bench.CreateFilter(shape, FilterUses.Forward);
                    bench.Execute(backend =>
                    {
                        backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null));
                        backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(null, null, Activation.Relu));
                    });
                });
        }
        yield return new OperationCase("Loss CrossEntropy of NaN", bench =>
        {
            float[] values = bench.Random.Normal(Batch * 10);
            values[23] = float.NaN;
            values[27] = -100; // the label's logit: wrong, whatever a comparison makes of NaN
            Tensor logits = bench.Operand("logits", Batch, new FeatureShape(10), values);
            FloatBuffer losses = bench.DestinationBuffer("losses", Batch);
            FloatBuffer correct = bench.DestinationBuffer("correct", Batch);
            IntBuffer labels = bench.Integers(9, 8, 7, 6, 5);
            bench.Execute(backend => backend.Loss(LossKind.CrossEntropy, logits, labels, losses, correct, null, 1));
        });
    }

    private static Tensor WithNaN(OperationBench bench)
    {
        float[] values = bench.Random.Normal(Batch * Map.Length);
        values[30] = float.NaN;
        return bench.Operand("x", Batch, Map, values);
    }
}
