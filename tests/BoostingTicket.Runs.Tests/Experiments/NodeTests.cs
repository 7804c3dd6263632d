using System.Text.RegularExpressions;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Runs.Tests.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Experiments;

/// <summary>Pieces of work that are interrupted and continued.</summary>
internal sealed class NodeTests
{
    private static readonly DataSplit Data = SyntheticImages.Generate("synthetic-28", 1, 28, 88, 24, seed: 3);

    private static RunConfiguration Small => new()
    {
        Model = "lenet-4-8-32",
        Data = new DataSettings { ValidationSamples = 24 },
        Attack = new AttackSettings { Epsilon = 0.1, StepSize = 0.05, Steps = 2 },
        Retrain = new TrainingSettings { Epochs = 3, BatchSize = 16, LearningRate = 0.05 },
        Evaluation = new EvaluationSettings { ProbeSteps = 0, BatchSize = 8 },
    };

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    private static TrainingNode Training => new(
        "lenet", TrainingJob.Of(Small, Small.Retrain, 5), "train", null, keepsEpochs: true);

    private ExperimentStore Store => new(_folder.Path);

    private static TrainingMachine MachineOf(int threads)
    {
        using IBackend backend = CpuBackend.Create(threads);
        return TrainingMachine.Of(backend);
    }

    private static CourseNode Course => new(Training, Small.Attack, "test");

    private static TransferNode Transfer => new(
        [("a", Training), ("b", Other), ("c", Training)], "pgd", Small.Attack.Steps, Small.Attack, "test");

    private static TrainingNode Other => new(
        "other", TrainingJob.Of(Small, Small.Retrain, 5) with { Model = "lenet-3-8-32" }, "train", null);

    private void Execute(ExperimentNode node, IRunProgress progress, int threads = 1)
    {
        using IBackend backend = CpuBackend.Create(threads);
        using var images = new RunData(Data, Small.Data, backend);
        using var context = new NodeContext(
            Store, backend, Data, images, progress, (progress as CountingProgress)?.Token ?? default);
        node.Execute(context);
    }

    private void Execute(ExperimentNode node, int threads = 1)
    {
        using var progress = new CountingProgress();
        Execute(node, progress, threads);
    }

    private void Interrupt(ExperimentNode node, int reports)
    {
        using var progress = new CountingProgress(reports);
        Assert.Throws<OperationCanceledException>(() => Execute(node, progress));
    }

    private void Kill(ExperimentNode node, int steps)
    {
        using var progress = new CountingProgress();
        Assert.Throws<KilledException>(() => Execute(node, new KillingProgress(progress, steps)));
    }

    // The work, its inputs, steps after which it is killed, and steps that are kept of them: two of three epochs; of a matrix
    // of three networks the first row, which has three batches of two attack steps and three classifications each.
    private static IEnumerable<TestCaseData> Measurements =>
    [
        new TestCaseData(Course, (ExperimentNode[])[Training], 2, 2).SetArgDisplayNames("course"),
        new TestCaseData(Transfer, (ExperimentNode[])[Training, Other], 20, 15).SetArgDisplayNames("transfer"),
    ];

    [TestCaseSource(nameof(Measurements))]
    public void A_killed_measurement_goes_on_with_the_same_bits(ExperimentNode node, ExperimentNode[] inputs, int steps, int kept)
    {
        foreach (ExperimentNode input in inputs)
            Execute(input);
        Execute(node);
        string whole = WithoutSeconds(File.ReadAllText(Store.Result(node)));
        File.Delete(Store.Result(node));
        Kill(node, steps);
        Assert.That(File.Exists(Store.Partial(node)), "nothing is kept");
        using var progress = new CountingProgress();
        Execute(node, progress);
        Assert.That(progress.Done, Is.EqualTo(new[] { kept }), "it began anew");
        Assert.That(WithoutSeconds(File.ReadAllText(Store.Result(node))), Is.EqualTo(whole));
        Assert.That(File.Exists(Store.Partial(node)), Is.False);

        static string WithoutSeconds(string result) => Regex.Replace(result, "\"(attackSeconds|samplesPerSecond)\": [^,\n]*", "");
    }

    [TestCaseSource(nameof(Measurements))]
    public void Damage_to_what_was_measured_is_one_sentence(ExperimentNode node, ExperimentNode[] inputs, int steps, int _)
    {
        foreach (ExperimentNode input in inputs)
            Execute(input);
        Kill(node, steps);
        string path = Store.Partial(node), text = File.ReadAllText(path);
        foreach (string damaged in (string[])
            ["{", text[..^9], text.Replace("\"samples\": 24", "\"samples\": 23", StringComparison.Ordinal)
                .Replace("\"name\": \"a\"", "\"name\": \"b\"", StringComparison.Ordinal)])
        {
            File.WriteAllText(path, damaged);
            var error = Assert.Throws<DamagedFileException>(() => Execute(node));
            Assert.That(error!.Message, Does.StartWith($"The file {path} is damaged (").And.EndWith(
                "); delete it and run the command that wrote it again."));
        }

        File.Delete(path);
        Assert.DoesNotThrow(() => Execute(node));
    }

    [Test]
    public void A_training_says_where_it_ran_and_where_it_was_continued()
    {
        Interrupt(Training, reports: 6);
        Execute(Training, threads: 2);
        Assert.That(Training.Read(Store).Machines, Is.EqualTo(new[] { MachineOf(1), MachineOf(2) }));
        Assert.That(File.Exists(Store.Machines(Training)), Is.False);
    }

    [Test]
    public void A_training_that_is_continued_where_it_began_has_one_machine()
    {
        Interrupt(Training, reports: 6);
        Execute(Training);
        Assert.That(Training.Read(Store).Machines, Is.EqualTo(new[] { MachineOf(1) }));
    }

    [Test]
    public void A_training_that_an_earlier_version_began_has_no_machine()
    {
        Interrupt(Training, reports: 6);
        File.Delete(Store.Machines(Training));
        Execute(Training, threads: 2);
        Assert.That(Training.Read(Store).Machines, Is.Null);
        // As an earlier version wrote it.
        string result = Store.Result(Training), text = File.ReadAllText(result);
        File.WriteAllText(result, text.Replace(",\n  \"machines\": null", "", StringComparison.Ordinal));
        Assert.That(File.ReadAllText(result), Does.Not.Contain("machines"));
        Assert.That(Training.Read(Store).Machines, Is.Null);
    }
}
