using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Files.Torch;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Files;

/// <summary>Files that PyTorch 1.13.1 saved (tests/golden/torch), and damaged and hostile ones.</summary>
internal sealed class TorchFileTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase("views")]
    [TestCase("views-old")]
    [TestCase("views-protocol4")]
    public void Every_view_and_number_format_has_the_values_that_PyTorch_saved(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Golden(name));
        float[] all = [.. Enumerable.Range(0, 24).Select(value => (float)value)];
        Assert.Multiple(() =>
        {
            Expect("transposed", SafetensorsType.F32, [6, 4], [.. from column in Enumerable.Range(0, 6)
                from row in Enumerable.Range(0, 4) select (float)(6 * row + column)]);
            Expect("rows", SafetensorsType.F32, [2, 6], all[6..18]);
            Expect("columns", SafetensorsType.F64, [4, 3], [.. all.Where(value => value % 2 == 0)]);
            Expect("bfloat16", SafetensorsType.BF16, [4, 6], all);
            Expect("half", SafetensorsType.F16, [4, 6], all);
            Expect("parameter", SafetensorsType.F32, [4, 6], all);
            Expect("empty", SafetensorsType.F32, [0, 3], []);
            Assert.That(Bytes("flags"), Is.EqualTo(all.Select(value => (byte)(value > 3 ? 1 : 0))));
            Assert.That(BinaryPrimitives.ReadInt64LittleEndian(Bytes("count")), Is.EqualTo(5));
            Assert.That(file.TryFind("count", out SafetensorsEntry? scalar) && scalar.Shape.Count == 0);
            Assert.That(Bytes("whole.1.0"), Is.EqualTo(all.Select(value => (byte)value)));
            Assert.That(Bytes("whole.0"), Has.Length.EqualTo(4 * all.Length));
            Assert.That(BinaryPrimitives.ReadInt64LittleEndian(Bytes("whole.1.1").AsSpan(23 * 8)), Is.EqualTo(23));
            Assert.That(file.Tensors, Has.Count.EqualTo(12));
        });

        byte[] Bytes(string tensor)
        {
            Assert.That(file.TryFind(tensor, out SafetensorsEntry? entry), tensor);
            byte[] bytes = new byte[entry!.ByteLength];
            file.ReadBytes(entry, bytes);
            return bytes;
        }

        void Expect(string tensor, SafetensorsType type, long[] shape, float[] values)
        {
            Assert.That(file.TryFind(tensor, out SafetensorsEntry? entry), tensor);
            float[] read = new float[entry!.Length];
            file.ReadSingles(entry, read);
            Assert.That((entry.Type, read), Is.EqualTo((type, values)), tensor);
            Assert.That(entry.Shape, Is.EqualTo(shape), tensor);
        }
    }

    [TestCase("checkpoint")]
    [TestCase("checkpoint-old")]
    public void A_checkpoint_shows_its_networks_and_leaves_out_what_is_no_tensor(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Golden(name));
        Assert.That(
            file.Tensors.Select(entry => entry.Name),
            Is.EqualTo(["ema.conv.bias", "ema.conv.weight", "state_dict.module.conv.bias", "state_dict.module.conv.weight"]));
    }

    [TestCase("hostile", "posix.system")]
    [TestCase("hostile-old", "posix.system")]
    [TestCase("module", "torch.nn.modules.linear.Linear")]
    [TestCase("module-old", "torch.nn.modules.linear.Linear")]
    [TestCase("program", "torch.jit.save")]
    [TestCase("nothing", "does not hold tensors")]
    [TestCase("nothing-old", "does not hold tensors")]
    public void What_is_more_than_tensors_and_dictionaries_is_refused_by_name(string name, string named) =>
        Assert.That(
            () => SafetensorsFile.Open(Golden(name)),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains(named).And.Message.Contains("state_dict"));

    [TestCase("cos\nsystem\n(S'true'\ntR.", "os.system", TestName = "A_call_in_the_oldest_protocol")]
    [TestCase("(S'true'\nios\nsystem\n.", "os.system", TestName = "An_instance")]
    [TestCase("(cos\nsystem\nS'true'\no.", "os.system", TestName = "An_object")]
    [TestCase("cbuiltins\neval\n(S'1'\ntR.", "builtins.eval", TestName = "A_builtin")]
    [TestCase("c__builtin__\ngetattr\n.", "__builtin__.getattr", TestName = "A_function_that_is_not_called")]
    [TestCase("cargparse\nNamespace\n)\u0081.", "argparse.Namespace", TestName = "A_class_of_no_harm")]
    public void No_way_to_name_a_function_is_open(string pickle, string named)
    {
        File.WriteAllBytes(_folder["w.pt"], Zip([0x80, 2, .. Encoding.Latin1.GetBytes(pickle)]));
        Assert.That(
            () => SafetensorsFile.Open(_folder["w.pt"]),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains(named));
    }

    [Test]
    public void Every_cut_of_a_file_is_refused_with_a_sentence()
    {
        foreach (string name in new[] { "views", "views-old", "checkpoint", "checkpoint-old", "views-protocol4" })
        {
            byte[] whole = File.ReadAllBytes(Golden(name));
            for (int length = 8; length < whole.Length; length += 13)
            {
                Assert.That(
                    () => ReadAll(whole[..length]),
                    Throws.InstanceOf<BoostingTicketException>(), () => $"{name} cut at {length}");
            }
        }
    }

    [TestCase(new long[] { 5 }, new long[] { 1 }, 0, TestName = "Past_the_end")]
    [TestCase(new long[] { 4 }, new long[] { 1 }, 1, TestName = "Past_the_end_by_its_offset")]
    [TestCase(new long[] { 1 << 30, 1 << 30 }, new long[] { 0, 0 }, 0, TestName = "One_element_repeated")]
    [TestCase(new long[] { long.MaxValue, 4 }, new long[] { 1, 1 }, 0, TestName = "Uncountable")]
    [TestCase(new long[] { -1 }, new long[] { 1 }, 0, TestName = "A_negative_size")]
    [TestCase(new long[] { 2 }, new long[] { -1 }, 1, TestName = "A_negative_stride")]
    [TestCase(new long[] { 2, 2 }, new long[] { 1 }, 0, TestName = "Fewer_strides_than_sizes")]
    public void A_view_lies_within_its_storage(long[] shape, long[] strides, int offset) =>
        Assert.That(
            () => new TorchTensor(
                new TorchStorage("0", SafetensorsType.F32, 16), SafetensorsType.F32, offset, shape, strides).Checked(),
            Throws.TypeOf<TorchFormatException>());

    [Test]
    public void Compressed_entries_are_refused()
    {
        using (ZipArchive archive = ZipFile.Open(_folder["w.pt"], ZipArchiveMode.Create))
        {
            using Stream entry = archive.CreateEntry("archive/data.pkl", CompressionLevel.SmallestSize).Open();
            entry.Write(new byte[1 << 20]);
        }

        Assert.That(
            () => SafetensorsFile.Open(_folder["w.pt"]),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("compressed"));
    }

    [TestCase("resnet18-w2", "torchvision", "")]
    [TestCase("resnet18-w2", "pytorch", "module.")]
    [TestCase("wrn-10-1", "trades", "module.")]
    [TestCase("wrn-10-1", "robustbench", "")]
    [TestCase("vgg16-w2", "features", "")]
    [TestCase("preact-resnet18-w2", "fast-adversarial", "")]
    [TestCase("lenet-3-4-8", "pytorch", "module.")]
    public void An_exported_file_is_imported_as_it_was(string model, string style, string prefix)
    {
        FeatureShape shape = model.StartsWith("lenet", StringComparison.Ordinal) ? new(1, 28, 28) : new(3, 32, 32);
        NetworkGraph graph = ModelCatalog.Build(model, new ModelOptions(shape));
        ModelState state = Initialization.Draw(graph.Table, seed: 7);
        WeightFile.Save(_folder["own"], state, ModelFileMetadata.Of(graph, null));
        WeightExport.Write(_folder["own"], _folder["w.pt"], style, prefix, ExportFormat.Torch);
        ImportedWeights imported = WeightImport.Read(_folder["w.pt"], new ImportOptions());
        Assert.That(imported.Graph.Name, Is.EqualTo(model));
        Assert.That(imported.State.ContentEquals(state));
        Assert.That(File.ReadAllBytes(_folder["w.pt"])[..2], Is.EqualTo("PK"u8.ToArray()));
    }

    [Test]
    public void The_exponential_average_beside_a_network_is_chosen_by_its_prefix()
    {
        NetworkGraph graph = ModelCatalog.Build("resnet18-w2", new ModelOptions(new FeatureShape(3, 32, 32)));
        ModelState state = Initialization.Draw(graph.Table, seed: 1), average = Initialization.Draw(graph.Table, seed: 2);
        var writer = new TorchWriter();
        foreach (Parameter parameter in graph.Table.All)
        {
            long[] dimensions = [.. parameter.Spec.Dimensions.Select(dimension => (long)dimension)];
            writer.AddTensor($"model.module.{parameter.Name}", state.MemoryOf(parameter), dimensions);
            writer.AddTensor($"ema.{parameter.Name}", average.MemoryOf(parameter), dimensions);
        }

        writer.Save(_folder["both.pth"]);
        Assert.That(
            () => WeightImport.Read(_folder["both.pth"], new ImportOptions()),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("'ema.'").And.Message.Contains("'model.module.'"));
        Assert.That(WeightImport.Read(_folder["both.pth"], new ImportOptions(Prefix: "ema.")).State.ContentEquals(average));
        Assert.That(WeightImport.Read(_folder["both.pth"], new ImportOptions(Prefix: "model.module.")).State.ContentEquals(
            state));
    }

    [Test]
    public void The_same_network_gives_the_same_bytes()
    {
        WeightFile.Save(_folder["own"], ModelFileFixture.State, ModelFileFixture.Metadata);
        WeightExport.Write(_folder["own"], _folder["a.pt"], PyTorchStyle.Usual, format: ExportFormat.Torch);
        WeightExport.Write(_folder["own"], _folder["b.pt"], PyTorchStyle.Usual, format: ExportFormat.Torch);
        Assert.That(File.ReadAllBytes(_folder["a.pt"]), Is.EqualTo(File.ReadAllBytes(_folder["b.pt"])));
    }

    private void ReadAll(byte[] bytes)
    {
        File.WriteAllBytes(_folder["cut.pt"], bytes);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["cut.pt"]);
        foreach (SafetensorsEntry entry in file.Tensors)
            file.ReadBytes(entry, new byte[entry.ByteLength]);
    }

    private static byte[] Zip(byte[] pickle)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream entry = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open();
            entry.Write(pickle);
        }

        return stream.ToArray();
    }

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", "torch", name + ".pt");
}
