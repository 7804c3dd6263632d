namespace BoostingTicket.Benchmarks;

/// <summary>One of the ways in which TorchSharp can do the work.</summary>
/// <param name="ChannelsLast">Whether feature maps are laid out channels last, instead of channels first as TorchSharp
/// ships.</param>
/// <param name="Folded">Whether attacks compute a convolution and the normalisation of its output as one.</param>
/// <param name="BFloat16">Whether forward and backward passes are computed in bfloat16, of attacks and of training: convolutions
/// and linear layers with weights of bfloat16, normalisation with float32 statistics, losses, master weights and SGD in
/// float32.</param>
internal sealed record TorchVariant(bool ChannelsLast, bool Folded, bool BFloat16)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<TorchVariant> All { get; } =
    [
        .. from bfloat16 in (bool[])[false, true]
           from last in (bool[])[false, true]
           from folded in (bool[])[false, true]
           select new TorchVariant(last, folded, bfloat16),
    ];

    /// <summary>As TorchSharp ships: float32, channels first, nothing folded.</summary>
    public static TorchVariant Shipped { get; } = new(false, false, false);

    /// <summary>Its number format.</summary>
    public string Precision => BFloat16 ? "bfloat16" : "float32";

    /// <summary>Its name, for people.</summary>
    public string Name =>
        $"{Precision}, channels {(ChannelsLast ? "last" : "first")}, {(Folded ? "folded" : "not folded")}";
}
