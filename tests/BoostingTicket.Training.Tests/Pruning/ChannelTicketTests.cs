using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

/// <summary>Networks of fewer channels, of every family: what they are, how they are chosen, and that they compute what the full
/// network computes without the others.</summary>
internal sealed class ChannelTicketTests
{
    private static readonly string[] Families =
    [
        "lenet-6-8-12", "lenet-6-8-12-p2", "vgg16-w4", "resnet18-w4", "preact-resnet18-w4", "preact-resnet18-v2-w4", "wrn-10-1",
        "wrn-16-1-silu",
    ];

    private static ChannelOptions Half(string scope = "global") => new(0.5, scope) { Multiple = 1 };

    [Test]
    public void The_small_network_computes_what_the_full_one_does_without_the_other_channels(
        [ValueSource(nameof(Families))] string model, [Values] bool batchStatistics)
    {
        NetworkGraph graph = Build(model);
        ModelState state = Trained(graph);
        ChannelSelection chosen = ChannelPruner.Select(graph, state, Half());
        ModelState small = chosen.Take(state);
        chosen.Silence(state);
        float[] full = Logits(graph, state, batchStatistics), rebuilt = Logits(chosen.Graph, small, batchStatistics);
        Assert.Multiple(() =>
        {
            Assert.That(full.Max(Math.Abs), Is.GreaterThan(1e-3), "there is something to compare");
            Assert.That(rebuilt, Is.EqualTo(full).Within(2e-4));
            Assert.That(chosen.Graph.Table.TrainedLength, Is.LessThan(graph.Table.TrainedLength));
        });
    }

    [Test]
    public void At_initial_values_a_mask_of_weights_alone_is_enough([ValueSource(nameof(Families))] string model)
    {
        NetworkGraph graph = Build(model);
        ModelState initial = Initialization.Draw(graph.Table, seed: 3);
        ChannelSelection chosen = ChannelPruner.Select(graph, initial, Half());
        ModelState small = chosen.Take(initial);
        chosen.Widen(Mask.Dense(chosen.Graph.Table)).Apply(initial.Weights);
        Assert.That(
            Logits(chosen.Graph, small, batchStatistics: false),
            Is.EqualTo(Logits(graph, initial, batchStatistics: false)).Within(2e-4));
    }

    [Test]
    public void A_trained_normalisation_passes_on_a_constant_that_the_small_network_lacks()
    {
        NetworkGraph graph = Build("resnet18-w4");
        ModelState state = Trained(graph);
        ChannelSelection chosen = ChannelPruner.Select(graph, state, Half());
        ModelState small = chosen.Take(state);
        chosen.Widen(Mask.Dense(chosen.Graph.Table)).Apply(state.Weights);
        float[] masked = Logits(graph, state, batchStatistics: false),
        rebuilt = Logits(chosen.Graph, small, batchStatistics: false);
        Assert.That(masked.Zip(rebuilt, (a, b) => Math.Abs(a - b)).Max(), Is.GreaterThan(1e-2));
    }

    [TestCase("lenet-6-8-12", "conv1 6; conv2 8; fc1 12")]
    [TestCase("vgg16-w4", "feature.0 4; feature.3 4; feature.7 8; feature.10 8; feature.14 16; feature.17 16; feature.20 16; "
        + "feature.24 32; feature.27 32; feature.30 32; feature.34 32; feature.37 32; feature.40 32; classifier.0 32")]
    [TestCase("resnet18-w4", "conv1 4 = layer1.0.conv2 = layer1.1.conv2; layer1.0.conv1 4; layer1.1.conv1 4; layer2.0.conv1 8; "
        + "layer2.0.shortcut.0 8 = layer2.0.conv2 = layer2.1.conv2; layer2.1.conv1 8; layer3.0.conv1 16; "
        + "layer3.0.shortcut.0 16 = layer3.0.conv2 = layer3.1.conv2; layer3.1.conv1 16; layer4.0.conv1 32; "
        + "layer4.0.shortcut.0 32 = layer4.0.conv2 = layer4.1.conv2; layer4.1.conv1 32")]
    [TestCase("wrn-10-1", "conv1 16 = block1.layer.0.conv2; block1.layer.0.conv1 16; block2.layer.0.conv1 32; "
        + "block2.layer.0.convShortcut 32 = block2.layer.0.conv2; block3.layer.0.conv1 64; "
        + "block3.layer.0.convShortcut 64 = block3.layer.0.conv2")]
    public void Residual_sums_tie_channels(string model, string expected)
    {
        ChannelGroups groups = ChannelGroups.Of(Build(model));
        Assert.That(
            string.Join("; ", groups.All.Select(group =>
                string.Join(" = ", group.Producers.Select((node, i) => i == 0 ? $"{node.Name} {group.Channels}" : node.Name)))),
            Is.EqualTo(expected));
    }

    [Test]
    public void Normalisations_and_readers_of_a_group_are_known()
    {
        ChannelGroups groups = ChannelGroups.Of(Build("preact-resnet18-w4"));
        ChannelGroup first = groups.All[0];
        Assert.Multiple(() =>
        {
            Assert.That(
                first.Normalizations.Select(node => node.Name), Is.EqualTo(["layer1.0.bn1", "layer1.1.bn1", "layer2.0.bn1"]));
            Assert.That(
                first.Consumers.Select(node => node.Name),
                Is.EqualTo(["layer1.0.conv1", "layer1.1.conv1", "layer2.0.conv1", "layer2.0.shortcut.0"]));
            Assert.That(groups.All[^2].Consumers.Select(node => node.Name), Does.Contain("linear"));
        });
    }

    [Test]
    public void At_least_the_ratio_of_multiply_adds_goes_and_not_much_more(
        [ValueSource(nameof(Families))] string model, [Values("global", "layerwise", "cost")] string scope)
    {
        NetworkGraph graph = Build(model);
        ModelState state = Trained(graph);
        ChannelSelection chosen = ChannelPruner.Select(graph, state, Half(scope));
        double kept = (double)chosen.Graph.MultiplyAdds / graph.MultiplyAdds;
        Assert.Multiple(() =>
        {
            Assert.That(kept, Is.LessThanOrEqualTo(0.5).And.GreaterThan(0.3));
            Assert.That(chosen.Groups.MultiplyAdds(chosen.Widths), Is.EqualTo(chosen.Graph.MultiplyAdds));
            Assert.That(ChannelPruner.Select(graph, state, Half(scope)).Kept, Is.EqualTo(chosen.Kept), "the same again");
        });
    }

    [Test]
    public void Numbers_of_channels_are_multiples_or_all([Values(4, 8)] int multiple)
    {
        NetworkGraph graph = Build("lenet-6-32-40");
        ChannelSelection chosen = ChannelPruner.Select(
            graph, Trained(graph), new ChannelOptions(0.5, "global") { Multiple = multiple });
        foreach ((ChannelGroup group, int width) in chosen.Groups.All.Zip(chosen.Widths))
            Assert.That(width % multiple == 0 || width == group.Channels, $"{group.Name} keeps {width}");
        Assert.That(chosen.Graph.MultiplyAdds, Is.LessThanOrEqualTo(graph.MultiplyAdds / 2));
    }

    [Test]
    public void The_channels_with_the_smallest_filters_go()
    {
        NetworkGraph graph = Build("lenet-6-8-12");
        ModelState state = Trained(graph);
        Span<float> filters = state["conv2.weight"];
        int length = filters.Length / 8;
        foreach (int channel in (int[])[1, 4, 5])
        {
            foreach (ref float weight in filters.Slice(channel * length, length))
                weight *= 0.01f;
        }

        ChannelSelection chosen = ChannelPruner.Select(graph, state, new ChannelOptions(0.25, "global") { Multiple = 1 });
        Assert.That(chosen.Kept[1], Is.EqualTo([0, 2, 3, 6, 7]));
    }

    [Test]
    public void Gamma_decides_where_it_is_asked_and_there_is_some()
    {
        NetworkGraph graph = Build("resnet18-w4");
        ModelState state = Trained(graph);
        // The last stage's stream passes through three normalisations.
        foreach (string name in (string[])["layer4.0.shortcut.1", "layer4.0.bn2", "layer4.1.bn2"])
            state[$"{name}.weight"][7..].Fill(-0.001f);
        var options = new ChannelOptions(0.3, "global", ChannelCriterion.Gamma) { Multiple = 1 };
        ChannelSelection chosen = ChannelPruner.Select(graph, state, options);
        int stream = chosen.Groups.All.ToList().FindIndex(group => group.Name == "layer4.0.shortcut.0");
        NetworkGraph lenet = Build("lenet-6-8-12");
        Assert.Multiple(() =>
        {
            Assert.That(chosen.Kept[stream], Is.EqualTo([0, 1, 2, 3, 4, 5, 6]));
            Assert.That(
                () => ChannelPruner.Select(lenet, Trained(lenet), options),
                Throws.TypeOf<ConfigurationException>().With.Message.StartsWith(
                    "The channels of conv1 pass through no normalisation"));
        });
    }

    [Test]
    public void Costly_channels_go_sooner_with_the_scope_cost()
    {
        NetworkGraph graph = Build("resnet18-w4");
        ModelState state = Initialization.Draw(graph.Table, 1);
        int first = ChannelPruner.Select(graph, state, Half()).Widths[0];
        int costly = ChannelPruner.Select(graph, state, Half("cost") with { CostExponent = 1 }).Widths[0];
        Assert.That(costly, Is.LessThan(first));
    }

    [Test]
    public void Unprunable_units_stay_and_their_inputs_follow()
    {
        NetworkGraph graph = Build("vgg16-w4");
        ChannelSelection chosen = ChannelPruner.Select(graph, Trained(graph), Half());
        Assert.Multiple(() =>
        {
            Assert.That(chosen.Widths[^1], Is.EqualTo(32), "hidden linear units are not prunable by default");
            Assert.That(
                chosen.Graph.Table["classifier.0.weight"].Spec.Dimensions, Is.EqualTo([32, chosen.Widths[^2]]));
        });
    }

    [Test]
    public void Ratios_that_channels_cannot_reach_are_refused_with_what_they_can()
    {
        NetworkGraph graph = Build("lenet-6-8-12");
        Assert.That(
            () => ChannelPruner.Select(graph, Trained(graph), new ChannelOptions(0.999, "global")),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith(
                "Channels cannot remove 0.999 of the multiply-adds of lenet-6-8-12: at most 0."));
    }

    [Test]
    public void Channels_and_weights_go_together_and_controls_have_the_same_shapes()
    {
        NetworkGraph graph = Build("resnet18-w8");
        ModelState state = Trained(graph);
        var options = new SubNetworkOptions(
            TicketStructure.Find("channel,weight"), "global", new PruningOptions(0.8), 0.5, ChannelCriterion.Norm);
        (SubNetwork network, PruningReport report) = SubNetworkPruner.Draw(graph, state, options);
        SubNetwork shuffled = network.Shuffled(3);
        Assert.Multiple(() =>
        {
            Assert.That(network.Mask.Sparsity, Is.EqualTo(0.8).Within(1e-3), "of the weights that the channels leave");
            Assert.That(network.Graph.MultiplyAdds, Is.LessThanOrEqualTo(graph.MultiplyAdds / 2));
            Assert.That(network.FullMask.Sparsity, Is.EqualTo(network.Sparsity).And.GreaterThan(0.8));
            Assert.That(report.Sparsity, Is.EqualTo(network.Sparsity));
            Assert.That(report.KeptMultiplyAdds, Is.EqualTo(network.MultiplyAdds));
            Assert.That(network.Channels!.Narrow(network.FullMask), Is.EqualTo(network.Mask));
            Assert.That(shuffled.Channels!.Widths, Is.EqualTo(network.Channels.Widths));
            Assert.That(shuffled.Channels.Kept, Is.Not.EqualTo(network.Channels.Kept));
            Assert.That(shuffled.Mask.Kept, Is.EqualTo(network.Mask.Kept));
            Assert.That(shuffled.Mask, Is.Not.EqualTo(network.Mask));
            Assert.That(network.Shuffled(3).Channels!.Kept, Is.EqualTo(shuffled.Channels.Kept), "the same again");
        });
    }

    [Test]
    public void A_second_choice_is_one_among_the_first()
    {
        NetworkGraph graph = Build("wrn-10-1");
        ModelState state = Trained(graph);
        var options = new SubNetworkOptions(
            TicketStructure.Find("channel"), "global", new PruningOptions(0.3), 0.3, ChannelCriterion.Norm, Multiple: 1);
        SubNetwork first = SubNetworkPruner.Draw(graph, state, options).Network;
        SubNetwork second = SubNetworkPruner.Draw(graph, first.Take(state), options with { ChannelRatio = 0.6 }, first).Network;
        Assert.Multiple(() =>
        {
            Assert.That(second.Graph.MultiplyAdds, Is.LessThanOrEqualTo(0.4 * graph.MultiplyAdds));
            Assert.That(second.FullMask.IsSubsetOf(first.FullMask));
            Assert.That(second.TrainingMask, Is.Null, "a smaller dense network");
            Assert.That(second.Take(state).ContentEquals(second.Channels!.Take(state)));
        });
    }

    [Test]
    public void Widths_that_a_model_cannot_have_are_refused()
    {
        var options = new ModelOptions(new FeatureShape(1, 28, 28));
        foreach ((int[] widths, string words) in ((int[], string)[])
            [([3, 4], "it has 3 groups of channels, not 2"), ([3, 4, 0], "fc1 has 12 channels and cannot have 0"),
            ([7, 4, 4], "conv1 has 6 channels and cannot have 7")])
        {
            Assert.That(
                () => ModelCatalog.Build("lenet-6-8-12", options with { Channels = widths }),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains(words));
        }

        NetworkGraph whole = ModelCatalog.Build("lenet-6-8-12", options with { Channels = [6, 8, 12] });
        Assert.That(whole.Channels, Is.Null, "all channels are the model itself");
    }

    private static NetworkGraph Build(string model) => ModelCatalog.Build(
        model, new ModelOptions(model.StartsWith("lenet", StringComparison.Ordinal) ? new(1, 28, 28) : new(3, 32, 32)));

    // Values as after a training: biases and β that are not zero, γ and statistics of their own.
    private static ModelState Trained(NetworkGraph graph)
    {
        ModelState state = Initialization.Draw(graph.Table, seed: 7);
        ModelState noise = Initialization.Draw(graph.Table, seed: 8);
        foreach (Parameter parameter in graph.Table.All)
        {
            Span<float> values = state[parameter];
            for (int i = 0; i < values.Length; i++)
            {
                float random = noise.Weights[(i + parameter.Offset) % noise.Weights.Length];
                values[i] += parameter.Role switch
                {
                    ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight => 0,
                    ParameterRole.RunningVariance or ParameterRole.NormalizationScale => Math.Abs(random),
                    _ => random,
                };
            }
        }

        return state;
    }

    private static float[] Logits(NetworkGraph graph, ModelState state, bool batchStatistics)
    {
        const int Batch = 5;
        using IBackend backend = CpuBackend.Create(1);
        using var network = new Network(graph, backend);
        state.CopyTo(network.Parameters, backend);
        float[] images = new float[Batch * graph.Input.Shape.Length];
        for (int i = 0; i < images.Length; i++)
            images[i] = Philox.Uniform(Philox.Words(7, (uint)i, 0, 0, 0)[0]);
        Plan plan = network.Plan(new PlanOptions(
            Batch, PlanMode.Attack, AttackStatistics: batchStatistics ? AttackStatistics.Batch : AttackStatistics.Running));
        backend.Upload(images, network.Buffers(Batch).Input);
        plan.Forward();
        float[] logits = new float[Batch * graph.Classes];
        backend.Download(plan.Logits, logits);
        return logits;
    }
}
