using System.Runtime.InteropServices;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Files that are not what they should be: each is one sentence that names the file, the tensor and the
/// remedy.</summary>
internal sealed class BadModelFileTests
{
    private const string Tensor = "layer2.0.conv1.weight";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void WriteGoodFiles()
    {
        _folder = new TemporaryFolder();
        WeightFile.Save(_folder["weights"], ModelFileFixture.State, ModelFileFixture.Metadata);
        MaskFile.Save(_folder["mask"], ModelFileFixture.Mask, ModelFileFixture.Metadata);
        TicketFile.Save(_folder["ticket"], ModelFileFixture.State, ModelFileFixture.Mask, ModelFileFixture.Metadata);
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void A_missing_tensor_is_named()
    {
        ModelFileFixture.Copy(_folder["weights"], _folder["bad"], name => name == Tensor ? null : name);
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), $"lacks tensor '{Tensor}'");
        ModelFileFixture.Copy(_folder["ticket"], _folder["bad"], name => name == "bn1.weight" ? null : name);
        AssertDamaged(() => TicketFile.Load(_folder["bad"], ModelFileFixture.Graph), "lacks tensor 'bn1.weight'");
    }

    [Test]
    public void A_surplus_tensor_is_named()
    {
        ModelFileFixture.Copy(_folder["weights"], _folder["bad"], extra: writer => writer.Add("conv9.weight", new float[2], 2));
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), "has the surplus tensor 'conv9.weight'");
    }

    [Test]
    public void Many_missing_tensors_are_counted()
    {
        ModelFileFixture.Copy(
            _folder["weights"], _folder["bad"], name => name.StartsWith("layer4", StringComparison.Ordinal) ? null : name);
        // Two convolutions and normalisations a block, and a shortcut of both: 15 + 10 tensors, three of them by name.
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), " and 22 more for the model resnet18-w2");
    }

    [Test]
    public void A_wrong_shape_is_named()
    {
        // As many elements, in another order.
        ModelFileFixture.Copy(_folder["weights"], _folder["bad"], bytes: (name, tensor) => name == Tensor
            ? (tensor.Item1, [2, 4, 3, 3], tensor.Item3)
            : tensor);
        AssertDamaged(() => WeightFile.Load(
            _folder["bad"], ModelFileFixture.Graph), $"Tensor '{Tensor}'", "F32 [2, 4, 3, 3]", "F32 [4, 2, 3, 3]");
        ModelFileFixture.Copy(_folder["mask"], _folder["bad"], bytes: (name, tensor) => name == "mask." + Tensor
            ? (tensor.Item1, [72], tensor.Item3)
            : tensor);
        AssertDamaged(() => MaskFile.Load(_folder["bad"], ModelFileFixture.Graph), $"Tensor 'mask.{Tensor}'", "U8 [72]");
    }

    [Test]
    public void A_wrong_type_is_named()
    {
        ModelFileFixture.Copy(_folder["weights"], _folder["bad"], bytes: (name, tensor) => name == Tensor
            ? (SafetensorsType.I32, tensor.Item2, tensor.Item3)
            : tensor);
        AssertDamaged(
            () => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), $"Tensor '{Tensor}'", "of type I32", "save it as F32");
        ModelFileFixture.Copy(_folder["mask"], _folder["bad"], bytes: (name, tensor) => name == "mask." + Tensor
            ? (SafetensorsType.Bool, tensor.Item2, tensor.Item3)
            : tensor);
        AssertDamaged(() => MaskFile.Load(_folder["bad"], ModelFileFixture.Graph), $"Tensor 'mask.{Tensor}'", "of type BOOL");
    }

    [TestCase(float.NaN)]
    [TestCase(float.NegativeInfinity)]
    public void A_weight_that_is_no_number_is_named(float value)
    {
        ModelState state = ModelFileFixture.State.Clone();
        state[Tensor][17] = value;
        WeightFile.Save(_folder["bad"], state, ModelFileFixture.Metadata);
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), $"Tensor '{Tensor}'", "at index 17");
        TicketFile.Save(_folder["bad"], state, ModelFileFixture.Mask, ModelFileFixture.Metadata);
        AssertDamaged(() => TicketFile.Load(_folder["bad"], ModelFileFixture.Graph), $"Tensor '{Tensor}'", "at index 17");
    }

    [Test]
    public void A_negative_variance_is_named()
    {
        ModelState state = ModelFileFixture.State.Clone();
        state["bn1.running_var"][1] = -0.5f;
        WeightFile.Save(_folder["bad"], state, ModelFileFixture.Metadata);
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), "'bn1.running_var'", "-0.5 at index 1");
    }

    [Test]
    public void A_mask_value_other_than_0_and_1_is_named()
    {
        ModelFileFixture.Copy(_folder["mask"], _folder["bad"], bytes: (name, tensor) =>
        {
            if (name == "mask." + Tensor)
                tensor.Item3[5] = 255;
            return tensor;
        });
        AssertDamaged(
            () => MaskFile.Load(_folder["bad"], ModelFileFixture.Graph), $"Tensor 'mask.{Tensor}'", "holds 255 at index 5");
    }

    [Test]
    public void A_mask_of_another_model_is_told_by_its_metadata()
    {
        NetworkGraph other = ModelCatalog.Build("resnet18-w4", new ModelOptions(new FeatureShape(3, 32, 32)));
        AssertConfiguration(
            () => MaskFile.Load(_folder["mask"], other), "mask file of the model resnet18-w2, not of resnet18-w4");
        AssertConfiguration(
            () => WeightFile.Load(_folder["weights"], other), "weights file of the model resnet18-w2, not of resnet18-w4");
        AssertConfiguration(
            () => TicketFile.Load(_folder["ticket"], other), "ticket file of the model resnet18-w2, not of resnet18-w4");
    }

    [Test]
    public void A_mask_of_another_model_without_metadata_is_told_by_its_tensors()
    {
        ModelFileFixture.Copy(_folder["mask"], _folder["bare"], metadata: (_, _) => null);
        NetworkGraph wider = ModelCatalog.Build("resnet18-w4", new ModelOptions(new FeatureShape(3, 32, 32)));
        AssertDamaged("bare", () => MaskFile.Load(
            _folder["bare"], wider), "Tensor 'mask.conv1.weight'", "resnet18-w4 needs U8 [4, 3, 3, 3]");
        NetworkGraph vgg = ModelCatalog.Build("vgg16-w4", new ModelOptions(new FeatureShape(3, 32, 32)));
        AssertDamaged("bare", () => MaskFile.Load(
            _folder["bare"], vgg), "lacks tensors 'mask.feature.0.weight'", "surplus tensors 'mask.conv1.weight'");
    }

    [Test]
    public void A_mask_of_another_choice_of_prunable_tensors_is_told()
    {
        var options = new ModelOptions(new FeatureShape(1, 28, 28));
        NetworkGraph all = ModelCatalog.Build("lenet-2-2-4", options),
        convolutions = ModelCatalog.Build("lenet-2-2-4", options with { PruneHiddenLinear = false });
        MaskFile.Save(_folder["all"], Mask.Dense(all.Table), ModelFileMetadata.Of(all));
        AssertConfiguration(
            () => MaskFile.Load(_folder["all"], convolutions), "has the surplus tensor 'mask.fc1.weight'",
            "another choice of prunable tensors");
    }

    [Test]
    public void A_file_of_another_kind_is_told()
    {
        AssertConfiguration(
            () => MaskFile.Load(_folder["weights"], ModelFileFixture.Graph), "is a weights file where a mask file is needed");
        AssertConfiguration(
            () => WeightFile.Load(_folder["ticket"], ModelFileFixture.Graph), "is a ticket file where a weights file is needed");
        AssertConfiguration(
            () => TicketFile.Load(_folder["mask"], ModelFileFixture.Graph), "is a mask file where a ticket file is needed");
    }

    [Test]
    public void A_file_of_a_later_version_is_told()
    {
        ModelFileFixture.Copy(_folder["mask"], _folder["later"], metadata: (key, value) => key.EndsWith(
            "format", StringComparison.Ordinal) ? "2" : value);
        AssertConfiguration(() => MaskFile.Load(_folder["later"], ModelFileFixture.Graph), "later version", "update the program");
    }

    [TestCase("input", "3x32")]
    [TestCase("input", "a")]
    [TestCase("classes", "-1")]
    [TestCase("seed", "99999999999999999999")]
    [TestCase("pruning.ratio", "much")]
    [TestCase("normalization.mean", "0.5")]
    [TestCase("normalization.deviation", "1,,2")]
    public void Senseless_metadata_are_named(string key, string value)
    {
        ModelFileFixture.Copy(
            _folder["mask"], _folder["bad"], metadata: (name, old) => name == ModelFileMetadata.Prefix + key ? value : old);
        string shown = key == "normalization.mean" ? "normalization.deviation" : key;
        AssertDamaged(() => MaskFile.Load(_folder["bad"], ModelFileFixture.Graph), $"boosting-ticket.{shown}");
    }

    [Test]
    public void A_flipped_bit_is_found()
    {
        byte[] bytes = File.ReadAllBytes(_folder["weights"]);
        bytes[^1000] ^= 1;
        File.WriteAllBytes(_folder["bad"], bytes);
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), "checksum");
        AssertDamaged(() => FileInspector.Inspect(_folder["bad"]), "checksum");
    }

    [Test]
    public void A_missing_file_is_named() =>
        AssertConfiguration(() => MaskFile.Load(_folder["none"], ModelFileFixture.Graph), _folder["none"]);

    [Test]
    public void A_file_that_cannot_be_loaded_can_be_replaced()
    {
        AssertConfiguration(() => MaskFile.Load(_folder["weights"], ModelFileFixture.Graph), "mask file is needed");
        MaskFile.Save(_folder["weights"], ModelFileFixture.Mask, ModelFileFixture.Metadata);
        Assert.That(MaskFile.Load(_folder["weights"], ModelFileFixture.Graph).Mask, Is.EqualTo(ModelFileFixture.Mask));
    }

    [Test]
    public void Two_tensors_of_one_name_are_told()
    {
        ModelFileFixture.Copy(
            _folder["weights"], _folder["bad"], metadata: (_, _) => null,
            extra: writer =>
                writer.AddBytes("module.bn1.weight", SafetensorsType.F32, MemoryMarshal.AsBytes<float>([1, 1]).ToArray(), 2));
        AssertDamaged(() => WeightFile.Load(_folder["bad"], ModelFileFixture.Graph), "two tensors for 'bn1.weight'");
    }

    private void AssertDamaged(Action action, params string[] parts) => AssertDamaged("bad", action, parts);

    private void AssertDamaged(string file, Action action, params string[] parts)
    {
        DamagedFileException? error = Assert.Throws<DamagedFileException>(action);
        Assert.That(error!.ExitCode, Is.EqualTo(6));
        AssertSentence(error.Message, [_folder[file], .. parts]);
    }

    private static void AssertConfiguration(Action action, params string[] parts)
    {
        ConfigurationException? error = Assert.Throws<ConfigurationException>(action);
        Assert.That(error!.ExitCode, Is.EqualTo(2));
        AssertSentence(error.Message, parts);
    }

    private static void AssertSentence(string message, string[] parts)
    {
        foreach (string part in parts)
            Assert.That(message, Does.Contain(part));
        Assert.That(message, Does.EndWith(".").And.Not.Contain('\n'));
        Assert.That(message, Does.Match("; |: "), "a remedy");
    }
}
