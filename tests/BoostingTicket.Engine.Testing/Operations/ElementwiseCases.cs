using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>ReLU, sums, and pooling.</summary>
internal static class ElementwiseCases
{
    private static readonly int[] Batches = [1, 5, 16, 17, 33];

    private static readonly (PoolShape Pool, FeatureShape Input)[] Pools =
    [
        (new(PoolKind.Max, 2, 2), new(3, 8, 8)),
        (new(PoolKind.Max, 2, 2), new(17, 5, 7)),
        (new(PoolKind.Max, 3, 2), new(10, 7, 7)),
        (new(PoolKind.Max, 3, 1), new(1, 6, 5)),
        (new(PoolKind.Max, 2, 3), new(10, 8, 9)),
        (new(PoolKind.Max, 4, 4), new(64, 4, 4)),
        (new(PoolKind.Max, 1, 1), new(3, 3, 3)),
        (new(PoolKind.Average, 2, 2), new(3, 8, 8)),
        (new(PoolKind.Average, 2, 2), new(17, 5, 7)),
        (new(PoolKind.Average, 2, 3), new(10, 8, 9)),
        (new(PoolKind.Average, 3, 3), new(10, 7, 8)),
        (new(PoolKind.Average, 4, 4), new(64, 4, 4)),
        (new(PoolKind.Average, 8, 8), new(16, 8, 8)),
    ];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (FeatureShape shape in (FeatureShape[])[new(1), new(10), new(3, 5, 7), new(17, 2, 3), new(64, 4, 4)])
        {
            foreach (int batch in Batches)
            {
                yield return Forward(shape, batch, new ForwardVariant(false, Summand.None, Activation.Relu), inPlace: false);
                yield return Backward(shape, batch, new GradientVariant(Summand.Separate, Activation.Relu), inPlace: false);
            }
        }
        var map = new FeatureShape(10, 3, 5);
        foreach (ForwardVariant variant in ForwardVariant.WithoutShift)
            yield return Forward(map, 18, variant, inPlace: false);
        foreach (ForwardVariant variant in ForwardVariant.WithoutShift.Where(variant => variant.Residual != Summand.Destination))
            yield return Forward(map, 18, variant, inPlace: true);
        foreach (GradientVariant variant in GradientVariant.All)
            yield return Backward(map, 18, variant, inPlace: false);
        foreach (GradientVariant variant in GradientVariant.All.Where(variant => variant.Addend != Summand.Destination))
            yield return Backward(map, 18, variant, inPlace: true);

        foreach ((PoolShape pool, FeatureShape input) in Pools)
        {
            foreach (int batch in (int[])[5, 17])
            {
                yield return PoolForward(pool, input, batch);
                yield return PoolBackward(pool, input, batch, new GradientVariant(Summand.None, Activation.None), ties: false);
            }
            yield return PoolBackward(pool, input, 18, new GradientVariant(Summand.Destination, Activation.Relu), ties: false);
            if (pool.Kind == PoolKind.Max)
                yield return PoolBackward(pool, input, 18, new GradientVariant(Summand.None, Activation.None), ties: true);
        }
        foreach (int batch in (int[])[1, 16, 33])
        {
            yield return PoolForward(Pools[1].Pool, Pools[1].Input, batch);
            yield return PoolForward(Pools[8].Pool, Pools[8].Input, batch);
        }
        foreach (GradientVariant variant in GradientVariant.All)
        {
            yield return PoolBackward(Pools[1].Pool, Pools[1].Input, 33, variant, ties: true);
            yield return PoolBackward(Pools[2].Pool, Pools[2].Input, 33, variant, ties: true);
            yield return PoolBackward(Pools[8].Pool, Pools[8].Input, 33, variant, ties: false);
        }
    }

    private static OperationCase Forward(FeatureShape shape, int batch, ForwardVariant variant, bool inPlace) =>
        new($"ElementwiseForward {shape} batch {batch}{variant}{(inPlace ? " in place" : "")}", bench =>
        {
            Tensor x, y;
            ForwardEpilogue epilogue;
            if (inPlace)
            {
                x = y = bench.Updated("x", batch, shape);
                Tensor? residual = variant.Residual == Summand.Separate ? bench.Operand("residual", batch, shape) : null;
                epilogue = new ForwardEpilogue(null, residual, variant.Activation);
            }
            else
            {
                x = bench.Operand("x", batch, shape);
                epilogue = variant.Declare(bench, batch, shape, out y);
            }
            bench.Execute(backend => backend.ElementwiseForward(x, y, epilogue));
        });

    private static OperationCase Backward(FeatureShape shape, int batch, GradientVariant variant, bool inPlace) =>
        new($"ElementwiseBackward {shape} batch {batch}{variant}{(inPlace ? " in place" : "")}", bench =>
        {
            Tensor dy, dx;
            GradientEpilogue epilogue;
            if (inPlace)
            {
                dy = dx = bench.Updated("dy", batch, shape, match: variant.ExactZeros);
                epilogue = new GradientEpilogue(
                    variant.Addend == Summand.Separate ? bench.Operand("addend", batch, shape) : null,
                    variant.Through(bench, batch, shape), variant.Activation);
            }
            else
            {
                dy = bench.Operand("dy", batch, shape);
                epilogue = variant.Declare(bench, batch, shape, out dx);
            }
            bench.Execute(backend => backend.ElementwiseBackward(dy, dx, epilogue));
        });

    private static OperationCase PoolForward(PoolShape pool, FeatureShape input, int batch) =>
        new($"PoolForward {Describe(pool)} {input} batch {batch}", bench =>
        {
            Tensor x = bench.Operand("x", batch, input);
            Match match = pool.Kind == PoolKind.Max ? Match.Exact : Match.Close;
            Tensor y = bench.Destination("y", batch, pool.Output(input), match);
            bench.Execute(backend => backend.PoolForward(pool, x, y));
        });

    /// <summary>With <paramref name="ties"/> the input is a ReLU's output in whole numbers: most windows hold their largest
    /// value, often 0, more than once.</summary>
    private static OperationCase PoolBackward(
        PoolShape pool, FeatureShape input, int batch, GradientVariant variant, bool ties) =>
        new($"PoolBackward {Describe(pool)} {input} batch {batch}{variant}{(ties ? " ties" : "")}", bench =>
        {
            float[] values = bench.Random.Normal(batch * input.Length);
            if (ties)
                values = Array.ConvertAll(values, value => MathF.Max(MathF.Round(value), 0));
            Tensor x = bench.Operand("x", batch, input, values);
            Tensor y = bench.Destination("y", batch, pool.Output(input));
            Tensor dy = bench.Operand("dy", batch, pool.Output(input));
            GradientEpilogue epilogue = variant.Declare(bench, batch, input, out Tensor dx, Match.CloseWithExactZeros);
            bench.Execute(backend =>
            {
                backend.PoolForward(pool, x, y);
                backend.PoolBackward(pool, x, y, dy, dx, epilogue);
            });
        });

    private static string Describe(PoolShape pool) => $"{pool.Kind} window {pool.Window} stride {pool.Stride}";
}
