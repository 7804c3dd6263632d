using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>
/// WideResNet for 32x32 images: pre-activation blocks without dropout; where the width changes, a 1x1 convolution of the
/// activated input is the shortcut, elsewhere the block's raw input is.
/// </summary>
internal sealed class WideResNet : nn.Module<Tensor, Tensor>, IFoldable
{
    private readonly InputNormalization _normalization = InputNormalization.Cifar10();
    private readonly Conv2d _conv1;
    private readonly List<Block> _blocks = [];
    private readonly BatchNorm2d _bn1;
    private readonly Linear _fc;

    private readonly Func<Tensor, Tensor> _activate;

    /// <summary>Creates WRN-depth-widen; the depth is 6n + 4 (34-10 has 46,160,474 parameters).</summary>
    /// <param name="depth">Depth.</param>
    /// <param name="widen">Widening factor.</param>
    /// <param name="silu">Whether SiLU stands in every ReLU's place (Gowal et al., 2020).</param>
    public WideResNet(int depth, int widen, bool silu = false)
        : base(nameof(WideResNet))
    {
        _activate = silu ? x => nn.functional.silu(x) : x => nn.functional.relu(x);
        ArgumentOutOfRangeException.ThrowIfNotEqual((depth - 4) % 6, 0);
        _conv1 = nn.Conv2d(3, 16, 3, padding: 1, bias: false);
        register_module("conv1", _conv1);
        for (int stage = 0; stage < 3; stage++)
        {
            int channels = (16 << stage) * widen;
            int inputs = stage == 0 ? 16 : channels / 2;
            List<Block> layer =
            [
                .. Enumerable.Range(0, (depth - 4) / 6).Select(i => i == 0
                    ? new Block(inputs, channels, stage == 0 ? 1 : 2, _activate)
                    : new Block(channels, channels, 1, _activate)),
            ];
            _blocks.AddRange(layer);
            register_module($"block{stage + 1}", nn.Sequential(("layer", nn.Sequential(layer))));
        }
        _bn1 = nn.BatchNorm2d(64 * widen);
        _fc = nn.Linear(64 * widen, 10);
        register_module("bn1", _bn1);
        register_module("fc", _fc);
    }

    /// <inheritdoc/>
    public IEnumerable<NormalizedConvolution> Foldable => _blocks.Select(block => block.Foldable);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = _conv1.forward(_normalization.forward(input));
        foreach (Block block in _blocks)
            x = block.forward(x);
        x = nn.functional.avg_pool2d(_activate(_bn1.forward(x)), 8);
        return _fc.forward(x.flatten(1));
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d _bn1;
        private readonly Conv2d _conv2;
        private readonly Conv2d? _shortcut;
        private readonly Func<Tensor, Tensor> _activate;

        public Block(int inputs, int channels, int stride, Func<Tensor, Tensor> activate)
            : base(nameof(Block))
        {
            _activate = activate;
            _bn1 = nn.BatchNorm2d(inputs);
            Conv2d conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias: false);
            BatchNorm2d bn2 = nn.BatchNorm2d(channels);
            Foldable = new NormalizedConvolution(conv1, bn2, stride);
            _conv2 = nn.Conv2d(channels, channels, 3, padding: 1, bias: false);
            register_module("bn1", _bn1);
            register_module("conv1", conv1);
            register_module("bn2", bn2);
            register_module("conv2", _conv2);
            if (inputs == channels)
                return;
            _shortcut = nn.Conv2d(inputs, channels, 1, stride, bias: false);
            register_module("convShortcut", _shortcut);
        }

        /// <summary>The first convolution: what is behind it alone is its normalisation.</summary>
        public NormalizedConvolution Foldable { get; }

        public override Tensor forward(Tensor input)
        {
            Tensor activated = _activate(_bn1.forward(input));
            Tensor x = _activate(Foldable.Forward(activated));
            return _conv2.forward(x) + (_shortcut?.forward(activated) ?? input);
        }
    }
}
