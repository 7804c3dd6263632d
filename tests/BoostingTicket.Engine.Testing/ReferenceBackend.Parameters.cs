using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

internal partial class ReferenceBackend
{
    /// <inheritdoc/>
    public virtual void SgdStep(
        in SgdOptions options, BufferSlice gradients, BufferSlice momenta, BufferSlice? masks, BufferSlice weights)
    {
        var scope = new OperationScope(nameof(SgdStep));
        int length = weights.Length;
        ReadOnlySpan<double> gradient = scope.Read(gradients, nameof(gradients), length);
        ReadOnlySpan<double> mask = scope.ReadOptional(masks, nameof(masks), length);
        double[] momentum = scope.Update(momenta, nameof(momenta), length);
        double[] weight = scope.Update(weights, nameof(weights), length);
        for (int i = 0; i < length; i++)
        {
            RequireMaskValue(scope, mask, i);
            bool kept = mask.IsEmpty || mask[i] != 0;
            double slope = gradient[i] + options.WeightDecay * weight[i];
            momentum[i] = kept ? options.Momentum * momentum[i] + slope : 0;
            weight[i] = kept ? weight[i] - options.LearningRate * momentum[i] : 0;
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void ApplyMask(BufferSlice masks, BufferSlice values)
    {
        var scope = new OperationScope(nameof(ApplyMask));
        ReadOnlySpan<double> mask = scope.Read(masks, nameof(masks), values.Length);
        double[] result = scope.Update(values, nameof(values), values.Length);
        for (int i = 0; i < result.Length; i++)
        {
            RequireMaskValue(scope, mask, i);
            result[i] = mask[i] != 0 ? result[i] : 0;
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void Blend(BufferSlice source, float sourceFactor, float factor, BufferSlice values)
    {
        var scope = new OperationScope(nameof(Blend));
        ReadOnlySpan<double> added = scope.Read(source, nameof(source), values.Length);
        double[] result = scope.Update(values, nameof(values), values.Length);
        for (int i = 0; i < result.Length; i++)
            result[i] = factor * result[i] + sourceFactor * added[i];
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void Pack(BufferSlice values, IntBuffer indices, BufferSlice packed)
    {
        var scope = new OperationScope(nameof(Pack));
        ReadOnlySpan<double> from = scope.Read(values, nameof(values), values.Length);
        int[] places = ReferenceInts.Values(indices, scope.Name, nameof(indices));
        double[] result = scope.Write(packed, nameof(packed), packed.Length);
        scope.Require(places.Length >= result.Length, $"{places.Length} indices are too few.");
        for (int i = 0; i < result.Length; i++)
            result[i] = from[places[i]];
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void Unpack(BufferSlice packed, IntBuffer indices, BufferSlice values)
    {
        var scope = new OperationScope(nameof(Unpack));
        ReadOnlySpan<double> from = scope.Read(packed, nameof(packed), packed.Length);
        int[] places = ReferenceInts.Values(indices, scope.Name, nameof(indices));
        double[] result = scope.Update(values, nameof(values), values.Length);
        scope.Require(places.Length >= from.Length, $"{places.Length} indices are too few.");
        scope.Require(places.Take(from.Length).Distinct().Count() == from.Length, "an index comes twice.");
        for (int i = 0; i < from.Length; i++)
            result[places[i]] = from[i];
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual double Sum(BufferSlice values)
    {
        double sum = 0;
        foreach (double value in new OperationScope(nameof(Sum)).Read(values, nameof(values), values.Length))
            sum += value;
        return sum;
    }

    private static void RequireMaskValue(OperationScope scope, ReadOnlySpan<double> mask, int index) =>
        scope.Require(mask.IsEmpty || mask[index] is 0 or 1, $"mask value {index} is neither 0 nor 1.");
}
