using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Classifiers;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Classifiers;

/// <summary>The library as a user sees it.</summary>
internal sealed class ClassifierTests
{
    private const string Model = "lenet-4-8-16";

    private static readonly DataSplit Data = DataSetCatalog.Load("synthetic-28", new DataSetOptions(null, 300, 70));
    private static readonly AttackSettings Attack = new() { Epsilon = 0.1, StepSize = 0.05, Steps = 3 };
    private static readonly ClassifierOptions Processor = new() { Device = "cpu", Threads = 2, BatchSize = 32 };
    private static readonly TrainingOptions Short = new()
    {
        ValidationSamples = 40,
        Validation = new EvaluationSettings { ProbeSteps = 2, BatchSize = 40 },
    };

    private static readonly TrainingSettings Pgd = new() { Epochs = 2, BatchSize = 32, LearningRate = 0.05 };

    private static Classifier Create() => Classifier.Create(Model, Data.Train, seed: 3, Processor);

    [Test]
    public void Predictions_are_the_largest_logits_of_images_however_they_are_given()
    {
        using Classifier classifier = Create();
        float[] pixels = Array.ConvertAll(Data.Test.Pixels, pixel => pixel / 255f);
        float[] logits = classifier.Logits(Data.Test);
        Assert.That(logits, Has.Length.EqualTo(Data.Test.Count * classifier.Classes));
        Assert.That(classifier.Logits(pixels), Is.EqualTo(logits).Within(1e-4f));
        // Of another size of batch, and of a part of a batch.
        Assert.That(
            classifier.Logits(pixels.AsSpan(0, 3 * classifier.Input.Length)),
            Is.EqualTo(logits[..(3 * classifier.Classes)]).Within(1e-4f));
        int[] classes = classifier.Predict(Data.Test);
        Assert.That(classifier.Predict(pixels), Is.EqualTo(classes));
        for (int i = 0; i < classes.Length; i++)
        {
            float[] row = logits[(i * classifier.Classes)..((i + 1) * classifier.Classes)];
            Assert.That(row[classes[i]], Is.EqualTo(row.Max()));
        }

        double right = classes.Zip(Data.Test.Labels, (found, label) => found == label ? 1.0 : 0).Average();
        Assert.That(classifier.Accuracy(Data.Test), Is.EqualTo(right).Within(1e-12));
    }

    [Test]
    public void A_ticket_is_trained_saved_and_loaded_with_its_pruned_weights_at_zero()
    {
        using var folder = new TemporaryFolder();
        using Classifier donor = Create();
        float[] before = donor.Logits(Data.Test);
        var epochs = new List<EpochRecord>();
        TrainingOutcome outcome = donor.Train(
            Data.Train, Pgd with { Method = TrainingMethod.Fgsm }, Attack, Short with { Progress = new Collector(epochs) });
        Assert.That(outcome.History, Has.Count.EqualTo(2).And.EqualTo(epochs));
        Assert.That(outcome.BestEpoch, Is.InRange(1, 2));
        Assert.That(donor.Logits(Data.Test), Is.Not.EqualTo(before));
        Assert.That(donor.Sparsity, Is.Zero);
        Assert.That(() => donor.SaveTicket(folder["none"]), Throws.InvalidOperationException);

        using Classifier ticket = donor.FindTicket(ratio: 0.7);
        Assert.That(ticket.Sparsity, Is.EqualTo(0.7).Within(0.001));
        ticket.SaveTicket(folder["ticket.safetensors"]);
        ticket.Train(Data.Train, Pgd, Attack, Short);
        Assert.That(ticket.Sparsity, Is.EqualTo(0.7).Within(0.001));
        ticket.Save(folder["trained.safetensors"]);
        using Classifier trained = Classifier.Load(folder["trained.safetensors"], options: Processor);
        Assert.That(trained.Sparsity, Is.EqualTo(ticket.Sparsity));
        Assert.That(trained.Logits(Data.Test), Is.EqualTo(ticket.Logits(Data.Test)));

        // From its file, with the same seed: the same bits.
        using Classifier again = Classifier.Load(folder["ticket.safetensors"], Model, options: Processor);
        Assert.That(again.Seed, Is.EqualTo(3));
        again.Train(Data.Train, Pgd, Attack, Short);
        Assert.That(again.Logits(Data.Test), Is.EqualTo(ticket.Logits(Data.Test)));

        // More rounds prune more of the same.
        using Classifier smaller = ticket.FindTicket(ratio: 0.9);
        Assert.That(smaller.Sparsity, Is.EqualTo(0.9).Within(0.001));
        Assert.That(() => ticket.FindTicket(ratio: 0.5), Throws.TypeOf<ConfigurationException>());
    }

    [Test]
    public void A_ticket_of_channels_is_a_smaller_network()
    {
        using var folder = new TemporaryFolder();
        using Classifier donor = Classifier.Create("lenet-16-32-32", Data.Train, seed: 3, Processor);
        using Classifier ticket = donor.FindTicket(ratio: 0.5, structure: "channel");
        Assert.That(ticket.Sparsity, Is.GreaterThan(0.2));
        ticket.SaveTicket(folder["ticket.safetensors"]);
        ticket.Train(Data.Train, Pgd with { Epochs = 1 }, Attack, Short);
        ticket.Save(folder["trained.safetensors"]);
        using Classifier begun = Classifier.Load(folder["ticket.safetensors"], options: Processor);
        begun.Train(Data.Train, Pgd with { Epochs = 1 }, Attack, Short);
        using Classifier trained = Classifier.Load(folder["trained.safetensors"], options: Processor);
        Assert.That(trained.Logits(Data.Test), Is.EqualTo(ticket.Logits(Data.Test)));
        Assert.That(begun.Logits(Data.Test), Is.EqualTo(ticket.Logits(Data.Test)));
        Assert.That(() => trained.FindTicket(), Throws.TypeOf<ConfigurationException>().With.Message.Contains("full network"));
    }

    [Test]
    public void Training_keeps_the_best_weights_unless_the_last_are_asked_for()
    {
        // A rate that undoes in the second epoch what the first has learned.
        TrainingSettings settings = Pgd with { LearningRate = 2, LearningRateDrops = [], WarmupFrom = 0.05 };
        settings = settings with { WarmupLength = new StepLength(1, StepUnit.Epochs), Method = TrainingMethod.Natural };
        TrainingOptions clean = Short with { Validation = new EvaluationSettings { ProbeSteps = 0 } };
        using Classifier best = Create(), last = Create();
        TrainingOutcome outcome = best.Train(Data.Train, settings, Attack, clean);
        last.Train(Data.Train, settings, Attack, clean with { KeepBest = false });
        double highest = outcome.History.Max(epoch => epoch.ValidationClean);
        Assert.That(outcome.History[outcome.BestEpoch - 1].ValidationClean, Is.EqualTo(highest));
        bool same = outcome.BestEpoch == outcome.History.Count;
        Assert.That(best.Logits(Data.Test).SequenceEqual(last.Logits(Data.Test)), Is.EqualTo(same));
    }

    [Test]
    public void Attacks_measure_and_make_images_inside_the_ball()
    {
        using Classifier classifier = Create();
        classifier.Train(Data.Train, Pgd with { Method = TrainingMethod.Natural, Epochs = 3 }, Attack, Short);
        RobustnessResult result = classifier.Attack(Data.Test, Attack, ["pgd", "fgsm"]);
        Assert.That(result.Clean, Is.EqualTo(classifier.Accuracy(Data.Test)).Within(1e-12));
        Assert.That(result.Attacks.Select(attack => attack.Attack), Is.EqualTo((string[])["pgd", "fgsm"]));
        Assert.That(result.WorstCase, Is.LessThan(result.Clean));

        float[] adversarial = classifier.Perturb(Data.Test, Attack, "pgd");
        int[] found = classifier.Predict(adversarial);
        double robust = found.Zip(Data.Test.Labels, (one, label) => one == label ? 1.0 : 0).Average();
        Assert.That(robust, Is.EqualTo(result.Attacks[0].Robust).Within(1e-12));
        double largest = adversarial.Zip(Data.Test.Pixels, (one, pixel) => Math.Abs(one - pixel / 255.0)).Max();
        Assert.That(largest, Is.EqualTo(Attack.Epsilon).Within(1e-6));
    }

    [Test]
    public void Attacks_that_cannot_move_are_refused_and_no_radius_is_said()
    {
        using Classifier classifier = Create();
        foreach (AttackSettings settings in (AttackSettings[])[
            Attack with { Steps = 0 }, Attack with { Restarts = 0 }, Attack with { StepSize = 0 },
            Attack with { Epsilon = -0.1 }, Attack with { Epsilon = 8 }])
        {
            Assert.That(() => classifier.Attack(Data.Test, settings, ["pgd"]), Throws.TypeOf<ConfigurationException>());
            Assert.That(
                () => classifier.Train(Data.Train, Pgd, settings, Short), Throws.TypeOf<ConfigurationException>());
        }

        Assert.That(
            () => classifier.Attack(Data.Test, Attack, []),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("name at least one"));
        Assert.That(() => classifier.Attack(Data.Test, Attack, ["pdg"]), Throws.TypeOf<ConfigurationException>());
        RobustnessResult still = classifier.Attack(Data.Test, Attack with { Epsilon = 0 }, ["pgd"]);
        Assert.That(still.WorstCase, Is.EqualTo(still.Clean));
        Assert.That(still.Warnings, Has.Some.Contains("nothing was attacked"));
    }

    [Test]
    public void Files_of_other_programs_are_loaded_behind_the_normalisation_that_is_given()
    {
        using var folder = new TemporaryFolder();
        using Classifier source = Create();
        source.Save(folder["own.safetensors"]);
        ExportReport report = WeightExport.Write(
            folder["own.safetensors"], folder["theirs.pt"], PyTorchStyle.Usual, format: ExportFormat.Torch);
        using Classifier theirs = Classifier.Load(folder["theirs.pt"], Model, report.Normalization, options: Processor);
        Assert.That(theirs.Model, Is.EqualTo(source.Model));
        Assert.That(theirs.Logits(Data.Test), Is.EqualTo(source.Logits(Data.Test)));
    }

    [Test]
    public void What_does_not_fit_is_refused_in_a_sentence()
    {
        using var folder = new TemporaryFolder();
        using Classifier classifier = Create();
        ImageSet colour = DataSetCatalog.Load("synthetic-32", new DataSetOptions(null, 20, 5)).Test;
        Assert.That(() => classifier.Predict(colour), Throws.TypeOf<ConfigurationException>().With.Message.Contains("1x28x28"));
        Assert.That(() => classifier.Predict(new float[100]), Throws.ArgumentException);
        Assert.That(classifier.Predict(ReadOnlySpan<float>.Empty), Is.Empty);
        Assert.That(() => Classifier.Create("lenot", Data.Train), Throws.TypeOf<ConfigurationException>());
        Assert.That(() => Classifier.Load(folder["none.safetensors"]), Throws.TypeOf<ConfigurationException>());
        Assert.That(
            () => classifier.Train(Data.Train, Pgd, Attack, Short with { ValidationSamples = 300 }),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("validationSamples"));
        Assert.That(
            () => classifier.Train(Data.Train, Pgd with { Epochs = -1 }), Throws.TypeOf<ConfigurationException>());
        Assert.That(() => classifier.FindTicket(ratio: 1), Throws.TypeOf<ConfigurationException>());
        Assert.That(() => classifier.FindTicket(scope: "globel"), Throws.TypeOf<ConfigurationException>());
        Assert.That(
            () => Classifier.Create(Model, Data.Train, 0, Processor with { BatchSize = 0 }),
            Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => Classifier.Create(Model, Data.Train, 0, new ClassifierOptions { Device = "cuda:99" }),
            Throws.TypeOf<DeviceException>());
        classifier.Save(folder["own.safetensors"]);
        Assert.That(() => Classifier.Load(folder["own.safetensors"], "resnet18"), Throws.TypeOf<ConfigurationException>());
    }

    private sealed class Collector(List<EpochRecord> epochs) : IProgress<EpochRecord>
    {
        public void Report(EpochRecord value) => epochs.Add(value);
    }
}
