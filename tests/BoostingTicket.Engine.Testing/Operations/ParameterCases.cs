using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>The optimizer step, masks and sums.</summary>
internal static class ParameterCases
{
    private static readonly int[] Lengths = [1, 15, 16, 17, 1000, 40013];

    public static IEnumerable<OperationCase> Cases()
    {
        foreach (int length in Lengths)
        {
            yield return Sgd(length, new SgdOptions(0.1f, 0.9f, 5e-4f), masked: false);
            yield return Sgd(length, new SgdOptions(0.1f, 0.9f, 5e-4f), masked: true);
            yield return Mask(length);
            yield return Blend(length, 0.0005f, 0.9995f);
            yield return Pack(length);
            yield return Unpack(length);
            yield return Sum(length);
        }
        yield return Sgd(1000, new SgdOptions(0.01f, 0, 0), masked: false);
        yield return Sgd(1000, new SgdOptions(0.01f, 0, 0), masked: true);
        yield return Sgd(1000, new SgdOptions(0, 0.9f, 1e-4f), masked: true);
        yield return Blend(1000, 1, 1);
        yield return BlendOfSlices();
        yield return SgdIgnoresPrunedGarbage();
        yield return SgdSteps();
        yield return SumOfSmallAndLarge();
        foreach (float value in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
            yield return SumOf(value);
    }

    private static OperationCase Sgd(int length, SgdOptions options, bool masked) =>
        new(
            $"SgdStep {length} values, rate {options.LearningRate:R} momentum {options.Momentum:R} "
            + $"decay {options.WeightDecay:R}{(masked ? " masked" : "")}",
            bench =>
            {
                BufferSlice gradients = bench.Operand("gradients", bench.Random.Normal(length));
                BufferSlice momenta = bench.Updated("momenta", bench.Random.Normal(length), Match.CloseWithExactZeros);
                BufferSlice? masks = masked ? bench.Operand("masks", Pattern(bench, length)) : null;
                BufferSlice weights = bench.Updated("weights", bench.Random.Normal(length), Match.CloseWithExactZeros);
                bench.Execute(backend => backend.SgdStep(options, gradients, momenta, masks, weights));
            });

    /// <summary>Pruned weights become 0 whatever their gradient and momentum hold.</summary>
    private static OperationCase SgdIgnoresPrunedGarbage() =>
        new("SgdStep over NaN and infinity at pruned weights", bench =>
        {
            float[] gradient = bench.Random.Normal(100), momentum = bench.Random.Normal(100), mask = Pattern(bench, 100);
            for (int i = 0; i < 100; i++)
            {
                if (mask[i] == 0)
                {
                    gradient[i] = i % 2 == 0 ? float.NaN : float.PositiveInfinity;
                    momentum[i] = i % 3 == 0 ? float.NaN : float.NegativeInfinity;
                }
            }
            BufferSlice gradients = bench.Operand("gradients", gradient);
            BufferSlice momenta = bench.Updated("momenta", momentum, Match.CloseWithExactZeros);
            BufferSlice masks = bench.Operand("masks", mask);
            BufferSlice weights = bench.Updated("weights", bench.Random.Normal(100), Match.CloseWithExactZeros);
            var options = new SgdOptions(0.1f, 0.9f, 5e-4f);
            bench.Execute(backend => backend.SgdStep(options, gradients, momenta, masks, weights));
        });

    private static OperationCase SgdSteps() =>
        new("SgdStep five times", Tolerance.LongSum, bench =>
        {
            BufferSlice gradients = bench.Operand("gradients", bench.Random.Normal(1000));
            BufferSlice momenta = bench.Updated("momenta", new float[1000], Match.CloseWithExactZeros);
            BufferSlice masks = bench.Operand("masks", Pattern(bench, 1000));
            BufferSlice weights = bench.Updated("weights", bench.Random.Normal(1000), Match.CloseWithExactZeros);
            bench.Execute(backend =>
            {
                for (int step = 0; step < 5; step++)
                    backend.SgdStep(new SgdOptions(0.1f / (step + 1), 0.9f, 5e-4f), gradients, momenta, masks, weights);
            });
        });

    /// <summary>Zeros have no sign, and what is pruned may be anything.</summary>
    private static OperationCase Mask(int length) =>
        new($"ApplyMask {length} values", bench =>
        {
            float[] values = bench.Random.Normal(length), pattern = Pattern(bench, length);
            for (int i = 0; i < length; i++)
            {
                if (pattern[i] == 0 && i % 3 == 0)
                    values[i] = i % 2 == 0 ? float.NaN : float.NegativeInfinity;
            }
            BufferSlice masks = bench.Operand("masks", pattern);
            BufferSlice masked = bench.Updated("values", values, Match.SameBits);
            bench.Execute(backend => backend.ApplyMask(masks, masked));
        });

    /// <summary>Where both are 0, as pruned weights and their average are, the result is exactly 0.</summary>
    private static OperationCase Blend(int length, float sourceFactor, float factor) =>
        new($"Blend {length} values, factors {sourceFactor:R} and {factor:R}", bench =>
        {
            float[] added = bench.Random.Normal(length), present = bench.Random.Normal(length);
            for (int i = 0; i < length; i += 3)
                added[i] = present[i] = 0;
            BufferSlice source = bench.Operand("source", added);
            BufferSlice values = bench.Updated("values", present, Match.CloseWithExactZeros);
            bench.Execute(backend => backend.Blend(source, sourceFactor, factor, values));
        });

    /// <summary>Slices that begin at addresses of different alignment.</summary>
    private static OperationCase BlendOfSlices() =>
        new("Blend of slices", bench =>
        {
            BufferSlice source = bench.Operand("source", bench.Random.Normal(1003));
            BufferSlice values = bench.Updated("values", bench.Random.Normal(1001));
            var part = new BufferSlice(source.Buffer, source.Offset + 2, 998);
            var target = new BufferSlice(values.Buffer, values.Offset + 1, 998);
            bench.Execute(backend => backend.Blend(part, -2, 0.5f, target));
        });

    /// <summary>Bits travel: also those of no number.</summary>
    private static OperationCase Pack(int length) =>
        new($"Pack of {length} values", bench =>
        {
            float[] present = bench.Random.Normal(length);
            present[length / 2] = float.NaN;
            int[] kept = Kept(bench, length);
            BufferSlice values = bench.Operand("values", present);
            BufferSlice packed = bench.Destination("packed", kept.Length, Match.SameBits);
            IntBuffer indices = bench.Integers(kept);
            bench.Execute(backend => backend.Pack(values, indices, packed));
        });

    private static OperationCase Unpack(int length) =>
        new($"Unpack to {length} values", bench =>
        {
            int[] kept = Kept(bench, length);
            BufferSlice packed = bench.Operand("packed", bench.Random.Normal(kept.Length));
            BufferSlice values = bench.Updated("values", bench.Random.Normal(length), Match.SameBits);
            IntBuffer indices = bench.Integers(kept);
            bench.Execute(backend => backend.Unpack(packed, indices, values));
        });

    // The last one always: none would be nothing to test.
    private static int[] Kept(OperationBench bench, int length)
    {
        float[] pattern = Pattern(bench, length);
        return [.. Enumerable.Range(0, length).Where(i => pattern[i] != 0 || i == length - 1)];
    }

    private static OperationCase Sum(int length) =>
        new($"Sum {length} values", Tolerance.Float64, bench =>
        {
            BufferSlice values = bench.Operand("values", bench.Random.Normal(length, mean: 1));
            bench.Execute(backend => bench.Result("sum", backend.Sum(values)));
        });

    /// <summary>A sum that float32 loses: each small value lies under the last place of the large one.</summary>
    private static OperationCase SumOfSmallAndLarge() =>
        new("Sum of small and large values", Tolerance.Float64, bench =>
        {
            float[] values = new float[10001];
            Array.Fill(values, 0.001f);
            values[0] = 100000;
            BufferSlice slice = bench.Operand("values", values);
            bench.Execute(backend => bench.Result("sum", backend.Sum(slice)));
        });

    private static OperationCase SumOf(float value) =>
        new($"Sum with {value}", Tolerance.Float64, bench =>
        {
            float[] values = bench.Random.Normal(100);
            values[77] = value;
            BufferSlice slice = bench.Operand("values", values);
            bench.Execute(backend => bench.Result("sum", backend.Sum(slice)));
        });

    private static float[] Pattern(OperationBench bench, int length) =>
        Array.ConvertAll(bench.Random.Uniform(length), value => value < 0.2f ? 1f : 0f);
}
