using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Ranks;

/// <summary>Measurements by several processes are those of one.</summary>
internal sealed class RankEvaluationTests
{
    private const string Model = "lenet-4-8-32";
    private const int Samples = 150;

    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, Samples, 1, seed: 4);
    private static readonly AttackSettings Attack = new() { Epsilon = 0.02, StepSize = 0.01, Steps = 2, Restarts = 2 };

    [Test]
    public void Accuracies_under_PGD_are_those_of_one_process([Values(2, 3)] int ranks)
    {
        TestResult alone = Measure(1), shared = Measure(ranks);
        Assert.That(alone.Robust, Is.GreaterThan(0).And.LessThan(alone.Clean), "the attack decides something");
        Assert.That(
            shared with { Seconds = 0, Warnings = [] }, Is.EqualTo(alone with { Seconds = 0, Warnings = [] }));
        Assert.That(shared.Warnings, Is.EqualTo(alone.Warnings));

        TestResult Measure(int count) => ThreadGroup.Run(count, backend =>
        {
            using var images = new DeviceImages(Data.Train, backend);
            using Network network = Create(backend, 3);
            using var evaluator = new Evaluator(network, images, [.. Enumerable.Range(0, Samples)], 7);
            evaluator.Clean();
            return evaluator.Robust(AttackBudget.Pgd(Attack), 5, Samples);
        });
    }

    [Test]
    public void Attacks_and_their_images_are_those_of_one_process([Values(2, 3)] int ranks)
    {
        (string Results, float[] Images) alone = Measure(1), shared = Measure(ranks);
        Assert.That(shared.Results, Is.EqualTo(alone.Results));
        Assert.That(shared.Images, Is.EqualTo(alone.Images));

        (string, float[]) Measure(int count) => ThreadGroup.Run(count, backend =>
        {
            using var progress = new CountingProgress();
            using var images = new DeviceImages(Data.Train, backend);
            using Network network = Create(backend, 3);
            var evaluator = new AttackEvaluator(network, images, [.. Enumerable.Range(0, Samples)], 4, progress);
            evaluator.KeepImages();
            RobustnessResult result = evaluator.Run(["pgd", "fab-t"], Attack, 5);
            return (string.Join(' ', result.Attacks.Select(one => $"{one.Robust} {one.LargestPerturbation} {one.ZeroGradients}")),
                evaluator.Adversarial.ToArray());
        });
    }

    [Test]
    public void A_matrix_of_transfer_is_that_of_one_process()
    {
        Assert.That(Measure(2), Is.EqualTo(Measure(1)));

        string Measure(int count) => ThreadGroup.Run(count, backend =>
        {
            using var progress = new CountingProgress();
            using var images = new DeviceImages(Data.Train, backend);
            var graph = ModelCatalog.Build(Model, new ModelOptions(new FeatureShape(1, 28, 28)));
            TransferNetwork[] networks = [.. ((ulong[])[3, 4]).Select(
                seed => new TransferNetwork($"{seed}", graph, Initialization.Draw(graph.Table, seed)))];
            TransferResult result = new TransferMatrix(backend, images, [.. Enumerable.Range(0, 40)], 6, progress)
                .Run(networks, "pgd", Attack, 5);
            return string.Join(' ', result.Rows.Select(
                row => $"{row.LargestPerturbation} {string.Join(' ', row.Accuracies.Select(one => one.Value))}"));
        });
    }

    private static Network Create(IBackend backend, ulong seed)
    {
        var network = new Network(ModelCatalog.Build(Model, new ModelOptions(new FeatureShape(1, 28, 28))), backend);
        Initialization.Draw(network.Graph.Table, seed).CopyTo(network.Parameters, backend);
        return network;
    }
}
