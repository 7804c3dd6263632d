using System.Text.Json.Nodes;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>Single steps on sparse networks and odd masks, and folders whose settings meant something else when they were
/// begun.</summary>
internal sealed class PrunedStepsTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 200, 40, seed: 3);
    private static readonly TrainingSettings Short =
        new() { Method = TrainingMethod.Natural, Epochs = 1, BatchSize = 32, LearningRate = 0.02 };

    private TemporaryFolder _folder = null!;

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Device = "cpu",
        Arms = [Arm.Ticket],
        Data = new DataSettings { ValidationSamples = 40, Normalize = false },
        Donor = Short,
        Retrain = Short,
        Dense = Short,
        Evaluation = new EvaluationSettings { Attack = new() { Steps = 1 }, ProbeSteps = 0, BatchSize = 32 },
    };

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Pruning_a_sparse_network_brings_nothing_back([Values("global", "layerwise")] string scope)
    {
        NetworkGraph graph = Graph();
        Mask earlier = Save(graph, 0.9, scope);
        PruningReport report = Prune(new PruningSettings { Ratio = 0.95, Scope = scope });
        Assert.That(report.Sparsity, Is.EqualTo(0.95).Within(1e-3));
        Assert.That(TicketFile.Load(_folder["ticket"], graph).Mask.IsSubsetOf(earlier), Is.True);
        Assert.That(
            () => Prune(new PruningSettings { Ratio = 0.8, Scope = scope }),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith(
                $"A pruning ratio of 0.8 would bring back weights, since {earlier.Pruned} of "));
    }

    [Test]
    public void A_mask_that_keeps_nothing_is_refused_and_a_cut_layer_is_named()
    {
        NetworkGraph graph = Graph();
        ModelState initial = Initialization.Draw(graph.Table, seed: 1);
        WeightFile.Save(_folder["initial"], initial, ModelFileMetadata.Of(graph));
        byte[] values = new byte[graph.Table.PrunableLength];
        MaskFile.Save(_folder["mask"], Mask.FromValues(graph.Table, values), ModelFileMetadata.Of(graph));
        TicketFile.Save(_folder["ticket"], initial, Mask.FromValues(graph.Table, values), ModelFileMetadata.Of(graph));
        using var progress = new CountingProgress();
        foreach ((string ticket, string? mask) in ((string, string?)[])[("initial", "mask"), ("ticket", null)])
        {
            Assert.That(() => Retrain(ticket, mask, progress), Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(
                $"The mask of {_folder[mask ?? ticket]} keeps none of the 4,996 weights, so that nothing is left to train; "
                    + $"give another one."));
        }
        Assert.That(Directory.Exists(_folder["out"]), Is.False);

        Parameter cut = graph.Table["conv2.weight"];
        values.AsSpan().Fill(1);
        values.AsSpan(cut.Offset, cut.Length).Clear();
        MaskFile.Save(_folder["mask"], Mask.FromValues(graph.Table, values), ModelFileMetadata.Of(graph));
        Retrain("initial", "mask", progress);
        Assert.That(
            progress.Warnings, Has.One.StartsWith("conv2.weight keeps none of its 800 weights, so nothing passes through it; "));
    }

    [Test]
    public void A_ratio_that_leaves_nothing_is_refused_before_the_work() => Assert.That(
        () => Run(Small with { Pruning = new PruningSettings { Ratio = 0.9999, MinimumKept = 0 } }, resume: false),
        Throws.TypeOf<ConfigurationException>()
            .With.Message.StartsWith("A pruning ratio of 0.9999 keeps none of the 4,996 weights"));

    private static IEnumerable<TestCaseData> Changed()
    {
        RunConfiguration free = Small with { Retrain = Short with { Method = TrainingMethod.Free, Epochs = 5 } };
        RunConfiguration bird = Small with { Pruning = new PruningSettings { EarlyBird = 0.1 } };
        yield return Case("early bird", bird, "the Early-Bird distance was a share of all weights");
        yield return Case("free", free, "free trains 8 passes where 5 are asked for; finish it with that version");
        yield return Case("free, whole epochs", free with { Retrain = free.Retrain with { Epochs = 8 } }, null);
        yield return Case("free, an arm that is not run", Small with { Dense = free.Retrain }, null);

        static TestCaseData Case(string what, RunConfiguration run, string? problem) =>
            new TestCaseData(run, problem).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Changed))]
    public void A_folder_of_another_meaning_is_not_continued(RunConfiguration configuration, string? problem)
    {
        using (var interrupted = new CountingProgress(cancelAfter: 4))
            Assert.Throws<OperationCanceledException>(() => Run(configuration, resume: false, interrupted));
        var files = new RunFolder(_folder["out"]);
        string written = File.ReadAllText(files.Command);
        JsonObject owner = JsonNode.Parse(written)!.AsObject();
        Assert.That(owner.Remove("meanings"), Is.True);
        File.WriteAllText(files.Command, owner.ToJsonString());
        if (problem is not null)
        {
            Assert.That(() => Run(configuration, resume: true), Throws.TypeOf<ConfigurationException>()
                .With.Message.Contains(problem)
                .And.Message.StartsWith($"The folder {files.Root} was started by version 0.1.0, in which "));
            File.WriteAllText(files.Command, written);
        }
        Run(configuration, resume: true);
        File.WriteAllText(files.Command, owner.ToJsonString());
        Assert.That(() => Run(configuration, resume: true), Throws.Nothing, "a finished run mixes nothing");
    }

    private static NetworkGraph Graph() => TicketRun.BuildModel(Small, Data);

    // A network trained under a mask, and the weights that it began from.
    private Mask Save(NetworkGraph graph, double ratio, string scope)
    {
        ModelState initial = Initialization.Draw(graph.Table, seed: 1), trained = Initialization.Draw(graph.Table, seed: 2);
        Mask mask = PrunerCatalog.Find(scope).Prune(initial, new PruningOptions(ratio)).Mask;
        mask.Apply(trained.Weights);
        WeightFile.Save(_folder["initial"], initial, ModelFileMetadata.Of(graph));
        WeightFile.Save(_folder["trained"], trained, ModelFileMetadata.Of(graph));
        return mask;
    }

    private PruningReport Prune(PruningSettings settings)
    {
        using var progress = new CountingProgress();
        return new TicketPruning(Small with { Pruning = settings }, Data, progress).Execute(
            _folder["trained"], _folder["initial"], _folder["ticket"]);
    }

    private void Retrain(string ticket, string? mask, CountingProgress progress)
    {
        using IBackend backend = CpuBackend.Create(1);
        new TicketTraining(Small, backend, Data, progress).Execute(
            _folder[ticket], mask is null ? null : _folder[mask], _folder["out"], resume: false, progress.Token);
    }

    private void Run(RunConfiguration configuration, bool resume, CountingProgress? progress = null)
    {
        using IBackend backend = CpuBackend.Create(1);
        using var own = new CountingProgress();
        progress ??= own;
        new TicketRun(configuration, _folder["out"], backend, Data, progress).Execute(resume, progress.Token);
    }
}
