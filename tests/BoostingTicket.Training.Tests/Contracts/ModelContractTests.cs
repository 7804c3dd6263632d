using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Contracts;

/// <summary>What holds for every model of the catalogue, made narrow: a new line there is tested without a new test.</summary>
internal sealed class ModelContractTests
{
    private const int Batch = 2, Classes = 3;
    private const double Smaller = 0.1;

    private static IEnumerable<string> Names => ModelCatalog.Names.Select(Narrow).Distinct();

    private static IEnumerable<object[]> Exports =>
        from name in Names from style in StylesOf(name) select new object[] { name, style };

    [Test]
    public void It_has_a_width_or_becomes_smaller_and_keeps_its_tensors(
        [ValueSource(typeof(ModelCatalog), nameof(ModelCatalog.Names))] string name)
    {
        IModelFamily family = ModelCatalog.FamilyOf(name);
        string narrow = Narrow(name);
        NetworkGraph graph = ModelCatalog.Build(name, Options(name)), small = ModelCatalog.Build(narrow, Options(name));
        // The narrowest WideResNets have no shortcut in their first block.
        NetworkGraph other = family.Width(name) is { } own ? ModelCatalog.Build(own.Name(own.Value + 2), Options(name)) : graph;
        Assert.Multiple(() =>
        {
            Assert.That(small.Table.All.Select(parameter => parameter.Name), Is.EqualTo(
                other.Table.All.Select(parameter => parameter.Name)));
            if (family.Width(name) is { } width)
            {
                Assert.That(ModelCatalog.Build(width.Name(width.Value), Options(name)).Name, Is.EqualTo(graph.Name));
                Assert.That(family.Width(width.Name(width.Value + 1))!.Value, Is.EqualTo(width.Value + 1));
                Assert.That(ModelWidth.Change(name, "2"), Is.EqualTo(width.Name(2)));
            }
            else
            {
                Assert.That(small.Table.TrainedLength, Is.LessThan(graph.Table.TrainedLength));
                Assert.That(() => ModelWidth.Change(name, "2"), Throws.TypeOf<ConfigurationException>());
            }
        });
    }

    [Test]
    public void Its_passes_give_logits_and_gradients_of_their_shapes([ValueSource(nameof(Names))] string name)
    {
        using IBackend backend = CpuBackend.Create(1);
        using var network = new Network(ModelCatalog.Build(name, Options(name)), backend);
        Initialization.Draw(network.Graph.Table, seed: 4).CopyTo(network.Parameters, backend);
        BatchBuffers buffers = network.Buffers(Batch);
        float[] images = [.. Enumerable.Range(0, Batch * network.Graph.Input.Shape.Length).Select(i => i * 37 % 256 / 255f)];
        backend.Upload(images, buffers.Input);
        backend.Upload([0, Classes - 1], buffers.Labels);
        Plan plan = network.Plan(new PlanOptions(Batch, PlanMode.Train, GradientRequest.Parameters | GradientRequest.Input));
        plan.Forward();
        float[] logits = new float[Batch * Classes], gradient = new float[images.Length];
        backend.Download(plan.Logits, logits);
        plan.Loss(LossKind.CrossEntropy, 1f / Batch);
        plan.Backward();
        backend.Download(buffers.InputGradient, gradient);
        float[] gradients = new float[network.Parameters.Gradients.Length];
        backend.Download(network.Parameters.Gradients.All, gradients);
        Assert.Multiple(() =>
        {
            foreach (float[] values in new[] { logits, gradient, gradients })
                Assert.That(values.All(float.IsFinite) && values.Any(value => value != 0));
            foreach (Parameter parameter in network.Graph.Table.Prunable)
                Assert.That(gradients.AsSpan(parameter.Offset, parameter.Length).ContainsAnyExcept(0f), parameter.Name);
        });
    }

    [TestCaseSource(nameof(Exports))]
    public void What_is_exported_is_recognised_and_imported_as_it_was(string name, string style)
    {
        using var folder = new TemporaryFolder();
        NetworkGraph graph = ModelCatalog.Build(name, Options(name));
        ModelState state = Initialization.Draw(graph.Table, seed: 5);
        for (int i = 0; i < state.Statistics.Length; i++)
            state.Statistics[i] = 0.02f * (1 + i % 17);
        InputNormalizationConstants constants = new(
            new float[graph.Input.Shape.Channels], [.. Enumerable.Repeat(0.5f, graph.Input.Shape.Channels)]);
        WeightFile.Save(folder["own"], state, ModelFileMetadata.Of(graph, constants));
        WeightExport.Write(folder["own"], folder["theirs"], style, "module.");
        ImportedWeights named = WeightImport.Read(folder["theirs"], new ImportOptions(name));
        ImportedWeights told = WeightImport.Read(folder["theirs"], new ImportOptions());
        Assert.Multiple(() =>
        {
            Assert.That(named.Graph.Name, Is.EqualTo(graph.Name));
            Assert.That(named.Graph.Classes, Is.EqualTo(Classes));
            Assert.That(named.State.ContentEquals(state));
            Assert.That(named.Normalization!.ContentEquals(constants));
            // The shapes of tensors do not tell models apart that differ in activations or in what shortcuts read.
            Assert.That(told.State.ContentHash(), Is.EqualTo(state.ContentHash()));
        });
    }

    [Test]
    public void Styles_and_names_are_unique()
    {
        Assert.That(PyTorchStyle.All.Select(style => style.Name), Is.Unique);
        Assert.That(ModelCatalog.Names, Is.Unique);
        Assert.That(ModelCatalog.Families.Select(family => family.Description), Is.Unique.And.None.Empty);
    }

    private static string Narrow(string name)
    {
        IModelFamily family = ModelCatalog.FamilyOf(name);
        return family.Width(name) is { } width ? width.Name(Math.Max(width.Least, 2)) : family.Scaled(name, Smaller);
    }

    private static ModelOptions Options(string name) => new(ModelCatalog.FamilyOf(name).UsualInput, Classes);

    private static IEnumerable<string> StylesOf(string name) =>
        [PyTorchStyle.Usual, .. ModelCatalog.FamilyOf(name).PublicNames.Styles.Where(style => style.IsFor(name)).Select(
            style => style.Name)];
}
