using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Networks;

/// <summary>A small network for tests.</summary>
/// <param name="Name">Name of the test case and seed of its values.</param>
/// <param name="Build">Builds the graph.</param>
internal sealed record SampleGraph(string Name, Func<NetworkGraph> Build)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Small networks that together contain every layer and every way in which layers are fused or not.</summary>
internal static class SampleGraphs
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<SampleGraph> All { get; } =
    [
        new("plain", () => Plain(Activation.Relu)),
        new("lenet", () => LeNet(Activation.Relu)),
        new("post-activation", () => PostActivation(shortcutFirst: true, Activation.Relu)),
        new("post-activation, shortcut last", () => PostActivation(shortcutFirst: false, Activation.Relu)),
        new("pre-activation", () => PreActivation(Activation.Relu)),
        new("feature vectors", () => FeatureVectors(Activation.Relu)),
        new("fan-out", () => FanOut(Activation.Relu)),
        new("input used twice", () => InputUsedTwice(Activation.Relu)),
        new("plain, leaky", () => Plain(Leaky)),
        new("post-activation, leaky", () => PostActivation(shortcutFirst: true, Leaky)),
        new("fan-out, leaky", () => FanOut(Leaky)),
        new("plain, silu", () => Plain(Activation.Silu)),
        new("lenet, silu", () => LeNet(Activation.Silu)),
        new("post-activation, silu", () => PostActivation(shortcutFirst: true, Activation.Silu)),
        new("pre-activation, silu", () => PreActivation(Activation.Silu)),
        new("fan-out, silu", () => FanOut(Activation.Silu)),
        new("input used twice, silu", () => InputUsedTwice(Activation.Silu)),
    ];

    private static Activation Leaky => Activation.LeakyRelu(0.125f);

    /// <summary>Input normalisation, convolutions with a bias, with and without batch normalisation, both poolings.</summary>
    private static NetworkGraph Plain(Activation activation)
    {
        var graph = new GraphBuilder("plain", new FeatureShape(2, 8, 8));
        Node x = graph.Normalize("normalize", graph.Input, [0.4f, 0.5f], [0.25f, 0.3f]);
        x = graph.MaxPool(graph.Activate(graph.Convolution("conv1", x, 5, 3, padding: 1, bias: true), activation), 2);
        x = graph.Activate(graph.BatchNormalization("bn2", graph.Convolution("conv2", x, 6, 3)), activation);
        // The gradient of a bias before batch statistics is zero but for rounding, which other activations leave more of.
        bool biased = activation == Activation.Relu;
        x = graph.Activate(graph.BatchNormalization("bn3", graph.Convolution("conv3", x, 6, 1, bias: biased)), activation);
        x = graph.AveragePool(x, 2);
        return graph.Build(graph.Linear("fc", x, 4));
    }

    /// <summary>Pooling that leaves a row over, an activation behind the pooling, linear layers over maps.</summary>
    private static NetworkGraph LeNet(Activation activation)
    {
        var graph = new GraphBuilder("lenet", new FeatureShape(1, 9, 9));
        Node x = graph.Activate(graph.MaxPool(graph.Convolution("conv1", graph.Input, 4, 5, bias: true), 2), activation);
        x = graph.Activate(graph.Convolution("conv2", x, 3, 3, padding: 1, bias: true), activation);
        x = graph.Activate(graph.Linear("fc1", x, 7, prunable: true), activation);
        return graph.Build(graph.Linear("fc2", x, 3));
    }

    /// <summary>ResNet's blocks: sum, then the activation.</summary>
    private static NetworkGraph PostActivation(bool shortcutFirst, Activation activation)
    {
        var graph = new GraphBuilder("post-activation", new FeatureShape(3, 8, 8));
        Node x = graph.Convolution("conv1", graph.Input, 4, 3, padding: 1);
        x = graph.Activate(graph.BatchNormalization("bn1", x), activation);
        x = Block("block1", x, 4, 1);
        x = Block("block2", x, 6, 2);
        x = Block("block3", x, 6, 1);
        return graph.Build(graph.Linear("fc", graph.AveragePool(x, 4), 5));

        Node Block(string name, Node input, int channels, int stride)
        {
            bool projects = stride > 1 || input.Shape.Channels != channels;
            Node shortcut = projects && shortcutFirst ? Shortcut() : input;
            Node branch = graph.Convolution($"{name}.conv1", input, channels, 3, stride, 1);
            branch = graph.Activate(graph.BatchNormalization($"{name}.bn1", branch), activation);
            branch = graph.Convolution($"{name}.conv2", branch, channels, 3, padding: 1);
            branch = graph.BatchNormalization($"{name}.bn2", branch);
            if (projects && !shortcutFirst)
                shortcut = Shortcut();
            return graph.Activate(graph.Sum($"{name}.sum", branch, shortcut), activation);

            Node Shortcut() => graph.BatchNormalization(
                $"{name}.shortcut.1", graph.Convolution($"{name}.shortcut.0", input, channels, 1, stride));
        }
    }

    /// <summary>WideResNet's blocks: normalisation and activation first, the sum bare; a shortcut from behind
    /// the first activation.</summary>
    private static NetworkGraph PreActivation(Activation activation)
    {
        var graph = new GraphBuilder("pre-activation", new FeatureShape(3, 8, 8));
        Node x = graph.Convolution("conv1", graph.Input, 4, 3, padding: 1);
        x = Block("block1", x, 6, 2);
        x = Block("block2", x, 6, 1);
        x = graph.Activate(graph.BatchNormalization("bn", x), activation);
        return graph.Build(graph.Linear("fc", graph.AveragePool(x, 4), 5));

        Node Block(string name, Node input, int channels, int stride)
        {
            Node active = graph.Activate(graph.BatchNormalization($"{name}.bn1", input), activation);
            Node shortcut = input.Shape.Channels == channels
                ? input
                : graph.Convolution($"{name}.shortcut", active, channels, 1, stride);
            Node branch = graph.Convolution($"{name}.conv1", active, channels, 3, stride, 1);
            branch = graph.Activate(graph.BatchNormalization($"{name}.bn2", branch), activation);
            branch = graph.Convolution($"{name}.conv2", branch, channels, 3, padding: 1);
            return graph.Sum($"{name}.sum", branch, shortcut);
        }
    }

    /// <summary>Batch normalisation of feature vectors, as the first layer too.</summary>
    private static NetworkGraph FeatureVectors(Activation activation)
    {
        var graph = new GraphBuilder("feature vectors", new FeatureShape(6));
        Node x = graph.BatchNormalization("bn0", graph.Input);
        x = graph.Activate(graph.BatchNormalization("bn1", graph.Linear("fc1", x, 7, prunable: true)), activation);
        x = graph.BatchNormalization("bn2", graph.Linear("fc2", x, 5, prunable: true));
        return graph.Build(graph.Linear("fc3", x, 3));
    }

    /// <summary>Values that several layers take, sums of sums, activations that cannot be fused, overlapping pooling.</summary>
    private static NetworkGraph FanOut(Activation activation)
    {
        var graph = new GraphBuilder("fan-out", new FeatureShape(2, 7, 7));
        Node a = graph.Convolution("conv1", graph.Input, 3, 3, padding: 1, bias: true);
        Node positive = graph.Activate(a, activation);
        Node first = graph.Sum("sum1", a, positive);
        Node b = graph.Convolution("conv2", first, 3, 3, padding: 1, bias: true);
        Node second = graph.Sum("sum2", b, first);
        Node active = graph.Activate(second, activation);
        Node third = graph.Sum("sum3", graph.Sum("sum4", second, active), first);
        Node twice = graph.Sum("sum5", third, third);
        Node x = graph.Activate(graph.Activate(twice, activation), activation);
        Node pooled = graph.Add("pool", new Pool(new PoolShape(PoolKind.Max, 3, 2)), x);
        Node normalised = graph.BatchNormalization("bn", pooled);
        Node sum = graph.Activate(graph.Sum("sum6", normalised, pooled), activation);
        return graph.Build(graph.Linear("fc", graph.AveragePool(sum, 3), 4));
    }

    /// <summary>The images go through an activation, a convolution and a pooling, so their gradient has three sources.</summary>
    private static NetworkGraph InputUsedTwice(Activation activation)
    {
        var graph = new GraphBuilder("input used twice", new FeatureShape(2, 6, 6));
        Node direct = graph.Activate(graph.Input, activation);
        Node convolved = graph.Convolution("conv", graph.Input, 2, 3, padding: 1, bias: true);
        Node sum = graph.Activate(graph.Sum("sum", convolved, direct), activation);
        Node small = graph.Sum("small", graph.MaxPool(sum, 2), graph.AveragePool(graph.Input, 2));
        return graph.Build(graph.Linear("fc", small, 3));
    }
}
