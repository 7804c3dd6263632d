using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

internal sealed class FileInspectorTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void A_mask_is_described_layer_by_layer()
    {
        MaskFile.Save(_folder["mask"], ModelFileFixture.Mask, ModelFileFixture.Metadata);
        FileReport report = FileInspector.Inspect(_folder["mask"]);
        Assert.That((report.Kind, report.Model, report.IsOwn, report.HasChecksum), Is.EqualTo(
            (FileKind.Mask, "resnet18-w2", true, true)));
        Assert.That(report.Bytes, Is.EqualTo(new FileInfo(_folder["mask"]).Length));
        Assert.That((report.Total, report.Kept, report.Sparsity), Is.EqualTo(
            (ModelFileFixture.Mask.Length, ModelFileFixture.Mask.Kept, ModelFileFixture.Mask.Sparsity)));
        AssertLayers(report);
    }

    [Test]
    public void A_ticket_is_described_by_its_mask()
    {
        TicketFile.Save(_folder["ticket"], ModelFileFixture.State, ModelFileFixture.Mask, ModelFileFixture.Metadata);
        FileReport report = FileInspector.Inspect(_folder["ticket"]);
        Assert.That(
            (report.Kind, report.Model, report.Origin?.Seed), Is.EqualTo((FileKind.Ticket, "resnet18-w2", ulong.MaxValue)));
        Assert.That(report.Tensors, Has.Count.EqualTo(
            ModelFileFixture.Graph.Table.All.Count + ModelFileFixture.Graph.Table.Prunable.Count()));
        AssertLayers(report);
    }

    [Test]
    public void Weights_are_described_by_their_zeros()
    {
        ModelState pruned = ModelFileFixture.State.Clone();
        ModelFileFixture.Mask.Apply(pruned.Weights);
        WeightFile.Save(_folder["weights"], pruned, ModelFileFixture.Metadata);
        FileReport report = FileInspector.Inspect(_folder["weights"]);
        Assert.That((report.Kind, report.NonFinite), Is.EqualTo((FileKind.Weights, 0)));
        TensorReport tensor = report.Tensors.Single(tensor => tensor.Name == "layer2.0.conv1.weight");
        Assert.That((tensor.Type, tensor.Length, tensor.Bytes), Is.EqualTo((SafetensorsType.F32, 72, 288)));
        Assert.That(tensor.Shape, Is.EqualTo(new long[] { 4, 2, 3, 3 }));
        // The last layer is not prunable, but weights all the same.
        Assert.That(report.Layers.Select(layer => layer.Name), Does.Contain("linear.weight"));
        foreach (Parameter parameter in ModelFileFixture.Graph.Table.Prunable)
            Assert.That(report.Layers.Single(layer => layer.Name == parameter.Name).Kept, Is.EqualTo(
                ModelFileFixture.Mask[parameter].Count((byte)1)));
    }

    [Test]
    public void Values_that_are_no_numbers_are_counted()
    {
        ModelState state = ModelFileFixture.State.Clone();
        state["bn1.weight"][0] = float.NaN;
        state["conv1.weight"][3] = float.PositiveInfinity;
        WeightFile.Save(_folder["weights"], state, ModelFileFixture.Metadata);
        FileReport report = FileInspector.Inspect(_folder["weights"]);
        Assert.That(report.NonFinite, Is.EqualTo(2));
        Assert.That(report.Tensors.Where(tensor => tensor.NonFinite > 0).Select(tensor => tensor.Name), Is.EqualTo(
            new[] { "bn1.weight", "conv1.weight" }));
    }

    [TestCase("vgg16-w4", 3)]
    [TestCase("vgg16-w4", 1)]
    [TestCase("resnet18-w3", 3)]
    [TestCase("wrn-16-2", 3)]
    [TestCase("wrn-10-1", 1)]
    [TestCase("lenet", 1)]
    [TestCase("lenet-4-8-32-p2", 1)]
    [TestCase("lenet-4-8-32", 3)]
    public void The_model_of_somebody_elses_weights_is_recognised(string model, int channels)
    {
        int side = channels == 1 ? 28 : 32;
        NetworkGraph graph = ModelCatalog.Build(model, new ModelOptions(new FeatureShape(channels, side, side), 7));
        WeightFile.Save(_folder["own"], Initialization.Draw(graph.Table, 1), ModelFileMetadata.Of(graph));
        ModelFileFixture.Copy(_folder["own"], _folder["other"], name => "module." + name, metadata: (_, _) => null);
        FileReport report = FileInspector.Inspect(_folder["other"]);
        Assert.That((report.Kind, report.Model, report.IsOwn, report.Origin), Is.EqualTo(
            (FileKind.Weights, model, false, (ModelFileMetadata?)null)));

        ModelFileFixture.Copy(_folder["own"], _folder["more"], metadata: (_, _) => null, extra: writer => writer.Add(
            "more.weight", new float[1], 1));
        Assert.That(FileInspector.Inspect(_folder["more"]).Model, Is.Null);
    }

    [Test]
    public void Any_safetensors_file_can_be_inspected()
    {
        new SafetensorsWriter()
            .WithMetadata("format", "pt")
            .AddBytes("half", SafetensorsType.F16, new byte[] { 0, 0, 0, 0x80, 0, 0x7C, 0, 0x3C }, 2, 2)
            .Add("doubles", new double[] { 0, 1, double.NaN }, 3)
            .Add("labels", new long[] { 1, 2 }, 2)
            .Save(_folder["any"]);
        FileReport report = FileInspector.Inspect(_folder["any"]);
        Assert.That((report.Kind, report.Model, report.IsOwn), Is.EqualTo((FileKind.Weights, (string?)null, false)));
        Assert.That(report.Metadata["format"], Is.EqualTo("pt"));
        Assert.That(report.Tensors.Select(tensor => (tensor.Name, tensor.Zeros, tensor.NonFinite)), Is.EqualTo(
            new (string, long?, long?)[]
        {
            ("doubles", 1, 1), ("half", 2, 1), ("labels", null, null),
        }));
        // 0, -0, infinity, 1.
        Assert.That(report.Layers, Is.EqualTo(new[] { new TensorSparsity("half", 4, 2) }));
    }

    [Test]
    public void An_empty_file_of_no_tensors_is_nothing_known()
    {
        new SafetensorsWriter().Save(_folder["empty"]);
        FileReport report = FileInspector.Inspect(_folder["empty"]);
        Assert.That((report.Kind, report.Tensors.Count, report.Sparsity), Is.EqualTo((FileKind.Other, 0, 0.0)));
    }

    [Test]
    public void Tensors_larger_than_a_chunk_are_counted_whole()
    {
        float[] values = new float[(1 << 20) * 2 + 5];
        values.AsSpan().Fill(1);
        foreach (int index in new[] { 0, 1 << 20, (1 << 20) + 1, values.Length - 1 })
            values[index] = 0;
        new SafetensorsWriter().Add("large.weight", values, values.Length, 1).Save(_folder["large"]);
        Assert.That(FileInspector.Inspect(_folder["large"]).Tensors.Single().Zeros, Is.EqualTo(4));
    }

    [Test]
    public void What_is_no_safetensors_file_is_told()
    {
        File.WriteAllText(_folder["text"], "this is not a safetensors file at all");
        Assert.That(() => FileInspector.Inspect(_folder["text"]), Throws.TypeOf<DamagedFileException>());
        Assert.That(() => FileInspector.Inspect(_folder["none"]), Throws.TypeOf<ConfigurationException>());
    }

    private static void AssertLayers(FileReport report) => Assert.That(
        report.Layers.OrderBy(layer => layer.Name, StringComparer.Ordinal),
        Is.EqualTo(PruningReport.Describe(ModelFileFixture.Mask).Layers
            .Select(layer => new TensorSparsity(layer.Name, layer.Total, layer.Kept)).OrderBy(
                layer => layer.Name, StringComparer.Ordinal)));
}
