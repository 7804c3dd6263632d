using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>What the attacks are recorded on: two 3x3 convolutions with ReLU, the second of stride 2, and a linear layer, for
/// images of 8x8x2 and ten classes. No pooling and no statistics, so that few decisions lie near rounding.</summary>
internal sealed class SmallNetwork : nn.Module<Tensor, Tensor>
{
    /// <summary>Channels of an image.</summary>
    public const int Channels = 2;

    /// <summary>Height and width of an image in pixels.</summary>
    public const int Side = 8;

    /// <summary>Classes.</summary>
    public const int Classes = 10;

    private readonly Conv2d _conv1 = nn.Conv2d(Channels, 8, 3, padding: 1);
    private readonly Conv2d _conv2 = nn.Conv2d(8, 12, 3, stride: 2, padding: 1);
    private readonly Linear _fc = nn.Linear(12 * (Side / 2) * (Side / 2), Classes);

    /// <summary>Creates it with libtorch's initial weights, which are to be overwritten.</summary>
    public SmallNetwork()
        : base(nameof(SmallNetwork))
    {
        register_module("conv1", _conv1);
        register_module("conv2", _conv2);
        register_module("fc", _fc);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.relu(_conv1.forward(input));
        return _fc.forward(nn.functional.relu(_conv2.forward(x)).flatten(1));
    }
}
