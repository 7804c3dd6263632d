using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>A filter that remembers what it was prepared from, so that one that is out of date is refused.</summary>
internal sealed class ReferenceFilter(ConvolutionShape shape, FilterUses uses) : Filter(shape, uses)
{
    private double[]? _source;
    private double[]? _mask;
    private double[]? _prepared;
    private BufferSlice _weight;
    private int _maskVersion;
    private bool _scaled;
    private bool _disposed;

    public override long Bytes => (_prepared?.Length ?? 0) * sizeof(double);

    public override void Dispose() => _disposed = true;

    public void Prepare(in FilterSource source)
    {
        var scope = new OperationScope("PrepareFilter");
        scope.Require(!_disposed, "the filter was disposed.");
        ReadOnlySpan<double> weight = scope.Read(source.Weight, "weight", Shape.WeightCount);
        ReadOnlySpan<double> mask = scope.ReadOptional(source.Mask, "mask", Shape.WeightCount);
        ReadOnlySpan<double> scale = scope.ReadOptional(source.Scale, "scale", Shape.OutputChannels);
        for (int i = 0; i < mask.Length; i++)
        {
            scope.Require(mask[i] is 0 or 1, $"mask value {i} is {mask[i]}, neither 0 nor 1.");
            scope.Require(mask[i] == 1 || weight[i] == 0, $"weight {i} is pruned but holds {weight[i]}.");
        }
        if (_prepared is not null && _maskVersion == source.MaskVersion)
        {
            bool same = _mask is null ? source.Mask is null : source.Mask is not null && mask.SequenceEqual(_mask);
            scope.Require(same, $"the mask changed and its version is still {source.MaskVersion}.");
        }

        _source = weight.ToArray();
        _mask = source.Mask is null ? null : mask.ToArray();
        _maskVersion = source.MaskVersion;
        _weight = source.Weight;
        _scaled = source.Scale is not null;
        _prepared = weight.ToArray();
        int perChannel = Shape.WeightCount / Shape.OutputChannels;
        if (_scaled)
        {
            for (int i = 0; i < _prepared.Length; i++)
                _prepared[i] *= scale[i / perChannel];
        }
    }

    /// <summary>The prepared weights, after making sure that they are there, up to date and meant for this use.</summary>
    public static double[] Weights(Filter filter, FilterUses use, OperationScope scope)
    {
        if (filter is not ReferenceFilter reference)
            throw new ContractException($"{scope.Name}: the filter belongs to another backend.");
        scope.Require(!reference._disposed, "the filter was disposed.");
        scope.Require(
            filter.Uses.HasFlag(use), $"the filter was made for {filter.Uses}, not for {use}.");
        if (reference._prepared is not { } prepared)
            throw new ContractException($"{scope.Name}: the filter was never prepared.");
        scope.Require(
            scope.Read(reference._weight, "the filter's weight", prepared.Length).SequenceEqual(reference._source),
            "the weights changed since the filter was prepared.");
        scope.Require(
            use != FilterUses.BackwardFilter || !reference._scaled,
            "a filter prepared with a scale has no defined weight gradient.");
        return prepared;
    }
}
