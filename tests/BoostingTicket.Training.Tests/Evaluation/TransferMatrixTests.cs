using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;
using BoostingTicket.Training.Tests.Attacks;

namespace BoostingTicket.Training.Tests.Evaluation;

/// <summary>Adversarial images of one network shown to others.</summary>
internal sealed class TransferMatrixTests
{
    private const ulong Stream = 21;

    private static readonly AttackSettings Settings = new() { Epsilon = 0.05, StepSize = 0.0125 };
    private static readonly int[] Samples = [.. Enumerable.Range(0, TrainedNetwork.TestSamples)];

    private TrainedNetwork _small = null!;
    private TrainedNetwork _large = null!;
    private CountingProgress _progress = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _small = new TrainedNetwork(epochs: 4);
        _large = new TrainedNetwork(epochs: 4, "lenet-6-12-32-p2");
    }

    [OneTimeTearDown]
    public void Free()
    {
        _small.Dispose();
        _large.Dispose();
    }

    [SetUp]
    public void CreateProgress() => _progress = new CountingProgress();

    [TearDown]
    public void DisposeProgress() => _progress.Dispose();

    [Test]
    public void Every_pair_is_measured_on_the_images_of_its_source()
    {
        TransferResult result = Run(25, [_small, _large], "pgd-20");

        TrainedNetwork[] networks = [_small, _large];
        for (int source = 0; source < 2; source++)
        {
            // The same attack on all samples at once, by the way that training takes.
            float[] images = Pgd20(networks[source]);
            for (int target = 0; target < 2; target++)
            {
                double expected = Accuracy(networks[target], images);
                MeasuredShare actual = result.Rows[source].Accuracies[target];
                Assert.That(actual, Is.EqualTo(new MeasuredShare(expected, WilsonInterval.Of(
                    (int)Math.Round(expected * Samples.Length), Samples.Length))), $"{source} to {target}");
            }
        }
        TestContext.Out.WriteLine(string.Join(
            "\n", result.Rows.Select(
                row => $"{row.Clean.Value:P1}: {string.Join(" ", row.Accuracies.Select(share => share.Value.ToString("P1")))}")));
        Assert.Multiple(() =>
        {
            Assert.That((result.Attack, result.Samples), Is.EqualTo(("pgd-20", Samples.Length)));
            Assert.That(result.Rows.Select(row => row.Model), Is.EqualTo(new[] { "lenet-4-8-32", "lenet-6-12-32-p2" }));
            foreach ((int index, TransferRow row) in result.Rows.Index())
            {
                Assert.That(row.Clean.Value, Is.EqualTo(Accuracy(networks[index], CleanImages(networks[index]))));
                Assert.That(row.LargestPerturbation, Is.EqualTo(Settings.Epsilon).Within(1e-5));
                Assert.That(row.Accuracies[index].Value, Is.LessThan(row.Clean.Value - 0.1), "the attack is worth its name");
                Assert.That(row.Accuracies[index].Value, Is.LessThan(
                    result.Rows[1 - index].Accuracies[index].Value), "white box is stronger than transfer");
            }
        });
    }

    [Test]
    public void A_network_that_is_the_same_is_fooled_the_same()
    {
        TransferNetwork one = NetworkOf(_small, "one"), same = NetworkOf(_small, "same");
        TransferResult result = new TransferMatrix(_small.Network.Backend, _small.Test, Samples, 32, _progress).Run(
            [one, same], "apgd-ce", Settings, Stream);
        Assert.That(result.Rows.SelectMany(row => row.Accuracies).Distinct().ToArray(), Has.Length.EqualTo(1));
        Assert.That(result.Rows[0].Accuracies[0].Value, Is.LessThan(result.Rows[0].Clean.Value));
    }

    [TestCase("pgd-20")]
    [TestCase("apgd-t")]
    public void Results_do_not_depend_on_the_batch_size(string attack)
    {
        int[] some = [.. Samples.Take(20)];
        MeasuredShare[] At(int batch) => [.. Run(batch, [_small, _large], attack, some).Rows.SelectMany(row => row.Accuracies)];
        Assert.That(At(7), Is.EqualTo(At(20)));
    }

    [Test]
    public void An_attack_of_several_stages_leaves_its_source_what_autoattack_leaves_it()
    {
        int[] some = [.. Samples.Take(20)];
        RobustnessResult expected = new AttackEvaluator(_small.Network, _small.Test, some, 20, _progress).Run(
            ["autoattack"], Settings, Stream);
        TransferResult result = Run(8, [_small, _large], "autoattack", some);
        double whiteBox = result.Rows[0].Accuracies[0].Value;
        // Samples that are wrong clean are attacked too, and may become right.
        Assert.That(whiteBox, Is.InRange(expected.WorstCase, expected.WorstCase + (1 - expected.Clean)));
        Assert.That(whiteBox, Is.LessThan(expected.Clean));
    }

    [Test]
    public void An_attack_of_no_radius_leaves_the_clean_accuracies()
    {
        TransferResult result = Run(32, [_small, _large], "pgd-20", settings: Settings with { Epsilon = 0 });
        foreach (TransferRow row in result.Rows)
            Assert.That(row.Accuracies, Is.EqualTo(result.Rows.Select(target => target.Clean)));
    }

    [TestCase("pgd-20")]
    [TestCase("apgd-t")]
    public void Progress_goes_up_to_its_announced_end(string attack)
    {
        var seen = new Steps();
        new TransferMatrix(_small.Network.Backend, _small.Test, Samples, 32, seen).Run(
            [NetworkOf(_small, "a"), NetworkOf(_large, "b")], attack, Settings, Stream);
        Assert.That(seen.Done, Is.Ordered);
        Assert.That(seen.Done[^1], Is.EqualTo(seen.Total));
        Assert.That(seen.Finished, Is.EqualTo(1));
    }

    [Test]
    public void Vanishing_gradients_are_reported_with_the_network_that_has_them()
    {
        TransferNetwork dead = NetworkOf(_small, "dead");
        Array.Clear(dead.State.Weights);
        TransferResult result = new TransferMatrix(_small.Network.Backend, _small.Test, Samples, 30, _progress).Run(
            [NetworkOf(_large, "live"), dead], "apgd-ce", Settings, Stream);
        Assert.That(result.Warnings, Has.One.Contains("apgd-ce on dead met a gradient of zero at 60 of 60 starts"));
        Assert.That(_progress.Warnings, Is.EqualTo(result.Warnings));
    }

    [Test]
    public void It_can_be_stopped_and_unknown_attacks_are_refused_before_it_begins()
    {
        using var stopped = new CountingProgress(cancelAfter: 3);
        var matrix = new TransferMatrix(_small.Network.Backend, _small.Test, Samples, 8, stopped);
        Assert.That(
            () => matrix.Run([NetworkOf(_small, "a")], "pgd-20", Settings, Stream, stopped.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(stopped.Reports, Is.LessThan(5));
        Assert.That(() => Run(8, [_small], "pdg"), Throws.TypeOf<ConfigurationException>().With.Message.Contains("'pdg'"));
        Assert.That(_progress.Stages, Is.Empty);
    }

    private TransferResult Run(
        int batch, TrainedNetwork[] networks, string attack, int[]? samples = null, AttackSettings? settings = null) =>
        new TransferMatrix(_small.Network.Backend, _small.Test, samples ?? Samples, batch, _progress)
            .Run([.. networks.Select((network, index) => NetworkOf(network, $"network {index}"))], attack, settings
                ?? Settings, Stream);

    private static TransferNetwork NetworkOf(TrainedNetwork trained, string name) =>
        new(name, trained.Network.Graph, ModelState.Capture(trained.Network.Parameters, trained.Network.Backend));

    private static float[] Pgd20(TrainedNetwork trained)
    {
        var target = new NetworkTarget(trained.Network, Samples.Length, AttackStatistics.Running);
        trained.Test.Load(
            [.. Samples.Select(sample => new ImageRequest(sample, 0, 0, false))], target.Buffers, target.Buffers.Clean);
        using var attack = new ProjectedGradientDescent(target, AttackBudget.Pgd(Settings with { Steps = 20 }));
        attack.Run(Stream, epoch: 0);
        float[] images = new float[target.Buffers.Input.Length];
        trained.Network.Backend.Download(target.Buffers.Input, images);
        return images;
    }

    private static float[] CleanImages(TrainedNetwork trained)
    {
        BatchBuffers buffers = trained.Network.Buffers(Samples.Length);
        trained.Test.Load([.. Samples.Select(sample => new ImageRequest(sample, 0, 0, false))], buffers, buffers.Clean);
        float[] images = new float[buffers.Clean.Length];
        trained.Network.Backend.Download(buffers.Clean, images);
        return images;
    }

    private static double Accuracy(TrainedNetwork trained, float[] images)
    {
        var model = new NetworkModel(trained.Network, Samples.Length);
        float[] logits = new float[Samples.Length * model.Classes];
        model.Logits(images, logits);
        return Samples.Count(s => AttackBatch.IsCorrect(
            logits.AsSpan(s * model.Classes, model.Classes), trained.Test.Set.Labels[s])) / (double)Samples.Length;
    }

    private sealed class Steps : IRunProgress
    {
        public long Total { get; private set; }

        public int Finished { get; private set; }

        public List<long> Done { get; } = [];

        public void StageStarted(string stage, long totalSteps, long doneSteps) => Total = totalSteps;

        public void StepsDone(long doneSteps, double samplesPerSecond) => Done.Add(doneSteps);

        public void EpochDone(EpochRecord epoch, int totalEpochs)
        {
        }

        public void StageFinished() => Finished++;

        public void Note(string text)
        {
        }

        public void Warn(string text)
        {
        }
    }
}
