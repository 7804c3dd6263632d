namespace BoostingTicket.Engine.Tensors;

/// <summary>Shape of one sample's feature map, without the batch: channels, rows, columns. A feature vector is
/// <c>(channels, 1, 1)</c>.</summary>
public readonly record struct FeatureShape(int Channels, int Height, int Width)
{
    /// <summary>Shape of a feature vector of <paramref name="features"/> values.</summary>
    public FeatureShape(int features) : this(features, 1, 1) { }

    /// <summary>Rows times columns.</summary>
    public int Pixels => Height * Width;

    /// <summary>Values of one sample.</summary>
    public int Length => Channels * Height * Width;

    /// <inheritdoc/>
    public override string ToString() => Height == 1 && Width == 1 ? $"{Channels}" : $"{Channels}x{Height}x{Width}";
}
