using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>LeNet with two 5x5 convolutions and two linear layers (LeCun et al., 1998; paper, appendix C): each convolution with
/// bias, ReLU and 2x2 max pooling. <c>lenet</c> is 20-50-500 without padding, <c>lenet-madry</c> 32-64-1024 with a padding of 2,
/// as in the MNIST challenge of Madry et al.</summary>
internal sealed class LeNetFamily : IModelFamily
{
    private const string Prefix = "lenet-";
    private const string PaddedSuffix = "-p2";
    private const int LargestWidth = 4096;

    // Narrower ones measure nothing.
    private const int LeastScaled = 2;

    private static readonly (string Name, Size Size)[] Named =
    [
        ("lenet", new Size(20, 50, 500, 0)),
        ("lenet-madry", new Size(32, 64, 1024, 2)),
    ];

    private readonly record struct Size(int Filters1, int Filters2, int Hidden, int Padding);

    /// <inheritdoc/>
    public string Description =>
        "LeNet with A and B filters and C hidden units; with -p2, convolutions are padded and keep the size";

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = [.. Named.Select(named => named.Name)];

    /// <inheritdoc/>
    public string Syntax => "lenet-A-B-C[-p2]";

    /// <inheritdoc/>
    public FeatureShape UsualInput => new(1, 28, 28);

    /// <inheritdoc/>
    public string Scaled(string name, double factor)
    {
        int Less(int value) => Math.Max(LeastScaled, (int)Math.Round(value * factor, MidpointRounding.AwayFromZero));
        return Parse(name) is { } size && factor != 1
            ? NameOf(new Size(Less(size.Filters1), Less(size.Filters2), Less(size.Hidden), size.Padding))
            : name;
    }

    /// <inheritdoc/>
    public NetworkGraph? Build(string name, ModelOptions options)
    {
        if (Parse(name) is not { } size)
            return null;
        var builder = new GraphBuilder(NameOf(size), options.Input);
        Node x = Stage(builder, "conv1", builder.Stem(options), size.Filters1, size.Padding);
        x = Stage(builder, "conv2", x, size.Filters2, size.Padding);
        x = builder.Relu(builder.Linear("fc1", x, size.Hidden, options.PruneHiddenLinear ?? true));
        return builder.Build(builder.Linear("fc2", x, options.Classes));
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, ModelOptions Options)> Candidates(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        if (TensorShapes.Find(shapes, "conv1.weight", 4) is not { } first
            || TensorShapes.Find(shapes, "conv2.weight", 4) is not { } second
            || TensorShapes.Find(shapes, "fc1.weight", 2) is not { } hidden
                || TensorShapes.Find(shapes, "fc2.weight", 2) is not { } last)
        {
            yield break;
        }

        // The padding shows in the hidden layer's inputs.
        string name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{first[0]}-{second[0]}-{hidden[0]}");
        yield return (name, TensorShapes.Options(first[1], last[0]));
        yield return (name + PaddedSuffix, TensorShapes.Options(first[1], last[0]));
    }

    private static Node Stage(GraphBuilder builder, string name, Node x, int filters, int padding) =>
        builder.MaxPool(builder.Relu(builder.Convolution(name, x, filters, 5, padding: padding, bias: true)), 2);

    private static Size? Parse(string name)
    {
        foreach ((string known, Size size) in Named)
        {
            if (known == name)
                return size;
        }

        bool padded = name.EndsWith(PaddedSuffix, StringComparison.Ordinal);
        string bare = padded ? name[..^PaddedSuffix.Length] : name;
        if (ModelName.Numbers(bare, Prefix, 3) is not [int filters1, int filters2, int hidden])
            return null;
        ModelName.CheckRange(name, "number of filters", filters1, 1, LargestWidth);
        ModelName.CheckRange(name, "number of filters", filters2, 1, LargestWidth);
        ModelName.CheckRange(name, "number of hidden units", hidden, 1, LargestWidth);
        return new Size(filters1, filters2, hidden, padded ? 2 : 0);
    }

    private static string NameOf(Size size)
    {
        foreach ((string name, Size known) in Named)
        {
            if (known == size)
                return name;
        }

        string padding = size.Padding == 0 ? "" : PaddedSuffix;
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}{size.Filters1}-{size.Filters2}-{size.Hidden}{padding}");
    }
}
