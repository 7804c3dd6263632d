using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Weight, mask and ticket files that are as they should be.</summary>
internal sealed class ModelFileTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Weights_come_back_bit_for_bit()
    {
        string path = _folder["weights.safetensors"];
        WeightFile.Save(path, ModelFileFixture.State, ModelFileFixture.Metadata);
        (ModelState state, ModelFileMetadata? metadata) = WeightFile.Load(path, ModelFileFixture.Graph);
        Assert.That(state.ContentEquals(ModelFileFixture.State), Is.True);
        AssertMetadata(metadata);
        Assert.That(_folder.Files, Is.EqualTo(new[] { "weights.safetensors" }));
    }

    [Test]
    public void Masks_come_back()
    {
        string path = _folder["mask.safetensors"];
        MaskFile.Save(path, ModelFileFixture.Mask, ModelFileFixture.Metadata);
        (Mask mask, ModelFileMetadata? metadata) = MaskFile.Load(path, ModelFileFixture.Graph);
        Assert.That(mask, Is.EqualTo(ModelFileFixture.Mask));
        AssertMetadata(metadata);
    }

    [Test]
    public void Tickets_come_back_with_the_whole_initial_state()
    {
        string path = _folder["ticket.safetensors"];
        TicketFile.Save(path, ModelFileFixture.State, ModelFileFixture.Mask, ModelFileFixture.Metadata);
        Ticket ticket = TicketFile.Load(path, ModelFileFixture.Graph);
        Assert.That(ticket.Initial.ContentEquals(ModelFileFixture.State), Is.True);
        Assert.That(ticket.Mask, Is.EqualTo(ModelFileFixture.Mask));
        AssertMetadata(ticket.Metadata);
    }

    [Test]
    public void The_same_content_gives_the_same_bytes()
    {
        TicketFile.Save(_folder["a"], ModelFileFixture.State, ModelFileFixture.Mask, ModelFileFixture.Metadata);
        TicketFile.Save(_folder["b"], ModelFileFixture.State.Clone(), Mask.FromValues(
            ModelFileFixture.Graph.Table, ModelFileFixture.Mask.Values), ModelFileFixture.Metadata with { });
        Assert.That(File.ReadAllBytes(_folder["b"]), Is.EqualTo(File.ReadAllBytes(_folder["a"])));
    }

    [Test]
    public void A_reader_of_the_specification_finds_PyTorch_names_shapes_and_order()
    {
        TicketFile.Save(_folder["ticket"], ModelFileFixture.State, ModelFileFixture.Mask, ModelFileFixture.Metadata);
        var reader = new SpecificationReader(_folder["ticket"]);
        Assert.That(reader.Tensors.Keys, Is.EquivalentTo(
            ModelFileFixture.Graph.Table.All.Select(parameter => parameter.Name)
                .Concat(ModelFileFixture.Graph.Table.Prunable.Select(parameter => "mask." + parameter.Name))));
        foreach (Parameter parameter in ModelFileFixture.Graph.Table.All)
        {
            (string type, long[] shape, _, _) = reader.Tensors[parameter.Name];
            Assert.That((type, string.Join(',', shape)), Is.EqualTo(
                ("F32", string.Join(',', parameter.Spec.Dimensions))), parameter.Name);
        }

        foreach (Parameter parameter in ModelFileFixture.Graph.Table.Prunable)
        {
            (string type, long[] shape, _, _) = reader.Tensors["mask." + parameter.Name];
            Assert.That(
                (type, string.Join(',', shape)), Is.EqualTo(("U8", string.Join(',', parameter.Spec.Dimensions))), parameter.Name);
            Assert.That(
                reader.Bytes("mask." + parameter.Name), Is.EqualTo(ModelFileFixture.Mask[parameter].ToArray()), parameter.Name);
        }

        // layer2.0.conv1 is 4 x 2 x 3 x 3: outputs slowest, columns fastest.
        Span<float> weights = ModelFileFixture.State["layer2.0.conv1.weight"];
        Assert.That(reader.Single("layer2.0.conv1.weight", 3, 1, 2, 0), Is.EqualTo(weights[3 * 18 + 1 * 9 + 2 * 3 + 0]));
        Assert.That(reader.Single("layer2.0.conv1.weight", 0, 0, 0, 1), Is.EqualTo(weights[1]));
        Assert.That(reader.Metadata, Is.SupersetOf(new Dictionary<string, string>
        {
            ["boosting-ticket.kind"] = "ticket",
            ["boosting-ticket.model"] = "resnet18-w2",
            ["boosting-ticket.preset"] = "quick",
            ["boosting-ticket.seed"] = "18446744073709551615",
            ["boosting-ticket.configuration"] = "0123abcd",
            ["boosting-ticket.pruning.ratio"] = "0.8",
            ["boosting-ticket.pruning.scope"] = "global",
            ["boosting-ticket.input"] = "3x32x32",
            ["boosting-ticket.classes"] = "10",
        }));
    }

    [Test]
    public void Metadata_are_enough_to_build_the_model_again()
    {
        WeightFile.Save(_folder["weights"], ModelFileFixture.State, ModelFileFixture.Metadata);
        ModelFileMetadata origin = FileInspector.Inspect(_folder["weights"]).Origin!;
        NetworkGraph graph = ModelCatalog.Build(
            origin.Model, new ModelOptions(origin.Input, origin.Classes, origin.Normalization));
        Assert.That(WeightFile.Load(_folder["weights"], graph).State.ContentEquals(ModelFileFixture.State), Is.True);
        Assert.That(graph.Nodes[1].Name, Is.EqualTo("normalization"));
    }

    [Test]
    public void What_a_run_does_not_know_is_left_out()
    {
        ModelFileMetadata bare = ModelFileMetadata.Of(ModelFileFixture.Graph);
        MaskFile.Save(_folder["mask"], ModelFileFixture.Mask, bare);
        Assert.That(MaskFile.Load(_folder["mask"], ModelFileFixture.Graph).Metadata, Is.EqualTo(bare));
    }

    [Test]
    public void Files_of_others_are_read_by_their_PyTorch_names()
    {
        WeightFile.Save(_folder["own"], ModelFileFixture.State, ModelFileFixture.Metadata);
        ModelFileFixture.Copy(
            _folder["own"], _folder["other"], name => "module.model." + name, metadata: (_, _) => null,
            extra: writer => writer
                .Add("module.model.bn1.num_batches_tracked", new long[] { 7 })
                .Add("module.mu", new float[3], 3, 1, 1)
                .Add("sigma", new float[3], 3, 1, 1)
                .Add("module.sub_block1.layer.0.conv1.weight", new float[9], 1, 1, 3, 3));
        (ModelState state, ModelFileMetadata? metadata) = WeightFile.Load(_folder["other"], ModelFileFixture.Graph);
        Assert.That(state.ContentEquals(ModelFileFixture.State), Is.True);
        Assert.That(metadata, Is.Null);
    }

    [Test]
    public void The_golden_networks_of_an_independent_framework_have_the_same_tensors()
    {
        (string Model, FeatureShape Input)[] networks =
        [
            ("lenet-4-8-32", new(1, 28, 28)), ("resnet18-w4", new(3, 32, 32)), ("preact-resnet18-w4", new(3, 32, 32)),
            ("vgg16-w4", new(3, 32, 32)), ("wrn-10-1", new(3, 32, 32)),
        ];
        foreach ((string model, FeatureShape input) in networks)
        {
            const string Initial = "initial.";
            string golden = Path.Combine(RepositoryRoot(), "tests", "golden", $"{model}.safetensors");
            ModelFileFixture.Copy(
                golden, _folder[model], metadata: (_, _) => null,
                name: name => name.StartsWith(Initial, StringComparison.Ordinal) ? name[Initial.Length..] : null);
            ModelState state = WeightFile.Load(_folder[model], ModelCatalog.Build(model, new ModelOptions(input))).State;
            Assert.That(state.Weights, Has.Some.Not.Zero);
            Assert.That(FileInspector.Inspect(_folder[model]).Model, Is.EqualTo(model));
        }
    }

    private static void AssertMetadata(ModelFileMetadata? metadata)
    {
        Assert.That(metadata, Is.Not.Null);
        Assert.That(metadata!.Normalization!.ContentEquals(InputNormalizationConstants.Cifar10), Is.True);
        Assert.That(metadata with { Normalization = null }, Is.EqualTo(ModelFileFixture.Metadata with { Normalization = null }));
    }

    private static string RepositoryRoot()
    {
        string? folder = TestContext.CurrentContext.TestDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "BoostingTicket.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException("the tests run outside of the repository");
    }
}
