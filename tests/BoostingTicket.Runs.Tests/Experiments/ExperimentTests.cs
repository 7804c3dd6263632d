using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Paper;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Tests.Experiments;

/// <summary>What experiments declare, without computing any of it.</summary>
internal sealed class ExperimentTests
{
    private static readonly GridFingerprints Fingerprints = new("train", "test");

    private static ExperimentGrid Declare(
        string name, Func<ExperimentConfiguration, ExperimentConfiguration>? change = null, string? scale = null)
    {
        ExperimentConfiguration configuration = new ExperimentSources(name, scale, []).Compose();
        configuration = change?.Invoke(configuration) ?? configuration;
        IExperiment experiment = ExperimentCatalog.Find(name);
        var grid = new ExperimentGrid(configuration, experiment.LongestEpochs, Fingerprints);
        experiment.Declare(grid);
        return grid;
    }

    private static HashSet<string> Trainings(string name) =>
        [.. Declare(name).Nodes.OfType<TrainingNode>().Select(node => node.Name)];

    [TestCaseSource(typeof(ExperimentCatalog), nameof(ExperimentCatalog.Names))]
    public void Every_piece_comes_after_its_inputs_and_is_needed(string name)
    {
        ExperimentGrid grid = Declare(name, configuration => configuration with { Base = configuration.Base with { Seeds = 2 } });
        var done = new HashSet<ExperimentNode>();
        foreach (ExperimentNode node in grid.Nodes)
        {
            Assert.That(node.Inputs, Is.SubsetOf(done), node.Label);
            Assert.That(done.Add(node), node.Label);
        }
        Assert.That(grid.Nodes.Select(node => node.Name), Is.Unique);
        Assert.That(grid.Nodes.Select(node => node.Seed).Distinct(), Is.EqualTo(new[] { 0UL, 1UL }));
        Assert.That(grid.Nodes.Count(node => node.Seed == 0), Is.EqualTo(grid.Nodes.Count / 2));
        foreach (TrainingNode training in grid.Nodes.OfType<TrainingNode>())
            Assert.DoesNotThrow(() => TrainingNode.Recorded(training.Job).Validate(), training.Label);
    }

    [Test]
    public void Table2_at_full_scale_is_the_papers()
    {
        ExperimentGrid grid = Declare("table2");
        List<TrainingNode> trainings = [.. grid.Nodes.OfType<TrainingNode>()];
        TrainingNode donor = trainings.Single(node => node.Settings.Method == TrainingMethod.Fgsm);
        Assert.That((donor.Job.Model, donor.Settings.Epochs, donor.Settings.LearningRate, donor.Settings.WarmupFrom), Is.EqualTo(
            ("vgg16", 100, 0.01, (double?)null)));
        Assert.That(donor.Settings.LearningRateDrops, Is.EqualTo(new[] { 0.5, 0.75 }));
        Assert.That(
            (donor.Settings.WeightDecay, donor.Settings.BatchSize, donor.Settings.Momentum), Is.EqualTo((2e-4, 128, 0.9)));
        Assert.That((donor.Job.Attack.Epsilon, donor.Job.Attack.StepSize, donor.Job.Attack.Steps), Is.EqualTo(
            (8.0 / 255, 2.0 / 255, 10)));
        Assert.That((donor.Job.Data.Name, donor.Job.Data.TrainSamples, donor.Job.Data.ValidationSamples, donor.Job.Data.CropFlip),
            Is.EqualTo(("cifar10", 0, 5_000, true)));
        List<TrainingNode> tickets = [.. trainings.Where(node => node.Ticket is not null)];
        Assert.That(tickets.Select(node => node.Settings.Epochs), Is.EqualTo(new[] { 20, 40, 60, 80, 100 }));
        Assert.That(tickets.Select(node => (node.Ticket!.Donor, node.Ticket.Settings.Ratio, node.Settings.Method,
            node.Settings.LearningRate, node.Settings.WarmupFrom)),
            Is.All.EqualTo((donor, 0.8, TrainingMethod.Pgd, 0.1, (double?)0.01)));
        TrainingNode baseline = trainings.Single(node => node.Ticket is null && node != donor);
        Assert.That((baseline.Settings.Method, baseline.Settings.Epochs, baseline.Settings.WarmupFrom), Is.EqualTo(
            (TrainingMethod.Pgd, 100, (double?)null)));
    }

    [Test]
    public void A_donor_serves_every_experiment_that_needs_it()
    {
        HashSet<string> table1 = Trainings("table1"), table2 = Trainings("table2"), table3 = Trainings("table3");
        Assert.That(Trainings("figure2"), Is.EquivalentTo(table1));
        Assert.That(Trainings("figure8"), Is.EquivalentTo(table2));
        Assert.That(Trainings("table6"), Is.EquivalentTo(table3));
        // Boosting donor, winning donor and their tickets after 100 epochs; the control is the figure's own.
        Assert.That(Trainings("figure1").Intersect(table1).Count(), Is.EqualTo(4));
        // The FGSM donor and its ticket after 100 epochs.
        Assert.That(Trainings("figure6").Intersect(table2).Count(), Is.EqualTo(2));
        Assert.That(Trainings("figure3").Intersect(table1).Count(), Is.EqualTo(6), "the donor at 0.01 and its five retrainings");
        Assert.That(Trainings("figure4").Intersect(Trainings("figure1")).Count(), Is.EqualTo(2), "a donor a model");
        Assert.That(
            Trainings("figure9").Intersect(Trainings("figure1")).Count(), Is.EqualTo(6), "one-shot pruning is Figure 1's");
        Assert.That(Trainings("figure6").Overlaps(table1), "the natural donor");
    }

    [Test]
    public void Whatever_influences_a_piece_changes_its_key_and_nothing_else_does()
    {
        string[] Keys(Func<RunConfiguration, RunConfiguration> change, GridFingerprints? fingerprints = null)
        {
            ExperimentConfiguration configuration = new ExperimentSources("table1", null, []).Compose();
            var grid = new ExperimentGrid(
                configuration with { Base = change(configuration.Base) }, 100, fingerprints ?? Fingerprints);
            TrainingNode donor = grid.Train("donor", 0, "vgg16", grid.Training(TrainingMethod.Natural, 100, 0.01));
            TrainingNode robust = grid.Train("robust", 0, "vgg16", grid.Training(TrainingMethod.Pgd, 100, 0.1));
            TicketNode ticket = grid.Prune(donor);
            return [donor.Key, robust.Key, ticket.Key, grid.Test(donor, best: false).Key, grid.Test(
                robust, best: false, "pgd-20").Key];
        }

        string[] usual = Keys(settings => settings);
        bool[] Changed(Func<RunConfiguration, RunConfiguration> change) =>
            [.. Keys(change).Zip(usual, (now, before) => now != before)];

        Assert.That(Changed(settings => settings with { Device = "cpu", Seeds = 5, Preset = "other" }), Is.All.False);
        Assert.That(Changed(settings => settings with { Attack = settings.Attack with { Steps = 7 } }), Is.EqualTo(
            new[] { false, true, false, false, true }), "the last by its input");
        Assert.That(Changed(settings => settings with { Pruning = settings.Pruning with { Ratio = 0.5 } }), Is.EqualTo(
            new[] { false, false, true, false, false }));
        Assert.That(
            Changed(settings => settings with
            {
                Evaluation = settings.Evaluation with { Attack = settings.Evaluation.Attack with { StepSize = 0.1 } },
            }),
            Is.EqualTo(new[] { false, false, false, false, true }));
        Assert.That(Changed(settings => settings with { Data = settings.Data with { TestSamples = 10 } }), Is.All.False,
            "the fingerprint of the test set tells");
        Assert.That(Changed(settings => settings with { Data = settings.Data with { ValidationSamples = 10 } }), Is.All.True);
        Assert.That(Changed(settings => settings with { Retrain = settings.Retrain with { BatchSize = 64 } }), Is.All.True);
        Assert.That(Keys(settings => settings, new GridFingerprints("other", "test")).Zip(
            usual, (now, before) => now != before), Is.All.True);
        Assert.That(Keys(settings => settings, new GridFingerprints("train", "other")).Zip(
            usual, (now, before) => now != before), Is.EqualTo(new[] { false, false, false, true, true }));
    }

    [Test]
    public void Scale_multiplies_samples_epochs_and_width()
    {
        ExperimentGrid grid = Declare("table2", scale: "0.25");
        Assert.That((grid.Base.Data.TrainSamples, grid.Base.Data.ValidationSamples, grid.Base.Data.TestSamples), Is.EqualTo(
            (12_500, 1_250, 2_500)));
        Assert.That(grid.Nodes.OfType<TrainingNode>().Select(node => node.Job.Model), Is.All.EqualTo("vgg16-w16"));
        Assert.That(grid.Nodes.OfType<TrainingNode>().Where(node => node.Ticket is not null).Select(
            node => node.Settings.Epochs), Is.EqualTo(new[] { 5, 10, 15, 20, 25 }));
    }

    [TestCase("vgg16", 1, "vgg16")]
    [TestCase("vgg16", 0.5, "vgg16-w32")]
    [TestCase("resnet18", 0.01, "resnet18-w4")]
    [TestCase("wrn-34-10", 0.2, "wrn-34-2")]
    [TestCase("wrn-34-1", 0.2, "wrn-34-1")]
    [TestCase("lenet", 0.5, "lenet-10-25-250")]
    [TestCase("lenet-madry", 0.25, "lenet-8-16-256-p2")]
    public void Scaled_models_keep_their_family_and_can_be_built(string paper, double scale, string expected)
    {
        ExperimentConfiguration configuration = new ExperimentSources("table1", null, []).Compose() with { Scale = scale };
        string scaled = ExperimentScale.Model(configuration, paper);
        Assert.That(scaled, Is.EqualTo(expected));
        Assert.DoesNotThrow(() => ModelCatalog.Describe(scaled));
    }

    [TestCase("wrn-34-10", 4, "wrn-34-4")]
    [TestCase("wrn-34-5", 4, "wrn-34-2")]
    [TestCase("wrn-34-1", 1, "wrn-34-1")]
    [TestCase("vgg16", 16, "vgg16-w16")]
    [TestCase("lenet-madry", 16, "lenet-madry")]
    public void Width_is_that_of_the_widest_network(string paper, int width, string expected) =>
        Assert.That(ExperimentScale.Model(
            new ExperimentSources("table1", null, []).Compose() with { Width = width }, paper), Is.EqualTo(expected));

    [TestCase(100, 5, 352)]
    [TestCase(10, 5, 4)]
    [TestCase(8, 5, 352)]
    [TestCase(7, 5, 31)]
    [TestCase(6, 5, 7)]
    [TestCase(5, 5, 352)]
    [TestCase(3, 3, 14)]
    public void First_epochs_have_the_rates_of_the_whole_training(int epochs, int firstEpochs, int stepsPerEpoch)
    {
        TrainingSettings whole = new()
        {
            Epochs = epochs,
            LearningRate = 0.1,
            WarmupFrom = 0.01,
        }, early = EarlyTraining.Of(whole, firstEpochs);
        LearningRateSchedule full = new(whole, stepsPerEpoch), first = new(early, stepsPerEpoch);
        Assert.That(first.TotalSteps, Is.EqualTo(firstEpochs * stepsPerEpoch));
        for (long step = 0; step < first.TotalSteps; step++)
            Assert.That(first.RateAt(step), Is.EqualTo(full.RateAt(step)).Within(1e-15));
        Assert.That(full.RateAt(0), Is.EqualTo(0.01));
    }

    [Test]
    public void Caveat_names_replicas_and_number_format()
    {
        ExperimentConfiguration configuration = new ExperimentSources("table2", null, []).Compose();
        string? Caveat(int replicas, Precision precision) => ExperimentMeasurement.Caveat(
            ExperimentCatalog.Find("table2"),
            configuration with
            {
                Base = configuration.Base with { Retrain = configuration.Base.Retrain with { Replicas = replicas } },
            },
            precision);
        Assert.That(Caveat(1, Precision.Float32), Is.Null);
        Assert.That(Caveat(4, Precision.BFloat16), Is.EqualTo(
            "Not comparable with the paper in absolute terms: batches are cut into 4 replicas; the number format is bf16 instead "
            + "of float32."));
    }

    [Test]
    public void Iterative_pruning_begins_with_the_donor_of_one_shot_pruning()
    {
        ExperimentGrid grid = Declare("figure9");
        List<TicketNode> rounds = [.. grid.Nodes.OfType<TicketNode>().Where(ticket => ticket.Donor.Job.Model == "vgg16")];
        TicketNode oneShot = rounds.Single(ticket => ticket.Previous is null && ticket.Settings.Ratio == 0.8);
        TicketNode last = rounds.Single(ticket => ticket.Previous is not null && ticket.Settings.Ratio == 0.8);
        int count = 1;
        TicketNode first = last;
        for (; first.Previous is not null; first = first.Previous, count++)
            Assert.That(first.Donor.Ticket, Is.EqualTo(first.Previous));
        Assert.That(count, Is.EqualTo(7));
        Assert.That(first.Donor, Is.EqualTo(oneShot.Donor));
        Assert.That(first.Settings.Ratio, Is.EqualTo(0.2).Within(0.01), "a fifth, as Frankle and Carbin");
    }

    [Test]
    public void Relative_distance_is_of_prunable_weights_with_pruned_ones_as_zeros()
    {
        NetworkGraph graph = ModelCatalog.Build("lenet-3-4-8", new ModelOptions(new FeatureShape(1, 28, 28)));
        ModelState full = new(graph.Table), ticket = new(graph.Table);
        full.Weights.AsSpan(0, graph.Table.PrunableLength).Fill(2);
        ticket.Weights.AsSpan(0, graph.Table.PrunableLength).Fill(3);
        // Biases and the last layer do not count.
        full.Weights.AsSpan(graph.Table.PrunableLength).Fill(100);
        byte[] kept = new byte[graph.Table.PrunableLength];
        kept.AsSpan(0, kept.Length / 2).Fill(1);
        double share = (double)(kept.Length / 2) / kept.Length;
        Assert.That(RelativeDistance.Between(full, ticket), Is.EqualTo(0.5).Within(1e-12));
        Assert.That(RelativeDistance.Between(full, full), Is.Zero);
        // A kept weight is 1 away, a pruned one 2, out of 2.
        Assert.That(RelativeDistance.Between(full, ticket, new Mask(graph.Table, kept)), Is.EqualTo(
            Math.Sqrt((share * 1 + (1 - share) * 4) / 4)).Within(1e-12));
        Assert.That(RelativeDistance.Between(new ModelState(graph.Table), ticket), Is.EqualTo(double.PositiveInfinity));
    }

    [Test]
    public void Differences_are_ours_minus_the_papers()
    {
        var row = new ComparedRow("ticket", "clean", QuantityUnit.Percent, new PaperValue(
            90, "Table 0"), BoostingTicket.Runs.Reporting.Spread.Of([88, 90]));
        Assert.That(row.Difference, Is.EqualTo(-1));
        Assert.That((row with { Paper = null }).Difference, Is.Null);
    }
}
