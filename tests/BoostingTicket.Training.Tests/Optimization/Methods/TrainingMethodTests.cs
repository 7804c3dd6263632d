using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Tests.Attacks;
using BoostingTicket.Training.Tests.Golden;

namespace BoostingTicket.Training.Tests.Optimization.Methods;

/// <summary>Every training method on every backend against plain double-precision code.</summary>
internal sealed class TrainingMethodTests
{
    private const ulong Seed = 3;
    private const int Batch = 5;

    // The float backends may round a gradient to another sign only where it is all but zero.
    private static readonly AttackSettings Attack = new() { Epsilon = 0.1, StepSize = 0.03, Steps = 3 };

    private static IEnumerable<TrainingMethod> Methods => Enum.GetValues<TrainingMethod>();

    [Test]
    public void Every_method_is_registered_once()
    {
        Assert.That(TrainingMethodCatalog.All.Select(method => method.Method), Is.EquivalentTo(Enum.GetValues<TrainingMethod>()));
        Assert.That(TrainingMethodCatalog.All.Select(method => method.Description), Is.Unique.And.None.Empty);
    }

    /// <summary>Three steps under a mask: one batch twice, then another, so that what outlives a step matters.</summary>
    [Test]
    public void Steps_are_those_of_plain_code(
        [ValueSource(nameof(Methods))] TrainingMethod method,
        [ValueSource(typeof(TestBackends), nameof(TestBackends.Names))] string device)
    {
        using IBackend backend = TestBackends.Create(device);
        using var network = new Network(PlainNetwork.Graph, backend);
        ModelState initial = Initialization.Draw(network.Graph.Table, Seed);
        Mask mask = PrunerCatalog.Find("global").Prune(initial, new PruningOptions(0.4)).Mask;
        TicketReset.Apply(network.Parameters, backend, initial, mask);
        ImageSet set = Images();
        using var images = new DeviceImages(set, backend);
        var settings = new TrainingSettings
        {
            Method = method,
            BatchSize = Batch,
            LearningRate = 0.05,
            WeightDecay = 1e-3,
            MethodOptions = new MethodSettings { OuterSteps = 3, InnerSteps = 2 },
        };
        using var step = new TrainingStep(network, images, new SgdOptimizer(network, settings), settings, Attack, Seed, Batch);
        var plain = new PlainNetwork(initial, mask.Values.ToArray());
        var expected = new PlainTraining(plain, settings, Attack, Seed);
        bool exact = device == "reference";

        int[][] batches = [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [9, 8, 7, 6, 5]];
        for (int i = 0; i < batches.Length; i++)
        {
            var state = new TrainingState { Epoch = i };
            step.Run([.. batches[i].Select(sample => new ImageRequest(sample, 0, 0, false))], settings.LearningRate, state);
            step.Finish(state);
            double[] pixels = [.. batches[i].SelectMany(sample =>
                Enumerable.Range(sample * PlainNetwork.ImageLength, PlainNetwork.ImageLength).Select(at => (double)(
                    set.Pixels[at] / 255f)))];
            expected.Step(pixels, [.. batches[i].Select(sample => (int)set.Labels[sample])], batches[i], i);

            Assert.That(state.LossSum, Is.EqualTo(expected.Loss).Within(exact ? 1e-5 : 1e-4), $"loss of step {i + 1}");
            Assert.That(state.CorrectCount, Is.EqualTo(expected.Correct), $"correct samples of step {i + 1}");
            ModelState actual = ModelState.Capture(network.Parameters, backend);
            foreach (Parameter parameter in network.Graph.Table.All)
            {
                double largest = actual[parameter].ToArray().Zip(plain.Values[parameter.Name], (a, b) => Math.Abs(a - b)).Max();
                Assert.That(largest, Is.LessThan(exact ? 2e-6 : 2e-5), $"{parameter.Name} after step {i + 1}");
            }
        }
        float[] weights = ModelState.Capture(network.Parameters, backend).Weights;
        Assert.That(
            Enumerable.Range(0, mask.Length).Where(i => mask.Values[i] == 0 && BitConverter.SingleToInt32Bits(weights[i]) != 0),
            Is.Empty,
            "pruned weights");
    }

    /// <summary>What is trained on lies in the ball that the method promises, and uses more than half of it.</summary>
    [TestCase(TrainingMethod.Fgsm, 1)]
    [TestCase(TrainingMethod.FgsmRs, 1)]
    [TestCase(TrainingMethod.NFgsm, 3)]
    [TestCase(TrainingMethod.Pgd, 1)]
    [TestCase(TrainingMethod.Free, 1)]
    [TestCase(TrainingMethod.Yopo, 1)]
    [TestCase(TrainingMethod.Trades, 1)]
    public void Images_stay_in_the_ball(TrainingMethod method, int radius)
    {
        foreach (string device in TestBackends.Available)
            StayInTheBall(method, radius, device);
    }

    private static void StayInTheBall(TrainingMethod method, int radius, string device)
    {
        using IBackend backend = TestBackends.Create(device);
        using var network = new Network(PlainNetwork.Graph, backend);
        Initialization.Draw(network.Graph.Table, Seed).CopyTo(network.Parameters, backend);
        using var images = new DeviceImages(Images(), backend);
        var settings = new TrainingSettings { Method = method, BatchSize = Batch };
        using var step = new TrainingStep(network, images, new SgdOptimizer(network, settings), settings, Attack, Seed, Batch);
        var requests = new ImageRequest[Batch];
        float largest = 0;
        for (int i = 0; i < 6; i++)
        {
            for (int sample = 0; sample < Batch; sample++)
                requests[sample] = new ImageRequest((i + sample) % 10, 0, 0, false);
            step.Run(requests, 0.01, new TrainingState { Epoch = i });
            BatchBuffers buffers = network.Buffers(Batch);
            // TRADES ends with the clean images in place and keeps the attacked ones beside them.
            Tensor attacked = method == TrainingMethod.Trades ? buffers.Worst : buffers.Input;
            float[] clean = new float[Batch * PlainNetwork.ImageLength], pixels = new float[clean.Length];
            backend.Download(buffers.Clean, clean);
            backend.Download(attacked, pixels);
            Ball.Holds(clean, pixels, radius * 0.1);
            largest = Math.Max(largest, backend.MeasurePerturbation(buffers.Clean, attacked).LargestPerturbation);
        }
        Assert.That(largest, Is.GreaterThan(radius * 0.1 / 2));
    }

    private static ImageSet Images()
    {
        byte[] pixels = new byte[10 * PlainNetwork.ImageLength];
        new Random(11).NextBytes(pixels);
        return new ImageSet(
            "noise", PlainNetwork.Channels, PlainNetwork.Size, PlainNetwork.Size, ["a", "b", "c"], pixels,
            [.. Enumerable.Range(0, 10).Select(i => (byte)(i % PlainNetwork.Classes))]);
    }
}
