using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Models;

/// <summary>PreActResNet-18 and WideResNet with SiLU, against the published code's text.</summary>
internal sealed class ActivationModelTests
{
    private static readonly ModelOptions Options = new(new FeatureShape(3, 32, 32));

    [Test]
    public void PreActResNet18_is_named_as_in_fast_adversarial([Values("preact-resnet18", "preact-resnet18-v2")] string model)
    {
        List<string> expected = ["conv1.weight 64,3,3,3"];
        int inputs = 64;
        for (int stage = 1; stage <= 4; stage++)
        {
            int channels = 32 << stage;
            for (int block = 0; block < 2; block++)
            {
                string name = $"layer{stage}.{block}";
                expected.AddRange([.. Normalization($"{name}.bn1", inputs), $"{name}.conv1.weight {channels},{inputs},3,3"]);
                expected.AddRange([.. Normalization($"{name}.bn2", channels), $"{name}.conv2.weight {channels},{channels},3,3"]);
                if (inputs != channels)
                    expected.Add($"{name}.shortcut.0.weight {channels},{inputs},1,1");
                inputs = channels;
            }
        }
        expected.AddRange([.. Normalization("bn", 512), "linear.weight 10,512", "linear.bias 10"]);
        ParameterTable table = ModelCatalog.Build(model, Options).Table;
        Assert.That(
            table.All.Select(parameter => $"{parameter.Name} {string.Join(',', parameter.Spec.Dimensions)}"),
            Is.EquivalentTo(expected));
    }

    /// <summary>fast_adversarial: shortcut(x). robust_overfitting: shortcut(relu(bn1(x))).</summary>
    [TestCase("preact-resnet18-w4", "layer1.1.sum")]
    [TestCase("preact-resnet18-v2-w4", "layer2.0.bn1.relu")]
    public void The_two_versions_differ_in_what_shortcuts_read(string model, string source)
    {
        Node shortcut = ModelCatalog.Build(model, Options).Nodes.Single(node => node.Name == "layer2.0.shortcut.0");
        Assert.That(shortcut.Inputs[0].Name, Is.EqualTo(source));
    }

    [Test]
    public void A_WideResNet_with_SiLU_differs_in_its_activations_alone()
    {
        NetworkGraph relu = ModelCatalog.Build("wrn-16-2", Options), silu = ModelCatalog.Build("wrn-16-2-silu", Options);
        ActivationLayer[] layers = [.. silu.Nodes.Select(node => node.Layer).OfType<ActivationLayer>()];
        Assert.That(layers.Select(layer => layer.Activation), Has.Exactly(13).Items.And.All.EqualTo(Activation.Silu));
        Assert.That(
            silu.Nodes.Select(node => node.Name.Replace("silu", "relu", StringComparison.Ordinal)),
            Is.EqualTo(relu.Nodes.Select(node => node.Name)));
        Assert.That(
            silu.Table.All.Select(parameter => (parameter.Name, parameter.Offset)),
            Is.EqualTo(relu.Table.All.Select(parameter => (parameter.Name, parameter.Offset))));
    }

    [Test]
    public void Tensors_are_recognised_as_the_first_model_that_has_them()
    {
        foreach ((string model, string recognised) in new[]
        {
            ("preact-resnet18-w4", "preact-resnet18-w4"), ("resnet18-w4", "resnet18-w4"), ("wrn-16-2-silu", "wrn-16-2"),
        })
        {
            var shapes = ModelCatalog.Build(model, Options).Table.All.ToDictionary(
                parameter => parameter.Name,
                parameter => (IReadOnlyList<long>)[.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)]);
            Assert.That(ModelCatalog.Recognize(shapes)?.Name, Is.EqualTo(recognised));
        }
    }

    [TestCase("wrn-28-10-silu", "2", "wrn-28-2-silu")]
    [TestCase("preact-resnet18", "16", "preact-resnet18-w16")]
    [TestCase("preact-resnet18-w8", "16", "preact-resnet18-w16")]
    [TestCase("preact-resnet18-v2", "16", "preact-resnet18-v2-w16")]
    [TestCase("preact-resnet18-v2-w8", "64", "preact-resnet18-v2-w64")]
    [TestCase("resnet18-w8", "16", "resnet18-w16")]
    public void A_width_changes_the_name(string model, string width, string expected) =>
        Assert.That(ModelWidth.Change(model, width), Is.EqualTo(expected));

    [TestCase("trades")]
    [TestCase("robustbench")]
    public void Weights_behind_SiLU_are_not_exported_to_code_with_ReLU(string style)
    {
        Assert.That(PyTorchStyle.Find(style, "wrn-28-10").Name, Is.EqualTo(style));
        Assert.That(
            () => PyTorchStyle.Find(style, "wrn-28-10-silu"),
            Throws.TypeOf<ConfigurationException>().With.Message.EndsWith("choose one of: pytorch."));
        Assert.That(PyTorchStyle.Find("fast-adversarial", "preact-resnet18-w16").Name, Is.EqualTo("fast-adversarial"));
    }

    private static string[] Normalization(string name, int channels) =>
        [.. new[] { "weight", "bias", "running_mean", "running_var" }.Select(local => $"{name}.{local} {channels}")];
}
