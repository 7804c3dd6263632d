using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>ResNet-18 for small images (He et al., 2016): a 3x3 stem without pooling, four stages of two post-activation blocks,
/// the channels doubling from stage to stage, shortcuts of a 1x1 convolution and a normalisation where the shape changes.
/// Parameters are named as in the models of kuangliu/pytorch-cifar.</summary>
internal sealed class ResNetFamily : IModelFamily
{
    private const string Model = "resnet18";
    private const int UsualWidth = 64;
    private const int LargestWidth = 512;
    private const int Stages = 4;
    private const int BlocksPerStage = 2;

    /// <inheritdoc/>
    public string Description => "ResNet-18 with post-activation blocks; WIDTH channels in the first stage instead of 64";

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = [Model];

    /// <inheritdoc/>
    public string Syntax => "resnet18-wWIDTH";

    /// <inheritdoc/>
    public FeatureShape UsualInput => new(3, 32, 32);

    /// <inheritdoc/>
    public PublicNames PublicNames { get; } = new()
    {
        Dialects = [Torchvision],
        Styles =
        [
            new("kuangliu", "ResNet-18 of kuangliu/pytorch-cifar: linear, shortcut"),
            new(
                "torchvision",
                "ResNet-18 with the names of torchvision: fc, downsample; its convolutions keep the shapes for small images")
            {
                Rename = name => PublicNames.ReplaceStart(name, "linear.", "fc.")
                    .Replace(".shortcut.", ".downsample.", StringComparison.Ordinal),
            },
        ],
    };

    /// <summary>Torchvision and what follows it, against kuangliu/pytorch-cifar.</summary>
    internal static NameDialect Torchvision { get; } = new(("fc.", "linear."), (".downsample.", ".shortcut."));

    /// <inheritdoc/>
    public ModelWidth? Width(string name) => ModelWidth.OfChannels(name, Model, UsualWidth, LargestWidth);

    /// <inheritdoc/>
    public NetworkGraph? Build(string name, ModelOptions options)
    {
        if (ModelName.Width(name, Model, UsualWidth, LargestWidth) is not { } width)
            return null;
        var builder = new GraphBuilder(ModelName.WithWidth(Model, UsualWidth, width), options.Input);
        Node x = builder.Convolution("conv1", builder.Stem(options), width, 3, padding: 1);
        x = builder.NormalizeRelu("bn1", x);
        for (int stage = 0; stage < Stages; stage++)
        {
            for (int block = 0; block < BlocksPerStage; block++)
            {
                string blockName = string.Create(CultureInfo.InvariantCulture, $"layer{stage + 1}.{block}");
                x = Block(builder, blockName, x, width << stage, stage > 0 && block == 0 ? 2 : 1);
            }
        }

        return builder.Build(builder.Linear("linear", builder.GlobalAverage(x), options.Classes));
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, ModelOptions Options)> Candidates(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (TensorShapes.Find(shapes, "conv1.weight", 4) is { } stem && TensorShapes.Find(shapes, "linear.weight", 2) is { } last)
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"{Model}-w{stem[0]}"), TensorShapes.Options(stem[1], last[0]));
    }

    private static Node Block(GraphBuilder builder, string name, Node input, int channels, int stride)
    {
        Node x = builder.Convolution($"{name}.conv1", input, channels, 3, stride, 1);
        x = builder.NormalizeRelu($"{name}.bn1", x);
        // The shortcut comes before the last convolution, so that the sum is fused into that.
        Node shortcut = input;
        if (stride != 1 || input.Shape.Channels != channels)
        {
            shortcut = builder.Convolution($"{name}.shortcut.0", input, channels, 1, stride);
            shortcut = builder.BatchNormalization($"{name}.shortcut.1", shortcut);
        }

        x = builder.Convolution($"{name}.conv2", x, channels, 3, padding: 1);
        x = builder.BatchNormalization($"{name}.bn2", x);
        return builder.Relu(builder.Sum($"{name}.sum", x, shortcut));
    }
}
