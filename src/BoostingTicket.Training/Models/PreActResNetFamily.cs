using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>ResNet-18 with pre-activation blocks for small images (He et al., "Identity mappings in deep residual networks",
/// 2016), as Wong et al., "Fast is better than free" (2020), train it: normalisation and ReLU before each convolution and before
/// the average. Parameters are named as in locuslab/fast_adversarial.</summary>
/// <remarks>Where the shape changes, the shortcut's 1x1 convolution reads the block's input there. In the second version, of Rice
/// et al., "Overfitting in adversarially robust deep learning" (2020), it reads the normalised and activated input. Tensors do
/// not tell the two apart, only names of models do.</remarks>
internal sealed class PreActResNetFamily : IModelFamily
{
    private const string Model = "preact-resnet18";
    private const string SecondVersion = Model + "-v2";
    private const int UsualWidth = 64;
    private const int LargestWidth = 512;
    private const int Stages = 4;
    private const int BlocksPerStage = 2;

    /// <inheritdoc/>
    public string Description =>
        "ResNet-18 with pre-activation blocks, as in fast_adversarial; -v2: shortcuts from activations, as in robust_overfitting";

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = [Model, SecondVersion];

    /// <inheritdoc/>
    public string Syntax => "preact-resnet18-wWIDTH";

    /// <inheritdoc/>
    public FeatureShape UsualInput => new(3, 32, 32);

    /// <inheritdoc/>
    public PublicNames PublicNames { get; } = new()
    {
        Dialects = [ResNetFamily.Torchvision],
        Styles =
        [
            new(
                "fast-adversarial",
                "PreActResNet-18 of locuslab/fast_adversarial, and -v2 of locuslab/robust_overfitting"),
        ],
    };

    /// <inheritdoc/>
    public ModelWidth? Width(string name) => Names
        .Select(model => ModelWidth.OfChannels(name, model, UsualWidth, LargestWidth)).FirstOrDefault(width => width is not null);

    /// <inheritdoc/>
    public NetworkGraph? Build(string name, ModelOptions options)
    {
        foreach (string model in Names)
        {
            if (ModelName.Width(name, model, UsualWidth, LargestWidth) is { } width)
                return Build(ModelName.WithWidth(model, UsualWidth, width), width, model == SecondVersion, options);
        }
        return null;
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, ModelOptions Options)> Candidates(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (TensorShapes.Find(shapes, "conv1.weight", 4) is { } stem && TensorShapes.Find(shapes, "linear.weight", 2) is { } last)
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"{Model}-w{stem[0]}"), TensorShapes.Options(stem[1], last[0]));
    }

    private static NetworkGraph Build(string name, int width, bool activatedShortcuts, ModelOptions options)
    {
        var builder = new GraphBuilder(name, options.Input);
        Node x = builder.Convolution("conv1", builder.Stem(options), width, 3, padding: 1);
        for (int stage = 0; stage < Stages; stage++)
        {
            for (int block = 0; block < BlocksPerStage; block++)
            {
                string blockName = string.Create(CultureInfo.InvariantCulture, $"layer{stage + 1}.{block}");
                x = Block(builder, blockName, x, width << stage, stage > 0 && block == 0 ? 2 : 1, activatedShortcuts);
            }
        }

        x = builder.GlobalAverage(builder.NormalizeRelu("bn", x));
        return builder.Build(builder.Linear("linear", x, options.Classes));
    }

    private static Node Block(GraphBuilder builder, string name, Node input, int channels, int stride, bool activatedShortcuts)
    {
        Node activated = builder.NormalizeRelu($"{name}.bn1", input);
        Node x = builder.Convolution($"{name}.conv1", activated, channels, 3, stride, 1);
        x = builder.NormalizeRelu($"{name}.bn2", x);
        // The shortcut comes before the last convolution, so that the sum is fused into that.
        Node shortcut = stride == 1 && input.Shape.Channels == channels
            ? input
            : builder.Convolution($"{name}.shortcut.0", activatedShortcuts ? activated : input, channels, 1, stride);
        x = builder.Convolution($"{name}.conv2", x, channels, 3, padding: 1);
        return builder.Sum($"{name}.sum", x, shortcut);
    }
}
