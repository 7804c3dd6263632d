using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph.Layers;

/// <summary><c>(x - mean) / deviation</c> for each channel, as the first layer of a network, so that attacks and images stay
/// in pixel units in [0, 1].</summary>
internal sealed class InputNormalization : Layer
{
    private readonly float[] _scale;
    private readonly float[] _shift;

    /// <summary>Normalises by fixed constants.</summary>
    /// <param name="mean">Mean of each channel, in [0, 1] pixel units.</param>
    /// <param name="deviation">Standard deviation of each channel, positive.</param>
    public InputNormalization(IReadOnlyList<float> mean, IReadOnlyList<float> deviation)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(deviation);
        if (mean.Count != deviation.Count || deviation.Any(value => !(value > 0)))
            throw new ArgumentException("mean and deviation need one value a channel, deviations positive.");
        Mean = [.. mean];
        Deviation = [.. deviation];
        _scale = [.. deviation.Select(value => (float)(1.0 / value))];
        _shift = [.. mean.Zip(deviation, (m, d) => (float)(-(double)m / d))];
    }

    /// <summary>What a channel's values are multiplied by.</summary>
    public IReadOnlyList<float> Scale => _scale;

    /// <summary>What is added to a channel's products.</summary>
    public IReadOnlyList<float> Shift => _shift;

    /// <summary>Mean of each channel.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel.</summary>
    public IReadOnlyList<float> Deviation { get; }

    /// <inheritdoc/>
    public override FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs) => inputs[0].Channels == _scale.Length
        ? inputs[0]
        : throw new ArgumentException($"normalisation constants for {_scale.Length} channels do not fit {inputs[0]}.");

    /// <inheritdoc/>
    public override void Lower(ILowering lowering, Node node)
    {
        Value x = lowering.ValueOf(node.Inputs[0]);
        BufferSlice scale = lowering.Constants(_scale), shift = lowering.Constants(_shift);
        Value y = lowering.Define(node);
        lowering.Forward(OperationKind.Normalization, node, [x], [y],
            backend => backend.ScaleForward(x.Tensor, scale, y.Tensor, new ForwardEpilogue(shift, null, Activation.None)));
        lowering.Backward(() => lowering.ScaleGradient(node, y, scale, x));
    }
}
