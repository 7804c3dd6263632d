using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files.Onnx;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Exported ONNX files as ONNX Runtime computes them.</summary>
internal sealed class OnnxExportTests
{
    private const int Samples = 1000, Chunk = 125;
    private const float Tolerance = 1e-4f;

    private static readonly string[] Models =
    [
        "vgg16-w2", "resnet18-w2", "preact-resnet18-w2", "preact-resnet18-v2-w2", "wrn-10-1", "wrn-10-1-silu", "lenet-4-8-32",
        "lenet-4-8-32-p2",
    ];

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCaseSource(nameof(Models))]
    public void A_network_has_our_logits_in_ONNX_Runtime(string model)
    {
        NetworkGraph graph = Graph(model);
        ModelState state = State(graph);
        string weights = _folder["weights.safetensors"], onnx = _folder["network.onnx"];
        WeightFile.Save(weights, state, ModelFileMetadata.Of(graph, Normalization(graph)));
        OnnxReport report = OnnxExport.Write(weights, onnx);
        Assert.Multiple(() =>
        {
            Assert.That((report.Model, report.Opset, report.Pruned), Is.EqualTo((graph.Name, 17, (long?)null)));
            Assert.That(report.Normalization?.ContentEquals(Normalization(graph)), Is.True);
        });
        RequireSameLogits(onnx, graph, state);
    }

    [TestCase("resnet18-w2")]
    [TestCase("lenet-4-8-32")]
    public void A_ticket_is_written_with_its_mask_applied(string model)
    {
        NetworkGraph graph = Graph(model);
        ModelState state = State(graph);
        Mask mask = new GlobalMagnitude().Prune(state, new PruningOptions(0.8)).Mask;
        string ticket = _folder["ticket.safetensors"], onnx = _folder["ticket.onnx"];
        TicketFile.Save(ticket, state, mask, ModelFileMetadata.Of(graph, Normalization(graph)));
        OnnxReport report = OnnxExport.Write(ticket, onnx);
        ModelState pruned = state.Clone();
        mask.Apply(pruned.Weights.AsSpan(0, pruned.Table.PrunableLength));
        Assert.That(report.Pruned, Is.EqualTo(mask.Pruned));
        RequireSameLogits(onnx, graph, pruned);
    }

    [Test]
    public void A_graph_of_every_layer_and_activation_has_our_logits()
    {
        NetworkGraph graph = OfEverything();
        ModelState state = State(graph);
        string onnx = _folder["everything.onnx"];
        OnnxExport.Write(onnx, graph, state, null);
        RequireSameLogits(onnx, graph, state);
    }

    [Test]
    public void Every_family_and_every_layer_is_tried()
    {
        Type[] layers = [.. typeof(Layer).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Layer)))];
        IEnumerable<Type?> tried = OfEverything().Nodes.Concat(Models.SelectMany(model => Graph(model).Nodes)).Select(
            node => node.Layer?.GetType());
        Assert.Multiple(() =>
        {
            Assert.That(Models.Select(ModelCatalog.FamilyOf).Distinct(), Is.EquivalentTo(ModelCatalog.Families));
            Assert.That(layers, Is.SubsetOf(tried.Distinct()));
        });
    }

    [Test]
    public void The_file_says_its_opset_its_names_and_that_the_batch_is_free()
    {
        NetworkGraph graph = Graph("wrn-10-1");
        string onnx = _folder["network.onnx"];
        OnnxExport.Write(onnx, graph, State(graph), InputNormalizationConstants.Cifar10);
        ModelProto model = ModelProto.Parser.ParseFrom(System.IO.File.ReadAllBytes(onnx));
        using var session = new InferenceSession(onnx);
        string[] parameters = [.. graph.Table.All.Select(parameter => parameter.Name)];
        Assert.Multiple(() =>
        {
            Assert.That(model.IrVersion, Is.EqualTo(8));
            Assert.That(model.OpsetImport.Select(set => (set.Domain, set.Version)), Is.EqualTo(new[] { ("", 17L) }));
            Assert.That(model.ProducerName, Is.EqualTo("boosting-ticket"));
            Assert.That(model.Graph.Name, Is.EqualTo("wrn-10-1"));
            Assert.That(model.Graph.Node.Select(node => node.Name), Is.Unique);
            Assert.That(model.Graph.Initializer.Select(tensor => tensor.Name), Is.SupersetOf(parameters));
            Assert.That(
                model.MetadataProps.ToDictionary(pair => pair.Key, pair => pair.Value),
                Contains.Key("model").WithValue("wrn-10-1"));
            Assert.That(session.InputMetadata.Keys, Is.EqualTo(new[] { "images" }));
            Assert.That(session.InputMetadata["images"].Dimensions, Is.EqualTo(new[] { -1, 3, 32, 32 }));
            Assert.That(session.InputMetadata["images"].SymbolicDimensions[0], Is.EqualTo("batch"));
            Assert.That(session.OutputMetadata.Keys, Is.EqualTo(new[] { "logits" }));
            Assert.That(session.OutputMetadata["logits"].Dimensions, Is.EqualTo(new[] { -1, 10 }));
        });
    }

    [Test]
    public void The_same_network_gives_the_same_bytes()
    {
        NetworkGraph graph = Graph("resnet18-w2");
        string[] files = [_folder["a.onnx"], _folder["b.onnx"]];
        foreach (string file in files)
            OnnxExport.Write(file, graph, State(graph), InputNormalizationConstants.Cifar10);
        Assert.That(System.IO.File.ReadAllBytes(files[0]), Is.EqualTo(System.IO.File.ReadAllBytes(files[1])));
    }

    private static NetworkGraph Graph(string model)
    {
        bool grey = model.StartsWith("lenet", StringComparison.Ordinal);
        FeatureShape input = grey ? new FeatureShape(1, 28, 28) : new FeatureShape(3, 32, 32);
        return ModelCatalog.Build(model, new ModelOptions(
            input, Normalization: grey ? InputNormalizationConstants.Mnist : InputNormalizationConstants.Cifar10));
    }

    private static InputNormalizationConstants Normalization(NetworkGraph graph) =>
        graph.Input.Shape.Channels == 1 ? InputNormalizationConstants.Mnist : InputNormalizationConstants.Cifar10;

    // Every kind of layer and activation, a sum of a map and of a linear layer's output, and a convolution behind it.
    private static NetworkGraph OfEverything()
    {
        var builder = new GraphBuilder("everything", new FeatureShape(2, 9, 7));
        Node x = builder.Normalize("normalization", builder.Input, [0.4f, 0.5f], [0.2f, 0.3f]);
        x = builder.Activate(
            builder.Convolution("a", x, 5, kernel: 3, stride: 2, padding: 1, bias: true), Activation.LeakyRelu(0.1f));
        Node shortcut = builder.Convolution("b", x, 6, kernel: 1);
        x = builder.Sum("sum", builder.BatchNormalization("c", builder.Convolution("d", x, 6, kernel: 3, padding: 1)), shortcut);
        x = builder.MaxPool(builder.Activate(x, Activation.Silu), 2);
        x = builder.AveragePool(x, 2);
        Node linear = builder.BatchNormalization("f", builder.Linear("e", x, 6));
        Node both = builder.Relu(builder.Sum("both", linear, x));
        Node last = builder.Linear("h", builder.Convolution("g", both, 4, kernel: 1), 3);
        return builder.Build(builder.Relu(builder.BatchNormalization("i", last)));
    }

    // Values away from 0 and 1 wherever a network has any.
    private static ModelState State(NetworkGraph graph)
    {
        ModelState state = Initialization.Draw(graph.Table, seed: 5);
        var random = new Random(7);
        foreach (Parameter parameter in graph.Table.All)
        {
            foreach (ref float value in state[parameter])
            {
                value += parameter.Role switch
                {
                    ParameterRole.RunningVariance or ParameterRole.NormalizationScale => random.NextSingle() - 0.4f,
                    ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight => 0,
                    _ => 0.2f * random.NextSingle() - 0.1f,
                };
            }
        }

        return state;
    }

    private static void RequireSameLogits(string onnx, NetworkGraph graph, ModelState state)
    {
        FeatureShape shape = graph.Input.Shape;
        var random = new Random(3);
        float[] images = [.. Enumerable.Range(0, Samples * shape.Length).Select(_ => random.NextSingle())];
        float[] expected = Ours(graph, state, images);
        float largest = expected.Max(MathF.Abs);
        Assert.That(largest, Is.InRange(0.1f, 100f), "logits that say something");
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(onnx, options);
        foreach (int batch in (int[])[Samples, 1, 7])
        {
            float[] logits = Theirs(session, shape, images.AsMemory(0, batch * shape.Length), batch);
            Assert.That(logits, Has.Length.EqualTo(batch * graph.Classes));
            float departure = 0;
            for (int i = 0; i < logits.Length; i++)
                departure = Math.Max(departure, Math.Abs(logits[i] - expected[i]));
            TestContext.Out.WriteLine($"{graph.Name}, batch {batch}: logits to {largest:F2}, largest departure {departure:E1}");
            Assert.That(departure, Is.LessThanOrEqualTo(Tolerance));
        }
    }

    private static float[] Theirs(InferenceSession session, FeatureShape shape, Memory<float> images, int batch)
    {
        var input = new DenseTensor<float>(images, [batch, shape.Channels, shape.Height, shape.Width]);
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results =
            session.Run([NamedOnnxValue.CreateFromTensor("images", input)]);
        return [.. results.Single().AsEnumerable<float>()];
    }

    private static float[] Ours(NetworkGraph graph, ModelState state, float[] images)
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        using var network = new Network(graph, backend);
        state.CopyTo(network.Parameters, backend);
        Plan plan = network.Plan(new PlanOptions(Chunk, PlanMode.Evaluate));
        BatchBuffers buffers = network.Buffers(Chunk);
        float[] logits = new float[Samples * graph.Classes], chunk = new float[Chunk * graph.Classes];
        for (int start = 0; start < Samples; start += Chunk)
        {
            backend.Upload(images.AsSpan(start * graph.Input.Shape.Length, Chunk * graph.Input.Shape.Length), buffers.Input);
            plan.Forward();
            backend.Download(plan.Logits, chunk);
            chunk.CopyTo(logits, start * graph.Classes);
        }

        return logits;
    }
}
