using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>
/// WideResNet for 32x32 images: pre-activation blocks without dropout; where the width changes, a 1x1 convolution of the
/// activated input is the shortcut, elsewhere the block's raw input is.
/// </summary>
internal sealed class WideResNet : nn.Module<Tensor, Tensor>
{
    private readonly InputNormalization _normalization = InputNormalization.Cifar10();
    private readonly Conv2d _conv1;
    private readonly List<Sequential> _blocks = [];
    private readonly BatchNorm2d _bn1;
    private readonly Linear _fc;

    /// <summary>Creates WRN-depth-widen; the depth is 6n + 4 (34-10 has 46,160,474 parameters).</summary>
    public WideResNet(int depth, int widen)
        : base(nameof(WideResNet))
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual((depth - 4) % 6, 0);
        _conv1 = nn.Conv2d(3, 16, 3, padding: 1, bias: false);
        register_module("conv1", _conv1);
        for (int stage = 0; stage < 3; stage++)
        {
            int channels = (16 << stage) * widen;
            int inputs = stage == 0 ? 16 : channels / 2;
            IEnumerable<Block> layer = Enumerable.Range(0, (depth - 4) / 6)
                .Select(i => i == 0 ? new Block(inputs, channels, stage == 0 ? 1 : 2) : new Block(channels, channels, 1));
            _blocks.Add(nn.Sequential(("layer", nn.Sequential(layer))));
            register_module($"block{stage + 1}", _blocks[stage]);
        }
        _bn1 = nn.BatchNorm2d(64 * widen);
        _fc = nn.Linear(64 * widen, 10);
        register_module("bn1", _bn1);
        register_module("fc", _fc);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = _conv1.forward(_normalization.forward(input));
        foreach (Sequential block in _blocks)
            x = block.forward(x);
        x = nn.functional.avg_pool2d(nn.functional.relu(_bn1.forward(x)), 8);
        return _fc.forward(x.flatten(1));
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d _bn1;
        private readonly Conv2d _conv1;
        private readonly BatchNorm2d _bn2;
        private readonly Conv2d _conv2;
        private readonly Conv2d? _shortcut;

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
            if (inputs == channels)
                return;
            _shortcut = nn.Conv2d(inputs, channels, 1, stride, bias: false);
            register_module("convShortcut", _shortcut);
        }

        public override Tensor forward(Tensor input)
        {
            Tensor activated = nn.functional.relu(_bn1.forward(input));
            Tensor x = nn.functional.relu(_bn2.forward(_conv1.forward(activated)));
            return _conv2.forward(x) + (_shortcut?.forward(activated) ?? input);
        }
    }
}
