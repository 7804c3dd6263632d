using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>VGG-16 with batch normalisation for small images (Simonyan and Zisserman, 2014, as built by Liu et al., "Rethinking
/// the value of network pruning", whose parameter names it has): thirteen 3x3 convolutions without bias, four max poolings, the
/// average of what is left, and a hidden linear layer with normalisation. The channels double from stage to stage up to eight
/// times the first stage's; the hidden layer has as many units as the last stage channels.</summary>
internal sealed class VggFamily : IModelFamily
{
    private const string Model = "vgg16";
    private const int UsualWidth = 64;
    private const int LargestWidth = 512;

    // Channels in units of the first stage's; 0 for a max pooling.
    private static readonly int[] Plan = [1, 1, 0, 2, 2, 0, 4, 4, 4, 0, 8, 8, 8, 0, 8, 8, 8];

    /// <inheritdoc/>
    public string Description =>
        "VGG-16 with batch normalisation and a hidden linear layer; WIDTH channels in the first stage instead of 64";

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = [Model];

    /// <inheritdoc/>
    public string Syntax => "vgg16-wWIDTH";

    /// <inheritdoc/>
    public FeatureShape UsualInput => new(3, 32, 32);

    /// <inheritdoc/>
    public PublicNames PublicNames { get; } = new()
    {
        // Torchvision and many others, against Liu et al.
        Dialects = [new(("features.", "feature."))],
        Styles =
        [
            new("rethinking", "VGG-16 of Eric-mingjie/rethinking-network-pruning: feature"),
            new("features", "VGG-16 with torchvision's name of the convolutions: features")
            {
                Rename = name => PublicNames.ReplaceStart(name, "feature.", "features."),
            },
        ],
    };

    /// <inheritdoc/>
    public ModelWidth? Width(string name) => ModelWidth.OfChannels(name, Model, UsualWidth, LargestWidth);

    /// <inheritdoc/>
    public NetworkGraph? Build(string name, ModelOptions options)
    {
        if (ModelName.Width(name, Model, UsualWidth, LargestWidth) is not { } width)
            return null;
        var builder = new GraphBuilder(ModelName.WithWidth(Model, UsualWidth, width), options.Input);
        Node x = builder.Stem(options);
        int index = 0;
        foreach (int factor in Plan)
        {
            if (factor == 0)
            {
                x = builder.MaxPool(x, 2);
                index++;
            }
            else
            {
                x = builder.Convolution($"feature.{index}", x, factor * width, 3, padding: 1);
                x = builder.NormalizeRelu($"feature.{index + 1}", x);
                index += 3;
            }
        }

        x = builder.GlobalAverage(x);
        x = builder.Linear("classifier.0", x, 8 * width, options.PruneHiddenLinear ?? false);
        x = builder.NormalizeRelu("classifier.1", x);
        return builder.Build(builder.Linear("classifier.3", x, options.Classes));
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, ModelOptions Options)> Candidates(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (TensorShapes.Find(shapes, "feature.0.weight", 4) is { } stem
            && TensorShapes.Find(shapes, "classifier.3.weight", 2) is { } last)
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"{Model}-w{stem[0]}"), TensorShapes.Options(stem[1], last[0]));
    }
}
