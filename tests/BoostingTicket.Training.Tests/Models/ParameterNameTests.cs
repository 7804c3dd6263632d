using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Models;

/// <summary>Names and shapes as a PyTorch state_dict has them, written out from the published models.</summary>
internal sealed class ParameterNameTests
{
    [Test]
    public void Vgg16_is_named_as_in_rethinking_network_pruning()
    {
        int[] convolutions = [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40];
        int[] channels = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
        var expected = new List<string>();
        int inputs = 3;
        for (int i = 0; i < convolutions.Length; i++)
        {
            expected.Add($"feature.{convolutions[i]}.weight {channels[i]},{inputs},3,3");
            expected.AddRange(Normalization($"feature.{convolutions[i] + 1}", channels[i]));
            inputs = channels[i];
        }

        expected.AddRange(["classifier.0.weight 512,512", "classifier.0.bias 512", .. Normalization("classifier.1", 512)]);
        expected.AddRange(["classifier.3.weight 10,512", "classifier.3.bias 10"]);
        AssertNames("vgg16", expected);
    }

    [Test]
    public void ResNet18_is_named_as_in_pytorch_cifar()
    {
        List<string> expected = ["conv1.weight 64,3,3,3", .. Normalization("bn1", 64)];
        int inputs = 64;
        for (int stage = 1; stage <= 4; stage++)
        {
            int channels = 32 << stage;
            for (int block = 0; block < 2; block++)
            {
                string name = $"layer{stage}.{block}";
                expected.AddRange([$"{name}.conv1.weight {channels},{inputs},3,3", .. Normalization($"{name}.bn1", channels)]);
                expected.AddRange([$"{name}.conv2.weight {channels},{channels},3,3", .. Normalization($"{name}.bn2", channels)]);
                if (stage > 1 && block == 0)
                    expected.AddRange(
                        [$"{name}.shortcut.0.weight {channels},{inputs},1,1", .. Normalization($"{name}.shortcut.1", channels)]);
                inputs = channels;
            }
        }

        expected.AddRange(["linear.weight 10,512", "linear.bias 10"]);
        AssertNames("resnet18", expected);
    }

    [TestCase("wrn-16-4", 2, 4)]
    [TestCase("wrn-10-1", 1, 1)]
    public void WideResNet_is_named_as_in_trades(string model, int blocks, int factor)
    {
        List<string> expected = ["conv1.weight 16,3,3,3"];
        int inputs = 16;
        for (int stage = 1; stage <= 3; stage++)
        {
            int channels = (8 << stage) * factor;
            for (int block = 0; block < blocks; block++)
            {
                string name = $"block{stage}.layer.{block}";
                expected.AddRange([.. Normalization($"{name}.bn1", inputs), $"{name}.conv1.weight {channels},{inputs},3,3"]);
                expected.AddRange([.. Normalization($"{name}.bn2", channels), $"{name}.conv2.weight {channels},{channels},3,3"]);
                if (inputs != channels)
                    expected.Add($"{name}.convShortcut.weight {channels},{inputs},1,1");
                inputs = channels;
            }
        }

        expected.AddRange([.. Normalization("bn1", 64 * factor), $"fc.weight 10,{64 * factor}", "fc.bias 10"]);
        AssertNames(model, expected);
    }

    [Test]
    public void LeNet_is_named_by_its_four_layers() => AssertNames(
        "lenet",
        [
            "conv1.weight 20,1,5,5", "conv1.bias 20", "conv2.weight 50,20,5,5", "conv2.bias 50",
            "fc1.weight 500,800", "fc1.bias 500", "fc2.weight 10,500", "fc2.bias 10",
        ]);

    private static string[] Normalization(string name, int channels) =>
        [.. new[] { "weight", "bias", "running_mean", "running_var" }.Select(local => $"{name}.{local} {channels}")];

    private static void AssertNames(string model, List<string> expected)
    {
        FeatureShape input = model == "lenet" ? new FeatureShape(1, 28, 28) : new FeatureShape(3, 32, 32);
        ParameterTable table = ModelCatalog.Build(model, new ModelOptions(input)).Table;
        Assert.That(table.All.Select(
            parameter => $"{parameter.Name} {string.Join(',', parameter.Spec.Dimensions)}"), Is.EquivalentTo(expected));
    }
}
