using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;
using BoostingTicket.Training.Tests.Golden;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Networks of PyTorch programs: our own under other names and with all the damage of public checkpoints come back as
/// they were, and golden networks give the golden logits.</summary>
internal sealed class WeightImportTests
{
    private static readonly float[] Mean = [0.5f, 0.4f, 0.3f];
    private static readonly float[] Deviation = [0.2f, 0.25f, 0.3f];

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase("resnet18-w2", "module.", "linear.>fc.|.shortcut.>.downsample.")]
    [TestCase("resnet18-w2", "module.model.", "")]
    [TestCase("resnet18-w2", "", "linear.>fc.")]
    [TestCase("wrn-10-1", "module.basic_net.", "")]
    [TestCase("wrn-16-2", "", "fc.>linear.|.convShortcut.>.shortcut.0.")]
    [TestCase("wrn-16-2", "net.", ".convShortcut.>.downsample.0.")]
    [TestCase("wrn-16-2", "_orig_mod.", ".convShortcut.>.shortcut.")]
    [TestCase("vgg16-w2", "model.", "feature.>features.")]
    [TestCase("vgg16-w2", "", "")]
    [TestCase("lenet-3-4-8", "module.", "")]
    public void Prefixes_names_and_counters_are_repaired(string model, string prefix, string dialect)
    {
        ModelState state = Draw(model);
        string Theirs(string name) =>
            prefix + dialect.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(rule => rule.Split('>'))
            .Aggregate(name, (renamed, rule) => renamed.Replace(rule[0], rule[1], StringComparison.Ordinal));
        ForeignFile.Write(_folder["foreign"], state, Theirs, extra: writer => ForeignFile.AddCounters(writer, state, Theirs));

        foreach (string? named in new[] { model, null })
        {
            ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions(named));
            Assert.Multiple(() =>
            {
                Assert.That(imported.Graph.Name, Is.EqualTo(model));
                Assert.That(imported.State.ContentEquals(state));
                Assert.That(imported.Normalization, Is.Null);
                Assert.That(Kinds(imported), Is.EquivalentTo(new[]
                {
                    (prefix.Length > 0, "prefix"), (dialect.Length > 0, "renamed"), (state.Statistics.Length > 0, "counters"),
                }.Where(repair => repair.Item1).Select(repair => repair.Item2)));
            });
            if (prefix.Length > 0)
                Assert.That(imported.Repairs.Single(repair => repair.Kind == "prefix").Description, Does.Contain($"'{prefix}'"));
        }

        Assert.That(FileInspector.Inspect(_folder["foreign"]).Model, Is.EqualTo(model));
    }

    [TestCase("mu", "sigma", "", 1)]
    [TestCase("module.mu", "module.sigma", "module.", 4)]
    [TestCase("normalize.mean", "normalize.std", "model.", 4)]
    [TestCase("normalizer.new_mean", "normalizer.new_std", "model.", 3)]
    public void Constants_of_normalisation_become_the_first_layer(string mean, string deviation, string prefix, int rank)
    {
        ModelState state = Draw("wrn-10-1");
        long[] shape = rank switch { 1 => [3], 3 => [3, 1, 1], _ => [1, 3, 1, 1] };
        ForeignFile.Write(_folder["foreign"], state, name => prefix
            + name, extra: writer => writer.Add(mean, Mean, shape).Add(deviation, Deviation, shape));

        ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions("wrn-10-1"));

        Assert.That(imported.State.ContentEquals(state));
        Assert.That(imported.Normalization!.ContentEquals(new InputNormalizationConstants(Mean, Deviation)));
        Assert.That(Kinds(imported), Does.Contain("normalization"));
        NetworkGraph expected = ModelCatalog.Build(
            "wrn-10-1", new ModelOptions(new FeatureShape(3, 32, 32), 10, imported.Normalization));
        Assert.That(Logits(imported.Graph, imported.State, Images), Is.EqualTo(Logits(expected, state, Images)));
        Assert.That(Logits(imported.Graph, imported.State, Images), Is.Not.EqualTo(
            Logits(ModelCatalog.Build("wrn-10-1", new ModelOptions(new FeatureShape(3, 32, 32))), state, Images)));

        ImportedWeights other = WeightImport.Read(
            _folder["foreign"],
            new ImportOptions("wrn-10-1", Normalization: InputNormalizationConstants.Cifar10, NormalizationGiven: true));
        Assert.That(other.Normalization, Is.SameAs(InputNormalizationConstants.Cifar10));
        Assert.That(other.Repairs.Single(repair => repair.Kind == "normalization").Description, Does.Contain(
            "0.5,0.4,0.3").And.Contain("ignored for those that were given"));
    }

    [Test]
    public void The_unused_block_of_TRADES_is_passed_over()
    {
        ModelState state = Draw("wrn-16-2"), unused = Draw("wrn-16-2", seed: 9);
        ForeignFile.Write(_folder["foreign"], state, name => "module." + name, extra: writer =>
        {
            foreach (Parameter parameter in unused.Table.All.Where(parameter => parameter.Name.StartsWith(
                "block1.", StringComparison.Ordinal)))
                writer.Add("module.sub_" + parameter.Name, unused.MemoryOf(
                    parameter), [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)]);
        });
        foreach (string? named in new[] { "wrn-16-2", null })
        {
            ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions(named));
            Assert.That(imported.State.ContentEquals(state));
            Assert.That(Kinds(imported), Is.EqualTo(new[] { "unused-block", "prefix" }));
        }
    }

    [TestCase(SafetensorsType.F16)]
    [TestCase(SafetensorsType.BF16)]
    [TestCase(SafetensorsType.F64)]
    public void Other_number_formats_are_converted(SafetensorsType type)
    {
        ModelState state = Draw("vgg16-w2");
        ForeignFile.Write(_folder["foreign"], state, name => name, type);
        ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions());
        Assert.That(imported.State.ContentEquals(ForeignFile.Round(state, type)));
        ImportRepair repair = imported.Repairs.Single();
        Assert.That((repair.Kind, repair.Tensors.Count), Is.EqualTo(("converted", state.Table.All.Count)));
        Assert.That(repair.Description, Does.Contain(type.HeaderName()));
    }

    [Test]
    public void Classes_channels_and_image_size_are_those_of_the_file()
    {
        NetworkGraph graph = ModelCatalog.Build("lenet-3-4-8", new ModelOptions(new FeatureShape(3, 20, 20), 7));
        ModelState state = Initialization.Draw(graph.Table, seed: 2);
        ForeignFile.Write(_folder["foreign"], state, name => name);
        ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions("lenet-3-4-8", ImageSize: 20));
        Assert.That((imported.Graph.Input.Shape, imported.Graph.Classes), Is.EqualTo((new FeatureShape(3, 20, 20), 7)));
        Assert.That(imported.State.ContentEquals(state));
    }

    [Test]
    public void One_of_two_networks_is_chosen_by_its_prefix()
    {
        ModelState state = Draw("wrn-10-1"), average = Draw("wrn-10-1", seed: 9);
        ForeignFile.Write(_folder["foreign"], state, name => "model." + name, extra: writer =>
        {
            foreach (Parameter parameter in average.Table.All)
                writer.Add("ema." + parameter.Name, average.MemoryOf(
                    parameter), [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)]);
        });
        Assert.That(
            () => WeightImport.Read(_folder["foreign"], new ImportOptions("wrn-10-1")),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("'ema.', 'model.'").And.Message.Contains(
                "choose one with prefix"));
        ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions("wrn-10-1", Prefix: "ema."));
        Assert.That(imported.State.ContentEquals(average));
        Assert.That(Kinds(imported), Is.EqualTo(new[] { "outside", "prefix" }));
    }

    [Test]
    public void Missing_and_surplus_tensors_are_named_with_the_nearest()
    {
        ModelState state = Draw("resnet18-w2");
        ForeignFile.Write(_folder["foreign"], state, name => "module."
            + name.Replace("layer1.0.bn1", "layer1.0.bnn1", StringComparison.Ordinal));
        Assert.That(
            () => WeightImport.Read(_folder["foreign"], new ImportOptions("resnet18-w2")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains(
                "lacks 'layer1.0.bn1.bias' (nearest 'layer1.0.bnn1.bias')")
                .And.Message.Contains("has besides 'layer1.0.bnn1.bias' (nearest 'layer1.0.bn1.bias')"));
        Assert.That(() => WeightImport.Read(_folder["foreign"], new ImportOptions()),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("name the model with model"));
        Assert.That(
            () => WeightImport.Read(_folder["foreign"], new ImportOptions("vgg16-w2")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains(" more "));
    }

    [Test]
    public void Shapes_types_and_values_that_do_not_fit_are_named()
    {
        ModelState state = Draw("resnet18-w2");
        ForeignFile.Write(_folder["foreign"], state, name => name);
        Assert.That(
            () => WeightImport.Read(_folder["foreign"], new ImportOptions("resnet18-w4")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("'conv1.weight'").And.Message.Contains(
                "F32 [2, 3, 3, 3] where resnet18-w4 needs F32 [4, 3, 3, 3]"));
        ForeignFile.Write(_folder["integers"], state, name => name == "bn1.bias"
            ? null
            : name, extra: writer => writer.Add("bn1.bias", new int[2], 2));
        Assert.That(
            () => WeightImport.Read(_folder["integers"], new ImportOptions("resnet18-w2")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("'bn1.bias'").And.Message.Contains("I32"));
        state["layer1.0.bn1.running_var"][1] = -1;
        ForeignFile.Write(_folder["negative"], state, name => name);
        Assert.That(
            () => WeightImport.Read(_folder["negative"], new ImportOptions("resnet18-w2")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("-1 at index 1"));
    }

    [Test]
    public void Files_of_torch_save_and_of_this_program_are_answered_with_a_sentence()
    {
        File.WriteAllBytes(_folder["w.pt"], [.. "PK\u0003\u0004"u8, 0, 0, 8, 8, 0, 0]);
        File.WriteAllBytes(_folder["old.pt"], [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]);
        foreach (string name in new[] { "w.pt", "old.pt" })
            Assert.That(() => WeightImport.Read(_folder[name], new ImportOptions()),
                Throws.TypeOf<DamagedFileException>().With.Message.Contains("torch.save").And.Message.Contains(name));
        WeightFile.Save(_folder["own"], ModelFileFixture.State, ModelFileFixture.Metadata);
        Assert.That(() => WeightImport.Read(_folder["own"], new ImportOptions()),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("needs no import"));
    }

    [TestCase("lenet-4-8-32", false, "", "")]
    [TestCase("resnet18-w4", true, "linear.", "fc.")]
    [TestCase("vgg16-w4", true, "feature.", "features.")]
    [TestCase("wrn-10-1", true, ".convShortcut.", ".shortcut.0.")]
    public void Golden_networks_under_other_names_give_the_golden_logits(
        string model, bool normalized, string ours, string theirs)
    {
        using var golden = new GoldenFile(model);
        NetworkGraph graph = ModelCatalog.Build(
            model, new ModelOptions(new FeatureShape(normalized ? 3 : 1, normalized ? 32 : 28, normalized ? 32 : 28)));
        var state = new ModelState(graph.Table);
        foreach (Parameter parameter in graph.Table.All)
            golden["initial." + parameter.Name].CopyTo(state[parameter]);
        string Theirs(string name) =>
            "module.net." + (ours.Length > 0 ? name.Replace(ours, theirs, StringComparison.Ordinal) : name);
        ForeignFile.Write(_folder["foreign"], state, Theirs, SafetensorsType.F64, writer =>
        {
            if (normalized)
                writer.Add("module.mu", InputNormalizationConstants.Cifar10.Mean.ToArray(), 1, 3, 1, 1).Add(
                    "module.sigma", InputNormalizationConstants.Cifar10.Deviation.ToArray(), 1, 3, 1, 1);
            ForeignFile.AddCounters(writer, state, Theirs);
        });

        ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions(model));

        float[] expected = golden["eval.logits"], actual = Logits(imported.Graph, imported.State, golden["input"]);
        double norm = Math.Sqrt(expected.Sum(value => (double)value * value));
        Assert.That(Math.Sqrt(expected.Zip(actual, (a, b) => Math.Pow(a - (double)b, 2)).Sum()) / norm, Is.LessThan(2e-5));
    }

    [TestCase("resnet18-w2", "torchvision", "fc.weight", "layer2.0.downsample.0.weight")]
    [TestCase("resnet18-w2", "kuangliu", "linear.weight", "layer2.0.shortcut.0.weight")]
    [TestCase("wrn-16-2", "trades", "sub_block1.layer.1.conv2.weight", "block1.layer.0.convShortcut.weight")]
    [TestCase("wrn-16-2", "robustbench", "normalize.mean", "model.fc.weight")]
    [TestCase("vgg16-w2", "features", "features.0.weight", "classifier.3.bias")]
    [TestCase("vgg16-w2", "rethinking", "feature.0.weight", "classifier.3.bias")]
    [TestCase("resnet18-w2", "pytorch", "linear.weight", "conv1.weight")]
    public void What_is_exported_can_be_imported_again(string model, string style, params string[] names)
    {
        ModelState state = Draw(model);
        WeightFile.Save(_folder["own"], state, ModelFileMetadata.Of(
            ModelCatalog.Build(model, new ModelOptions(new FeatureShape(3, 32, 32))), InputNormalizationConstants.Cifar10));
        ExportReport report = WeightExport.Write(_folder["own"], _folder["exported"], style, "module.");
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["exported"]))
        {
            Assert.That(file.Tensors.Select(entry => entry.Name), Is.SupersetOf(
                names.Select(name => "module." + name)).And.All.StartsWith("module."));
            Assert.That(file.Tensors, Has.Count.EqualTo(report.Tensors));
            Assert.That(file.Metadata["format"], Is.EqualTo("pt"));
        }
        ImportedWeights imported = WeightImport.Read(_folder["exported"], new ImportOptions());
        Assert.That(imported.State.ContentEquals(state));
        Assert.That(
            imported.Normalization!.ContentEquals(InputNormalizationConstants.Cifar10), "the metadata or tensors keep it");
        Assert.That((report.Model, report.NormalizationIncluded, report.Pruned), Is.EqualTo(
            (model, style == "robustbench", (long?)null)));
    }

    [TestCase("resnet18-w8", "torchvision")]
    [TestCase("vgg16-w8", "features")]
    [TestCase("wrn-16-2", "trades")]
    [TestCase("preact-resnet18-w8", "pytorch")]
    public void A_channel_ticket_that_was_exported_can_be_imported_again(string model, string style)
    {
        (NetworkGraph full, SubNetwork network, ModelState small) = ChannelTicket(model);
        WeightFile.Save(_folder["own"], small, ModelFileMetadata.Of(network.Graph, InputNormalizationConstants.Cifar10));
        WeightExport.Write(_folder["own"], _folder["exported"], style);
        ImportedWeights imported = WeightImport.Read(_folder["exported"], new ImportOptions());
        Assert.That(imported.State.ContentEquals(small));
        Assert.That((imported.Graph.Name, imported.Graph.Channels), Is.EqualTo((model, network.Graph.Channels)));
        ImportRepair channels = imported.Repairs.Single(repair => repair.Kind == "channels");
        Assert.That(channels.Description, Does.StartWith($"Layers have fewer channels than those of {full.Name}").And.Contain(
            $"{100.0 * network.Graph.MultiplyAdds / full.MultiplyAdds:F1} % of its multiply-adds"));
        Assert.That(channels.Tensors, Is.Not.Empty);
        WeightFile.Save(_folder["again"], imported.State, ModelFileMetadata.Of(imported.Graph, imported.Normalization));
        Assert.That(WeightFile.Load(_folder["again"], network.Graph).State.ContentEquals(small));
    }

    [Test]
    public void A_file_of_torch_save_with_fewer_channels_needs_the_models_name()
    {
        (_, SubNetwork network, ModelState small) = ChannelTicket("resnet18-w8");
        WeightFile.Save(_folder["own"], small, ModelFileMetadata.Of(network.Graph));
        WeightExport.Write(_folder["own"], _folder["out.pt"], PyTorchStyle.Usual, format: ExportFormat.Torch);
        Assert.That(() => WeightImport.Read(_folder["out.pt"], new ImportOptions()), Throws.TypeOf<ConfigurationException>()
            .With.Message.Contains("or to read a network from which channels were pruned"));
        ImportedWeights imported = WeightImport.Read(_folder["out.pt"], new ImportOptions("resnet18-w8"));
        Assert.That(imported.State.ContentEquals(small));
    }

    [Test]
    public void Layers_that_disagree_about_channels_are_refused_by_name()
    {
        ModelState state = Draw("resnet18-w8");
        ForeignFile.Write(
            _folder["foreign"], state, name => name == "layer1.0.conv1.weight" ? null : name,
            extra: writer => writer.Add("layer1.0.conv1.weight", new float[4 * 8 * 3 * 3], 4, 8, 3, 3));
        Assert.That(() => WeightImport.Read(_folder["foreign"], new ImportOptions("resnet18-w8")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("'layer1.0.bn1.").And.Message.Contains("[8]"));
    }

    private static (NetworkGraph Full, SubNetwork Network, ModelState Small) ChannelTicket(string model)
    {
        NetworkGraph full = ModelCatalog.Build(model, new ModelOptions(new FeatureShape(3, 32, 32)));
        ModelState state = Draw(model);
        SubNetwork network = SubNetworkPruner.Draw(
            full, state, SubNetworkOptions.Of("channel", "global", new PruningOptions(0.5))).Network;
        return (full, network, network.Take(state));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_ticket_is_exported_with_its_mask_applied(bool hidden)
    {
        NetworkGraph graph = ModelCatalog.Build(
            "lenet-3-4-8", new ModelOptions(new FeatureShape(1, 28, 28), PruneHiddenLinear: hidden));
        ModelState state = Initialization.Draw(graph.Table, seed: 3);
        Mask mask = new GlobalMagnitude().Prune(state, new PruningOptions(0.7)).Mask;
        TicketFile.Save(_folder["ticket"], state, mask, ModelFileMetadata.Of(graph));
        ExportReport report = WeightExport.Write(_folder["ticket"], _folder["exported"], PyTorchStyle.Usual);
        ImportedWeights imported = WeightImport.Read(_folder["exported"], new ImportOptions("lenet-3-4-8"));
        Assert.That(report.Pruned, Is.EqualTo(mask.Pruned));
        foreach (Parameter parameter in graph.Table.All)
        {
            float[] expected = state[parameter].ToArray();
            if (parameter.Prunable)
                expected = [.. expected.Zip(mask[parameter].ToArray(), (value, kept) => kept != 0 ? value : 0f)];
            Assert.That(imported.State[parameter.Name].ToArray(), Is.EqualTo(expected), parameter.Name);
        }
    }

    [Test]
    public void Styles_are_for_their_models()
    {
        WeightFile.Save(_folder["own"], ModelFileFixture.State, ModelFileFixture.Metadata);
        Assert.That(
            () => WeightExport.Write(_folder["own"], _folder["out"], "trades"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("choose one of: pytorch, kuangliu, torchvision"));
        Assert.That(() => WeightExport.Write(_folder["own"], _folder["out"], "tradse"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("did you mean 'trades'?"));
        MaskFile.Save(_folder["mask"], ModelFileFixture.Mask, ModelFileFixture.Metadata);
        Assert.That(() => WeightExport.Write(_folder["mask"], _folder["out"], "pytorch"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("is a mask file"));
        Assert.That(File.Exists(_folder["out"]), Is.False);
    }

    private static float[] Images { get; } = [.. Enumerable.Range(0, 2 * 3 * 32 * 32).Select(i => i * 37 % 101 / 100f)];

    private static ModelState Draw(string model, ulong seed = 5)
    {
        FeatureShape shape = model.StartsWith("lenet", StringComparison.Ordinal)
            ? new FeatureShape(1, 28, 28)
            : new FeatureShape(3, 32, 32);
        ModelState state = Initialization.Draw(ModelCatalog.Build(model, new ModelOptions(shape)).Table, seed);
        // Statistics that are told apart.
        for (int i = 0; i < state.Statistics.Length; i++)
            state.Statistics[i] = 0.02f * (1 + i % 17);
        return state;
    }

    private static IEnumerable<string> Kinds(ImportedWeights imported) => imported.Repairs.Select(repair => repair.Kind);

    private static float[] Logits(NetworkGraph graph, ModelState state, float[] images)
    {
        using var backend = CpuBackend.Create(1);
        using var network = new Network(graph, backend);
        state.CopyTo(network.Parameters, backend);
        int batch = images.Length / graph.Input.Shape.Length;
        backend.Upload(images, network.Buffers(batch).Input);
        Plan plan = network.Plan(new PlanOptions(batch, PlanMode.Evaluate));
        plan.Forward();
        float[] logits = new float[batch * graph.Classes];
        backend.Download(plan.Logits, logits);
        return logits;
    }
}
