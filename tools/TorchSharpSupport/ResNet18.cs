using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>ResNet-18 for 32x32 images: post-activation blocks, shortcuts of a 1x1 convolution and a normalisation.</summary>
internal sealed class ResNet18 : nn.Module<Tensor, Tensor>, IFoldable
{
    private readonly InputNormalization _normalization = InputNormalization.Cifar10();
    private readonly NormalizedConvolution _stem;
    private readonly List<Block> _blocks = [];
    private readonly Linear _linear;

    /// <summary>Creates the network; 64 filters in the first convolution give the full width (11,173,962 parameters).</summary>
    public ResNet18(int width)
        : base(nameof(ResNet18))
    {
        Conv2d conv1 = nn.Conv2d(3, width, 3, padding: 1, bias: false);
        BatchNorm2d bn1 = nn.BatchNorm2d(width);
        _stem = new NormalizedConvolution(conv1, bn1);
        register_module("conv1", conv1);
        register_module("bn1", bn1);
        for (int stage = 0; stage < 4; stage++)
        {
            int channels = width << stage;
            int inputs = stage == 0 ? width : channels / 2;
            Block first = new(inputs, channels, stage == 0 ? 1 : 2), second = new(channels, channels, 1);
            _blocks.AddRange([first, second]);
            register_module($"layer{stage + 1}", nn.Sequential(first, second));
        }
        _linear = nn.Linear(8 * width, 10);
        register_module("linear", _linear);
    }

    /// <inheritdoc/>
    public IEnumerable<NormalizedConvolution> Foldable => [_stem, .. _blocks.SelectMany(block => block.Foldable)];

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.relu(_stem.Forward(_normalization.forward(input)));
        foreach (Block block in _blocks)
            x = block.forward(x);
        return _linear.forward(nn.functional.avg_pool2d(x, 4).flatten(1));
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly NormalizedConvolution _first;
        private readonly NormalizedConvolution _second;
        private readonly NormalizedConvolution? _shortcut;

        public Block(int inputs, int channels, int stride)
            : base(nameof(Block))
        {
            Conv2d conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias: false);
            BatchNorm2d bn1 = nn.BatchNorm2d(channels);
            Conv2d conv2 = nn.Conv2d(channels, channels, 3, padding: 1, bias: false);
            BatchNorm2d bn2 = nn.BatchNorm2d(channels);
            _first = new NormalizedConvolution(conv1, bn1, stride);
            _second = new NormalizedConvolution(conv2, bn2);
            register_module("conv1", conv1);
            register_module("bn1", bn1);
            register_module("conv2", conv2);
            register_module("bn2", bn2);
            if (stride == 1 && inputs == channels)
                return;
            Conv2d shortcut = nn.Conv2d(inputs, channels, 1, stride, bias: false);
            BatchNorm2d normalization = nn.BatchNorm2d(channels);
            _shortcut = new NormalizedConvolution(shortcut, normalization, stride, padding: 0);
            register_module("shortcut", nn.Sequential(shortcut, normalization));
        }

        public IEnumerable<NormalizedConvolution> Foldable =>
            _shortcut is null ? [_first, _second] : [_first, _second, _shortcut];

        public override Tensor forward(Tensor input)
        {
            Tensor x = _second.Forward(nn.functional.relu(_first.Forward(input)));
            return nn.functional.relu(x + (_shortcut?.Forward(input) ?? input));
        }
    }
}
