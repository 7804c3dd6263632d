using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>LeNet for 28x28x1 images: two 5x5 convolutions with ReLU and 2x2 max pooling, two linear layers.</summary>
internal sealed class LeNet : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _conv1;
    private readonly Conv2d _conv2;
    private readonly Linear _fc1;
    private readonly Linear _fc2;

    /// <summary>Creates a LeNet such as 20-50-500 without padding (431,080 parameters) or 32-64-1024 with (3,274,634).</summary>
    /// <param name="channels1">Filters of the first convolution.</param>
    /// <param name="channels2">Filters of the second convolution.</param>
    /// <param name="hidden">Units of the first linear layer.</param>
    /// <param name="padding">Zero padding of both convolutions, 0 or 2 pixels.</param>
    public LeNet(int channels1, int channels2, int hidden, int padding = 0)
        : base(nameof(LeNet))
    {
        int side = ((28 + 2 * padding - 4) / 2 + 2 * padding - 4) / 2;
        _conv1 = nn.Conv2d(1, channels1, 5, padding: padding);
        _conv2 = nn.Conv2d(channels1, channels2, 5, padding: padding);
        _fc1 = nn.Linear(channels2 * side * side, hidden);
        _fc2 = nn.Linear(hidden, 10);
        register_module("conv1", _conv1);
        register_module("conv2", _conv2);
        register_module("fc1", _fc1);
        register_module("fc2", _fc2);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.max_pool2d(nn.functional.relu(_conv1.forward(input)), 2);
        x = nn.functional.max_pool2d(nn.functional.relu(_conv2.forward(x)), 2);
        return _fc2.forward(nn.functional.relu(_fc1.forward(x.flatten(1))));
    }
}
