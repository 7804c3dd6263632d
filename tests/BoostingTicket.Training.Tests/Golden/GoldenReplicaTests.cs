using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Steps of two replicas against PyTorch's: six images in two shards, each normalised by its own statistics.</summary>
internal sealed class GoldenReplicaTests
{
    private const string Model = "resnet18-w4";

    // As of GoldenFixture: a third of what the generator allows rounding to do.
    private const double Tolerance = 2e-5, GradientTolerance = 1e-4, NormFloor = 1e-3;

    [Test]
    public void Two_replicas_give_the_losses_gradients_statistics_and_weights_of_PyTorch(
        [ValueSource(typeof(TestBackends), nameof(TestBackends.Names))] string device, [Values] ReplicaStatistics statistics)
    {
        using var initial = new GoldenFile(Model);
        using var golden = new GoldenFile(Model + "-replicas");
        byte[] pixels = golden.Bytes("images");
        byte[] labels = [.. golden.Labels.Select(label => (byte)label)];
        using IBackend backend = TestBackends.Create(device);
        var options = new ModelOptions(
            new FeatureShape(3, 32, 32), 10, InputNormalizationConstants.Cifar10, PruneHiddenLinear: false);
        using var network = new Network(ModelCatalog.Build(Model, options), backend);
        ParameterTable table = network.Graph.Table;
        var start = new ModelState(table);
        foreach (Parameter parameter in table.All)
            initial["initial." + parameter.Name].CopyTo(start[parameter]);
        start.CopyTo(network.Parameters, backend);
        string[] classes = [.. Enumerable.Range(0, 10).Select(one => $"{one}")];
        using var images = new DeviceImages(new ImageSet("golden", 3, 32, 32, classes, pixels, labels), backend);
        var settings = new TrainingSettings
        {
            Method = TrainingMethod.Natural,
            BatchSize = labels.Length,
            Replicas = 2,
            ReplicaStatistics = statistics,
            Momentum = golden.Constant("sgd.momentum"),
            WeightDecay = golden.Constant("sgd.weight_decay"),
        };
        using var step = new TrainingStep(
            network, images, new SgdOptimizer(network, settings), settings, new AttackSettings(), seed: 1, labels.Length);
        ImageRequest[] requests = [.. Enumerable.Range(0, labels.Length).Select(sample => new ImageRequest(sample, 0, 0, false))];
        string prefix = statistics == ReplicaStatistics.First ? "first." : "";

        float[] losses = golden["sgd.loss"];
        for (int i = 0; i < losses.Length; i++)
        {
            var state = new TrainingState();
            step.Run(requests, golden.Constant("sgd.learning_rate"), state);
            step.Finish(state);
            Assert.That(state.LossSum / state.SampleCount, Is.EqualTo(losses[i]).Within(100 * Tolerance).Percent, $"loss {i}");
            if (i > 0)
                continue;
            Compare("train.grad.", table.Trained, network.Parameters.GradientSlice, GradientTolerance);
            Compare(prefix + "train.after.", table.Statistics, network.Parameters.Slice, Tolerance);
        }
        Compare("sgd.after.", table.Trained, network.Parameters.Slice, 4 * Tolerance);
        Compare(prefix + "sgd.after.", table.Statistics, network.Parameters.Slice, 4 * Tolerance);

        void Compare(string names, IEnumerable<Parameter> parameters, Func<Parameter, BufferSlice> slice, double tolerance)
        {
            Parameter[] all = [.. parameters];
            double floor = NormFloor * all.Max(parameter => Norm(golden[names + parameter.Name]));
            foreach (Parameter parameter in all)
            {
                float[] expected = golden[names + parameter.Name], actual = new float[expected.Length];
                backend.Download(slice(parameter), actual);
                double error = Norm(actual.Zip(expected, (a, b) => a - b)) / Math.Max(Norm(expected), floor);
                Assert.That(error, Is.LessThanOrEqualTo(tolerance), names + parameter.Name);
            }
        }
    }

    private static double Norm(IEnumerable<float> values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
