using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>WideResNet of any depth 6n + 4 and any widening factor k (Zagoruyko and Komodakis, 2016): 16 channels in the stem,
/// then stages of 16k, 32k and 64k with n pre-activation blocks each, shortcuts of a 1x1 convolution on the activated input where
/// the channels change. Parameters are named as in yaodongyu/TRADES, whose unused <c>sub_block1</c> is left out. With SiLU in
/// every ReLU's place, as robust networks since Gowal et al., "Uncovering the limits of adversarial training against norm-bounded
/// adversarial examples" (2020), have it, its name ends in <c>-silu</c>.</summary>
/// <remarks>Tensors do not tell SiLU from ReLU, only names do. The published weights of Gowal et al. belong to a network that
/// pads convolutions of stride 2 at the bottom and right alone; this one pads all sides, so that they are not for it.</remarks>
internal sealed class WideResNetFamily : IModelFamily
{
    private const string Prefix = "wrn-";
    private const string SiluSuffix = "-silu";

    // A copy of block1.
    private const string UnusedBlock = "sub_block1.";

    // The widest of the paper.
    private const int PaperFactor = 10;
    private const int LargestDepth = 1000;
    private const int LargestFactor = 100;
    private const int StemChannels = 16;
    private const int Stages = 3;

    /// <inheritdoc/>
    public string Description =>
        "WideResNet with pre-activation blocks; DEPTH is 6n + 4, WIDTH the widening factor; -silu: with SiLU instead of ReLU";

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } =
        ["wrn-34-10", "wrn-28-10", "wrn-22-10", "wrn-16-10", "wrn-10-10", "wrn-34-5", "wrn-34-2", "wrn-34-1", "wrn-28-10-silu"];

    /// <inheritdoc/>
    public string Syntax => "wrn-DEPTH-WIDTH";

    /// <inheritdoc/>
    public FeatureShape UsualInput => new(3, 32, 32);

    /// <inheritdoc/>
    public PublicNames PublicNames { get; } = new()
    {
        // Names of ResNets, against TRADES.
        Dialects =
        [
            new(
                ("linear.", "fc."), (".shortcut.0.weight", ".convShortcut.weight"),
                (".downsample.0.weight", ".convShortcut.weight"), (".shortcut.weight", ".convShortcut.weight")),
        ],
        Styles =
        [
            new("trades", "WideResNets of yaodongyu/TRADES, with the sub_block1 that it loads and never uses")
            {
                IsFor = HasRelu,
                HoldsCopy = ("block1.", UnusedBlock),
            },
            new("robustbench", "WideResNets of RobustBench, behind its normalisation if the network has one")
            {
                IsFor = HasRelu,
                HoldsNormalization = true,
            },
        ],
        Unused = [new(UnusedBlock, "unused-block", "A copy of block1 that TRADES holds and never uses was passed over.")],
    };

    /// <inheritdoc/>
    public ModelWidth? Width(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string suffix = HasRelu(name) ? "" : SiluSuffix;
        return ModelName.Numbers(name[..^suffix.Length], Prefix, 2) is [int depth, int factor]
            ? new(factor, PaperFactor, 1, width => string.Create(
                CultureInfo.InvariantCulture, $"{Prefix}{depth}-{width}{suffix}"))
            : null;
    }

    /// <inheritdoc/>
    public NetworkGraph? Build(string name, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(name);
        bool silu = !HasRelu(name);
        if (ModelName.Numbers(silu ? name[..^SiluSuffix.Length] : name, Prefix, 2) is not [int depth, int factor])
            return null;
        Activation activation = silu ? Activation.Silu : Activation.Relu;
        ModelName.CheckRange(name, "depth", depth, 10, LargestDepth);
        ModelName.CheckRange(name, "widening factor", factor, 1, LargestFactor);
        int blocks = (depth - 4) / 6;
        if (6 * blocks + 4 != depth)
        {
            throw new ConfigurationException(
                $"The model {name} has a depth of {depth}, but a WideResNet's is 6n + 4; choose {6 * blocks + 4} or "
                + $"{6 * blocks + 10}.");
        }

        var builder = new GraphBuilder(name, options.Input);
        Node x = builder.Convolution("conv1", builder.Stem(options), StemChannels, 3, padding: 1);
        for (int stage = 0; stage < Stages; stage++)
        {
            for (int block = 0; block < blocks; block++)
            {
                string blockName = string.Create(CultureInfo.InvariantCulture, $"block{stage + 1}.layer.{block}");
                x = Block(builder, blockName, x, (StemChannels * factor) << stage, stage > 0 && block == 0 ? 2 : 1, activation);
            }
        }

        x = builder.GlobalAverage(builder.NormalizeActivate("bn1", x, activation));
        return builder.Build(builder.Linear("fc", x, options.Classes));
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, ModelOptions Options)> Candidates(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        int blocks = 0;
        while (shapes.ContainsKey(string.Create(CultureInfo.InvariantCulture, $"block1.layer.{blocks}.conv1.weight")))
            blocks++;
        if (TensorShapes.Find(shapes, "conv1.weight", 4) is { } stem && TensorShapes.Find(shapes, "fc.weight", 2) is { } last)
        {
            string name = string.Create(
                CultureInfo.InvariantCulture, $"{Prefix}{6 * blocks + 4}-{last[1] / (StemChannels << (Stages - 1))}");
            yield return (name, TensorShapes.Options(stem[1], last[0]));
        }
    }

    // The public WideResNets of the styles' names have ReLUs: they would load the weights of one with SiLU and compute something
    // else.
    private static bool HasRelu(string name) => !name.EndsWith(SiluSuffix, StringComparison.Ordinal);

    private static Node Block(
        GraphBuilder builder, string name, Node input, int channels, int stride, Activation activation)
    {
        Node activated = builder.NormalizeActivate($"{name}.bn1", input, activation);
        Node x = builder.Convolution($"{name}.conv1", activated, channels, 3, stride, 1);
        x = builder.NormalizeActivate($"{name}.bn2", x, activation);
        // The shortcut comes before the last convolution, so that the sum is fused into that.
        Node shortcut = input.Shape.Channels == channels
            ? input
            : builder.Convolution($"{name}.convShortcut", activated, channels, 1, stride);
        x = builder.Convolution($"{name}.conv2", x, channels, 3, padding: 1);
        return builder.Sum($"{name}.sum", x, shortcut);
    }
}
