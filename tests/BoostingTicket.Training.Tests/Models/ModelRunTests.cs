using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Models;

/// <summary>Every family compiled and run for both kinds of images.</summary>
internal sealed class ModelRunTests
{
    private const int Batch = 3;

    private static readonly PlanOptions[] Options =
    [
        new(Batch, PlanMode.Train, GradientRequest.Parameters),
        new(Batch, PlanMode.Evaluate),
        new(Batch, PlanMode.Attack, GradientRequest.Input),
        new(Batch, PlanMode.Attack, GradientRequest.Input, AttackStatistics.Batch),
    ];

    [TestCase("vgg16-w2", 1)]
    [TestCase("vgg16-w2", 3)]
    [TestCase("resnet18-w2", 1)]
    [TestCase("wrn-10-1", 1)]
    [TestCase("preact-resnet18-w2", 1)]
    [TestCase("preact-resnet18-v2-w2", 3)]
    [TestCase("wrn-10-1-silu", 3)]
    [TestCase("lenet-4-8-32", 1)]
    [TestCase("lenet-4-8-32-p2", 3)]
    public void Both_backends_agree_on_logits_and_gradients(string model, int channels)
    {
        using IBackend cpu = CpuBackend.Create(threads: 2), reference = new ReferenceBackend();
        List<float[]> found = Step(model, channels, cpu), expected = Step(model, channels, reference);
        for (int i = 0; i < expected.Count; i++)
        {
            double difference = found[i].Zip(expected[i], (a, b) => Math.Pow((double)a - b, 2)).Sum();
            double norm = expected[i].Sum(value => Math.Pow(value, 2));
            // By norm, since a rectifier's input next to 0 may fall on either side; a wrong layer is off by about 1.
            Assert.That(norm, Is.GreaterThan(0), $"result {i}");
            Assert.That(Math.Sqrt(difference / norm), Is.LessThan(0.01), $"result {i}");
        }
    }

    [Test]
    public void Sums_and_rectifiers_are_part_of_the_operation_before_them(
        [Values("vgg16-w2", "resnet18-w2", "preact-resnet18-w2", "wrn-16-1", "wrn-16-2", "lenet-4-8-32")] string model)
    {
        using IBackend backend = new ReferenceBackend();
        using var network = new Network(Graph(model, 3), backend);
        foreach (PlanOptions options in Options)
        {
            IEnumerable<PlanOperation> forward = network.Plan(options).Operations.Where(
                operation => operation.Pass == PlanPass.Forward);
            Assert.That(forward.Where(operation => operation.Kind == OperationKind.Elementwise).Select(
                operation => operation.Layer), Is.Empty, $"{options}");
        }
    }

    [TestCase("vgg16-w2")]
    [TestCase("resnet18-w2")]
    public void Running_statistics_cost_no_operation_behind_a_convolution(string model)
    {
        using IBackend backend = new ReferenceBackend();
        using var network = new Network(Graph(model, 3), backend);
        string[] normalizations =
        [
            .. network.Plan(new PlanOptions(Batch, PlanMode.Evaluate)).Operations
                .Where(operation => operation is { Pass: PlanPass.Forward, Kind: OperationKind.Normalization }).Select(
                    operation => operation.Layer),
        ];
        Assert.That(normalizations, Is.EqualTo(new[] { "normalization" }));
    }

    private static NetworkGraph Graph(string model, int channels)
    {
        int side = channels == 1 ? 28 : 32;
        var input = new FeatureShape(channels, side, side);
        InputNormalizationConstants normalization =
            channels == 1 ? InputNormalizationConstants.Mnist : InputNormalizationConstants.Cifar10;
        return ModelCatalog.Build(model, new ModelOptions(input, Normalization: normalization));
    }

    /// <summary>Logits of all plans, and the gradient of the last layer's bias or of the images.</summary>
    private static List<float[]> Step(string model, int channels, IBackend backend)
    {
        using var network = new Network(Graph(model, channels), backend);
        Initialization.Draw(network.Graph.Table, seed: 11).CopyTo(network.Parameters, backend);
        BatchBuffers buffers = network.Buffers(Batch);
        var random = new Random(2);
        float[] images = [.. Enumerable.Range(0, Batch * network.Graph.Input.Shape.Length).Select(_ => random.NextSingle())];
        var result = new List<float[]>();
        foreach (PlanOptions options in Options)
        {
            Plan plan = network.Plan(options);
            backend.Upload(images, buffers.Input);
            backend.Upload([1, 4, 7], buffers.Labels);
            plan.Forward();
            float[] logits = new float[Batch * network.Graph.Classes];
            backend.Download(plan.Logits, logits);
            result.Add(logits);
            if (options.Gradients == GradientRequest.None)
                continue;
            plan.Loss(LossKind.CrossEntropy, 1);
            plan.Backward();
            if (options.WantsInputGradient)
            {
                float[] gradient = new float[images.Length];
                backend.Download(buffers.InputGradient, gradient);
                result.Add(gradient);
            }
            else
            {
                float[] gradient = new float[network.Graph.Classes];
                Parameter bias = network.Graph.Table.All[^1];
                backend.Download(network.Parameters.GradientSlice(bias), gradient);
                result.Add(gradient);
            }
        }

        return result;
    }
}
