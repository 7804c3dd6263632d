using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>ResNet-18 for 32x32 images with pre-activation blocks, as in locuslab/fast_adversarial: where the shape changes, a
/// 1x1 convolution of the block's raw input is the shortcut.</summary>
internal sealed class PreActResNet18 : nn.Module<Tensor, Tensor>
{
    private readonly InputNormalization _normalization = InputNormalization.Cifar10();
    private readonly Conv2d _conv1;
    private readonly List<Sequential> _layers = [];
    private readonly BatchNorm2d _bn;
    private readonly Linear _linear;

    /// <summary>Creates the network; 64 filters in the first convolution give the full width (11,172,170 parameters).</summary>
    public PreActResNet18(int width)
        : base(nameof(PreActResNet18))
    {
        _conv1 = nn.Conv2d(3, width, 3, padding: 1, bias: false);
        register_module("conv1", _conv1);
        for (int stage = 0; stage < 4; stage++)
        {
            int channels = width << stage;
            int inputs = stage == 0 ? width : channels / 2;
            _layers.Add(nn.Sequential(new Block(inputs, channels, stage == 0 ? 1 : 2), new Block(channels, channels, 1)));
            register_module($"layer{stage + 1}", _layers[stage]);
        }
        _bn = nn.BatchNorm2d(8 * width);
        _linear = nn.Linear(8 * width, 10);
        register_module("bn", _bn);
        register_module("linear", _linear);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = _conv1.forward(_normalization.forward(input));
        foreach (Sequential layer in _layers)
            x = layer.forward(x);
        x = nn.functional.avg_pool2d(nn.functional.relu(_bn.forward(x)), 4);
        return _linear.forward(x.flatten(1));
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d _bn1;
        private readonly Conv2d _conv1;
        private readonly BatchNorm2d _bn2;
        private readonly Conv2d _conv2;
        private readonly Sequential? _shortcut;

        public Block(int inputs, int channels, int stride)
            : base(nameof(Block))
        {
            _bn1 = nn.BatchNorm2d(inputs);
            _conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias: false);
            _bn2 = nn.BatchNorm2d(channels);
            _conv2 = nn.Conv2d(channels, channels, 3, padding: 1, bias: false);
            register_module("bn1", _bn1);
            register_module("conv1", _conv1);
            register_module("bn2", _bn2);
            register_module("conv2", _conv2);
            if (stride == 1 && inputs == channels)
                return;
            _shortcut = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias: false));
            register_module("shortcut", _shortcut);
        }

        public override Tensor forward(Tensor input)
        {
            Tensor x = _conv1.forward(nn.functional.relu(_bn1.forward(input)));
            x = _conv2.forward(nn.functional.relu(_bn2.forward(x)));
            return x + (_shortcut?.forward(input) ?? input);
        }
    }
}
