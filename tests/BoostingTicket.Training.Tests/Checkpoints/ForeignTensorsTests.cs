using System.Text;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Networks and masks as PyTorch programs keep them: pruned, in other number formats, with a training's state beside
/// them.</summary>
internal class ForeignTensorsTests
{
    private static readonly NetworkGraph Graph =
        ModelCatalog.Build("lenet-4-8-32", new ModelOptions(new FeatureShape(1, 28, 28)));
    private static readonly ModelState State = Initialization.Draw(Graph.Table, seed: 5);
    private static readonly Mask Kept = new GlobalMagnitude().Prune(State, new PruningOptions(0.9)).Mask;

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    private string File => _folder["foreign"];

    [Test]
    public void Networks_pruned_in_PyTorch_are_the_product_of_values_and_mask(
        [Values("", "module.")] string prefix, [Values] bool imported)
    {
        WritePruned(prefix, type: SafetensorsType.F32);
        ModelState read;
        if (imported)
        {
            ImportedWeights weights = WeightImport.Read(File, new ImportOptions());
            Assert.That(weights.Graph.Name, Is.EqualTo("lenet-4-8-32"));
            Assert.That(weights.Repairs.Single(repair => repair.Kind == "pruned").Description, Is.EqualTo(
                $"The masks of torch.nn.utils.prune were applied: {Kept.Pruned:N0} of {Kept.Length:N0} weights are zero."));
            read = weights.State;
        }
        else
        {
            read = WeightFile.Load(File, Graph).State;
        }

        ModelState expected = State.Clone();
        Kept.Apply(expected.Weights);
        Assert.That(read.Weights, Is.EqualTo(expected.Weights));
    }

    [Test]
    public void Networks_pruned_in_PyTorch_are_tickets_and_masks_too([Values] bool some)
    {
        // A layer that PyTorch did not prune has neither mask nor _orig.
        WritePruned("", SafetensorsType.F32, name => !some || name != "fc1.weight");
        byte[] values = Kept.Values.ToArray();
        if (some)
        {
            Parameter whole = Graph.Table["fc1.weight"];
            values.AsSpan(whole.Offset, whole.Length).Fill(1);
        }
        Ticket ticket = TicketFile.Load(File, Graph);
        Assert.That(ticket.Initial.Weights, Is.EqualTo(State.Weights));
        Assert.That(ticket.Mask, Is.EqualTo(Mask.FromValues(Graph.Table, values)));
        Assert.That(MaskFile.Load(File, Graph).Mask, Is.EqualTo(ticket.Mask));
        FileReport report = FileInspector.Inspect(File);
        Assert.That((report.Model, report.Kind), Is.EqualTo(("lenet-4-8-32", FileKind.Ticket)));
        Assert.That(report.Layers.Select(layer => layer.Name), Does.Contain("conv1.weight"));
    }

    private static readonly SafetensorsType[] MaskTypes =
    [
        SafetensorsType.Bool, SafetensorsType.U8, SafetensorsType.I8, SafetensorsType.I32, SafetensorsType.I64,
        SafetensorsType.F16,
        SafetensorsType.BF16, SafetensorsType.F32, SafetensorsType.F64,
    ];

    [TestCaseSource(nameof(MaskTypes))]
    public void Masks_of_any_number_format_are_read(SafetensorsType type)
    {
        foreach (string prefix in (string[])["mask.", "", "module."])
        {
            WriteMasks(prefix, type);
            Assert.That(MaskFile.Load(File, Graph).Mask, Is.EqualTo(Kept), prefix);
        }
    }

    [Test]
    public void A_mask_that_covers_the_last_layer_is_read_where_it_keeps_it()
    {
        WriteMasks("mask.", SafetensorsType.U8, writer => writer.Add("mask.fc2.weight", Ones(320), 10, 32));
        List<string> notes = [];
        Assert.That(MaskFile.Load(File, Graph, notes.Add).Mask, Is.EqualTo(Kept));
        Assert.That(notes.Single(), Is.EqualTo(
            $"{File}: ignored the mask of fc2.weight, which keeps everything and is not pruned in lenet-4-8-32."));

        WriteMasks("mask.", SafetensorsType.U8, writer => writer.Add("mask.fc2.weight", new byte[320], 10, 32));
        Assert.That(() => MaskFile.Load(File, Graph), Throws.TypeOf<ConfigurationException>().With.Message.StartsWith(
            $"{File} prunes fc2.weight, which is not prunable in lenet-4-8-32; "));
    }

    [Test]
    public void A_value_that_is_no_mask_is_named()
    {
        foreach ((float value, string shown) in ((float, string)[])[(0.5f, "0.5"), (2, "2"), (float.NaN, "NaN"), (-1, "-1")])
        {
            var writer = new SafetensorsWriter();
            foreach (Parameter parameter in Graph.Table.Prunable)
            {
                float[] values = new float[parameter.Length];
                values[3] = value;
                writer.Add("mask." + parameter.Name, values, Shape(parameter));
            }
            writer.Save(File);
            Assert.That(() => MaskFile.Load(File, Graph), Throws.TypeOf<DamagedFileException>().With.Message.EqualTo(
                $"Tensor 'mask.conv1.weight' of {File} holds {shown} at index 3 where a mask has 0 or 1; give another file."));
        }
    }

    [Test]
    public void What_a_training_keeps_beside_its_network_is_passed_over_with_a_word([Values] bool unknownType)
    {
        ForeignFile.Write(File, State, name => name, extra: writer =>
        {
            writer.Add("epoch", new long[] { 17 });
            writer.Add("optimizer.state.0.momentum_buffer", new float[4], 4);
            writer.Add("optimizer_state_dict.param_groups.0.lr", new float[1]);
            writer.Add("best_acc", new float[1]);
        });
        if (unknownType)
            Replace("\"I64\"", "\"I65\"");
        List<string> notes = [];
        Assert.That(WeightFile.Load(File, Graph, notes.Add).State.Weights, Is.EqualTo(State.Weights));
        Assert.That(notes.Single(), Does.StartWith($"{File}: ignored '").And.Contains("'epoch'")
            .And.EndsWith("and 1 more, which are not needed."));
        ImportedWeights imported = WeightImport.Read(File, new ImportOptions());
        Assert.That(imported.State.Weights, Is.EqualTo(State.Weights));
        Assert.That(imported.Repairs.Single().Kind, Is.EqualTo("beside"));
        Assert.That(imported.Repairs.Single().Tensors, Has.Count.EqualTo(4));
        Assert.That(FileInspector.Inspect(File).Model, Is.EqualTo("lenet-4-8-32"));
    }

    [Test]
    public void A_layer_too_many_is_still_another_network()
    {
        ForeignFile.Write(File, State, name => name, extra: writer => writer.Add("fc3.weight", new float[100], 10, 10));
        Assert.That(
            () => WeightFile.Load(File, Graph),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("surplus tensor 'fc3.weight'"));
        Assert.That(
            () => WeightImport.Read(File, new ImportOptions("lenet-4-8-32")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("has besides 'fc3.weight'"));
    }

    [Test]
    public void A_header_may_say_more_than_is_needed()
    {
        ForeignFile.Write(File, State, name => name, extra: writer => writer.Add("x.num_batches_tracked", new byte[1], 1));
        // Two numbers of four bits in a byte.
        Replace("\"dtype\":\"U8\",\"shape\":[1]", "\"dtype\":\"F4\",\"shape\":[2],\"later\":{\"a\":[1]}");
        Replace("\"__metadata__\":{\"format\":\"pt\"}", "\"__metadata__\":null");
        Assert.That(WeightFile.Load(File, Graph).State.Weights, Is.EqualTo(State.Weights));
        Assert.That(WeightImport.Read(File, new ImportOptions()).State.Weights, Is.EqualTo(State.Weights));
        FileReport report = FileInspector.Inspect(File);
        TensorReport counter = report.Tensors.Single(tensor => tensor.Name == "x.num_batches_tracked");
        Assert.That(counter.Type, Is.EqualTo(SafetensorsType.Unknown));
    }

    [Test]
    public void A_needed_tensor_of_an_unknown_type_is_named()
    {
        ForeignFile.Write(File, State, name => name);
        Replace("\"dtype\":\"F32\",\"shape\":[4]", "\"dtype\":\"F31\",\"shape\":[4]");
        Assert.That(() => WeightFile.Load(File, Graph), Throws.TypeOf<DamagedFileException>().With.Message.StartsWith(
            $"Tensor 'conv1.bias' of {File} is of type F31 where F32 is needed; "));
        Assert.That(
            () => WeightImport.Read(File, new ImportOptions()),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("is F31 [4]"));
    }

    [Test]
    public void Many_prefixes_cost_no_more_than_their_number([Values] bool network, [Values] bool deep) =>
        Growth.RequireLinear(16_000, prefixes =>
        {
            string file = _folder[$"{prefixes}"];
            ForeignFile.Write(file, State, name => network ? "net.model." + name : null, extra: writer =>
            {
                for (int i = 0; i < prefixes; i++)
                {
                    string prefix = deep ? $"p{i % 40}.q{i % 400}.r.s.t.u{i}" : $"p{i}";
                    writer.Add(prefix + ".num_batches_tracked", new byte[1], 1);
                }
            });
            return () =>
            {
                if (network)
                    Assert.That(WeightImport.Read(file, new ImportOptions()).State.Weights, Is.EqualTo(State.Weights));
                else
                    Assert.That(
                        () => WeightImport.Read(file, new ImportOptions("lenet-4-8-32")),
                        Throws.TypeOf<DamagedFileException>());
            };
        });

    [Test]
    public void A_name_of_many_parts_costs_no_more_than_its_length() => Growth.RequireLinear(32_000, length =>
    {
        var dots = new Dictionary<string, IReadOnlyList<long>> { [new string('.', length)] = [1] };
        return () => Assert.That(PyTorchNames.Recognize(dots), Is.Null);
    });

    private void WritePruned(string prefix, SafetensorsType type, Func<string, bool>? isPruned = null)
    {
        var writer = new SafetensorsWriter { Checksum = false };
        foreach (Parameter parameter in Graph.Table.All)
        {
            bool pruned = parameter.Prunable && (isPruned is null || isPruned(parameter.Name));
            writer.Add(prefix + parameter.Name + (pruned ? "_orig" : ""), State.MemoryOf(parameter), Shape(parameter));
            if (pruned)
                writer.AddBytes(prefix + parameter.Name + "_mask", type, Bytes(Kept[parameter], type), Shape(parameter));
        }
        writer.WithMetadata("format", "pt").Save(File);
    }

    private void WriteMasks(string prefix, SafetensorsType type, Action<SafetensorsWriter>? extra = null)
    {
        var writer = new SafetensorsWriter { Checksum = false };
        foreach (Parameter parameter in Graph.Table.Prunable)
            writer.AddBytes(prefix + parameter.Name, type, Bytes(Kept[parameter], type), Shape(parameter));
        extra?.Invoke(writer);
        writer.Save(File);
    }

    private static byte[] Bytes(ReadOnlySpan<byte> mask, SafetensorsType type) =>
    [.. mask.ToArray().SelectMany(value => type switch
    {
        SafetensorsType.F16 => BitConverter.GetBytes((Half)value),
        SafetensorsType.BF16 => BitConverter.GetBytes((float)value)[2..],
        SafetensorsType.F32 => BitConverter.GetBytes((float)value),
        SafetensorsType.F64 => BitConverter.GetBytes((double)value),
        SafetensorsType.I32 => BitConverter.GetBytes((int)value),
        SafetensorsType.I64 => BitConverter.GetBytes((long)value),
        _ => [value],
    })];

    // Changes the header's text and its length.
    private void Replace(string text, string by)
    {
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        int length = (int)BitConverter.ToInt64(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length);
        Assert.That(header, Does.Contain(text));
        byte[] changed = Encoding.UTF8.GetBytes(header.Replace(text, by, StringComparison.Ordinal));
        byte[] prefix = BitConverter.GetBytes((long)changed.Length);
        System.IO.File.WriteAllBytes(File, [.. prefix, .. changed, .. bytes[(8 + length)..]]);
    }

    private static byte[] Ones(int length) => [.. Enumerable.Repeat((byte)1, length)];

    private static long[] Shape(Parameter parameter) => [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)];
}
