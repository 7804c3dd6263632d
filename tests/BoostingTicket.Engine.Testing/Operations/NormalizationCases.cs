using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Batch normalisation, folding, and normalisation by constants.</summary>
internal static class NormalizationCases
{
    private const float Epsilon = 1e-5f;
    private static readonly int[] Batches = [1, 5, 16, 17, 33];

    private static readonly FeatureShape[] Maps = [new(1, 8, 8), new(3, 5, 7), new(10, 4, 4), new(17, 2, 3), new(64, 2, 2)];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (FeatureShape shape in (FeatureShape[])[.. Maps, new(10), new(500)])
        {
            foreach (int batch in Batches.Where(batch => batch * shape.Pixels > 1))
            {
                yield return Forward(
                    shape, batch, new ForwardVariant(false, Summand.None, Activation.None), batch != 16, inPlace: false);
                yield return Backward(
                    shape, batch, new GradientVariant(Summand.None, Activation.None), true, true, inPlace: false);
            }
        }
        foreach (ForwardVariant variant in ForwardVariant.WithoutShift)
            yield return Forward(Maps[1], 18, variant, running: true, inPlace: false);
        foreach (ForwardVariant variant in ForwardVariant.WithoutShift.Where(variant => variant.Residual != Summand.Destination))
            yield return Forward(Maps[1], 18, variant, running: false, inPlace: true);
        foreach (GradientVariant variant in GradientVariant.All)
            yield return Backward(Maps[1], 18, variant, true, true, inPlace: false);
        foreach (GradientVariant variant in GradientVariant.All.Where(variant => variant.Addend != Summand.Destination))
            yield return Backward(Maps[1], 18, variant, true, true, inPlace: true);
        yield return Backward(Maps[3], 5, new GradientVariant(Summand.None, Activation.None), true, false, inPlace: false);
        yield return Backward(Maps[3], 5, new GradientVariant(Summand.None, Activation.None), false, true, inPlace: false);
        yield return Backward(Maps[3], 5, new GradientVariant(Summand.None, Activation.None), false, false, inPlace: false);
        yield return FarFromZero();
        yield return ConstantChannel();
        foreach (int channels in (int[])[1, 10, 17, 64, 500])
        {
            yield return Fold(channels, withBias: false);
            yield return Fold(channels, withBias: true);
        }
        foreach (int batch in Batches)
        {
            yield return ScaleForward(Maps[3], batch, new ForwardVariant(true, Summand.None, Activation.None), inPlace: false);
            yield return ScaleBackward(Maps[3], batch, new GradientVariant(Summand.None, Activation.None), inPlace: false);
        }
        foreach (ForwardVariant variant in ForwardVariant.All)
            yield return ScaleForward(Maps[1], 18, variant, inPlace: false);
        foreach (ForwardVariant variant in ForwardVariant.All.Where(variant => variant.Residual != Summand.Destination))
            yield return ScaleForward(Maps[1], 18, variant, inPlace: true);
        foreach (GradientVariant variant in GradientVariant.All)
            yield return ScaleBackward(Maps[1], 18, variant, inPlace: false);
        foreach (GradientVariant variant in GradientVariant.All.Where(variant => variant.Addend != Summand.Destination))
            yield return ScaleBackward(Maps[1], 18, variant, inPlace: true);
    }

    /// <summary>γ, β and places for the saved statistics.</summary>
    internal static NormalizationOperands Operands(OperationBench bench, int channels) => new(
        bench.Operand("gamma", bench.Random.Normal(channels, mean: 1, deviation: 0.3f)),
        bench.Operand("beta", bench.Random.Normal(channels)),
        bench.Destination("saved mean", channels),
        bench.Destination("saved inverse deviation", channels),
        Epsilon);

    private static OperationCase Forward(
        FeatureShape shape, int batch, ForwardVariant variant, bool running, bool inPlace) =>
        new(
            $"NormalizationForward {shape} batch {batch}{variant}{(running ? " running" : "")}{(inPlace ? " in place" : "")}",
            Tolerance.LongSum,
            bench =>
            {
                NormalizationOperands operands = Operands(bench, shape.Channels);
                RunningStatistics? statistics = running ? Running(bench, shape.Channels) : null;
                float[] values = bench.Random.Normal(batch * shape.Length, mean: 0.5f, deviation: 2);
                ForwardEpilogue epilogue;
                Tensor x, y;
                if (inPlace)
                {
                    x = y = bench.Updated("x", batch, shape, values);
                    Tensor? residual = variant.Residual == Summand.Separate ? bench.Operand("residual", batch, shape) : null;
                    epilogue = new ForwardEpilogue(null, residual, variant.Activation);
                }
                else
                {
                    x = bench.Operand("x", batch, shape, values);
                    epilogue = variant.Declare(bench, batch, shape, out y);
                }
                bench.Execute(backend => backend.NormalizationForward(operands, statistics, x, y, epilogue));
            });

    private static OperationCase Backward(
        FeatureShape shape, int batch, GradientVariant variant, bool wantScale, bool wantShift, bool inPlace) =>
        new(
            $"NormalizationBackward {shape} batch {batch}{variant}{(wantScale ? "" : " no dScale")}"
            + $"{(wantShift ? "" : " no dShift")}{(inPlace ? " in place" : "")}",
            Tolerance.LongSum,
            bench =>
            {
                NormalizationOperands operands = Operands(bench, shape.Channels);
                float[] values = bench.Random.Normal(batch * shape.Length, mean: 0.5f, deviation: 2);
                Tensor x = bench.Operand("x", batch, shape, values), y = bench.Destination("y", batch, shape);
                float[] gradient = bench.Random.Normal(batch * shape.Length, mean: 0.25f);
                BufferSlice? dScale = wantScale ? bench.Destination("dScale", shape.Channels) : null;
                BufferSlice? dShift = wantShift ? bench.Destination("dShift", shape.Channels) : null;
                Tensor dy, dx;
                GradientEpilogue epilogue;
                if (inPlace)
                {
                    dy = dx = bench.Updated("dy", batch, shape, gradient);
                    epilogue = InPlaceEpilogue(bench, variant, batch, shape);
                }
                else
                {
                    dy = bench.Operand("dy", batch, shape, gradient);
                    epilogue = variant.Declare(bench, batch, shape, out dx);
                }
                bench.Execute(backend =>
                {
                    backend.NormalizationForward(operands, null, x, y, default);
                    backend.NormalizationBackward(operands, x, dy, dx, dScale, dShift, epilogue);
                });
            });

    /// <summary>A mean a thousand times the deviation: the variance must not be a difference of large squares.</summary>
    private static OperationCase FarFromZero() =>
        new("NormalizationForward far from zero", new Tolerance(1e-7, 3e-3), bench =>
        {
            var shape = new FeatureShape(3, 4, 4);
            NormalizationOperands operands = Operands(bench, 3);
            RunningStatistics running = Running(bench, 3);
            Tensor x = bench.Operand("x", 33, shape, bench.Random.Normal(33 * shape.Length, mean: 100, deviation: 0.1f));
            Tensor y = bench.Destination("y", 33, shape);
            bench.Execute(backend => backend.NormalizationForward(operands, running, x, y, default));
        });

    /// <summary>No variance at all: ε alone keeps the result finite.</summary>
    private static OperationCase ConstantChannel() =>
        new("NormalizationForward of a constant", Tolerance.LongSum, bench =>
        {
            var shape = new FeatureShape(3, 4, 4);
            NormalizationOperands operands = Operands(bench, 3);
            float[] values = new float[17 * shape.Length];
            Array.Fill(values, 0.75f);
            Tensor x = bench.Operand("x", 17, shape, values), y = bench.Destination("y", 17, shape);
            bench.Execute(backend => backend.NormalizationForward(operands, null, x, y, default));
        });

    private static OperationCase Fold(int channels, bool withBias) =>
        new($"FoldNormalization {channels} channels{(withBias ? " with bias" : "")}", bench =>
        {
            BufferSlice gamma = bench.Operand("gamma", bench.Random.Normal(channels, mean: 1));
            BufferSlice beta = bench.Operand("beta", bench.Random.Normal(channels));
            BufferSlice mean = bench.Operand("mean", bench.Random.Normal(channels));
            BufferSlice variance = bench.Operand("variance", bench.Random.Uniform(channels, 0.1f, 3));
            BufferSlice? bias = withBias ? bench.Operand("bias", bench.Random.Normal(channels)) : null;
            BufferSlice scale = bench.Destination("scale", channels), shift = bench.Destination("shift", channels);
            bench.Execute(
                backend => backend.FoldNormalization(gamma, beta, mean, variance, Epsilon, bias, scale, shift));
        });

    private static OperationCase ScaleForward(FeatureShape shape, int batch, ForwardVariant variant, bool inPlace) =>
        new($"ScaleForward {shape} batch {batch}{variant}{(inPlace ? " in place" : "")}", bench =>
        {
            BufferSlice scale = bench.Operand("scale", bench.Random.Normal(shape.Channels));
            Tensor x, y;
            ForwardEpilogue epilogue;
            if (inPlace)
            {
                x = y = bench.Updated("x", batch, shape);
                BufferSlice? shift = variant.Shift ? bench.Operand("shift", bench.Random.Normal(shape.Channels)) : null;
                Tensor? residual = variant.Residual == Summand.Separate ? bench.Operand("residual", batch, shape) : null;
                epilogue = new ForwardEpilogue(shift, residual, variant.Activation);
            }
            else
            {
                x = bench.Operand("x", batch, shape);
                epilogue = variant.Declare(bench, batch, shape, out y);
            }
            bench.Execute(backend => backend.ScaleForward(x, scale, y, epilogue));
        });

    private static OperationCase ScaleBackward(FeatureShape shape, int batch, GradientVariant variant, bool inPlace) =>
        new($"ScaleBackward {shape} batch {batch}{variant}{(inPlace ? " in place" : "")}", bench =>
        {
            BufferSlice scale = bench.Operand("scale", bench.Random.Normal(shape.Channels));
            Tensor dy, dx;
            GradientEpilogue epilogue;
            if (inPlace)
            {
                dy = dx = bench.Updated("dy", batch, shape);
                epilogue = InPlaceEpilogue(bench, variant, batch, shape);
            }
            else
            {
                dy = bench.Operand("dy", batch, shape);
                epilogue = variant.Declare(bench, batch, shape, out dx);
            }
            bench.Execute(backend => backend.ScaleBackward(dy, scale, dx, epilogue));
        });

    private static GradientEpilogue InPlaceEpilogue(
        OperationBench bench, GradientVariant variant, int batch, FeatureShape shape) => new(
        variant.Addend == Summand.Separate ? bench.Operand("addend", batch, shape) : null,
        variant.Through(bench, batch, shape), variant.Activation);

    private static RunningStatistics Running(OperationBench bench, int channels) => new(
        bench.Updated("running mean", bench.Random.Normal(channels)),
        bench.Updated("running variance", bench.Random.Uniform(channels, 0.5f, 2)),
        0.1f);
}
