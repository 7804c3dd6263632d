using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Configuration;

/// <summary>What holds for a data set where nothing else is said.</summary>
internal sealed class DataSetDefaultsTests
{
    [TestCase("cifar10", "8/255", "2/255", 10, 20, true, 0, "resnet18")]
    [TestCase("mnist", "0.3", "0.01", 40, 40, false, 0, "lenet")]
    [TestCase("fashion-mnist", "0.3", "0.01", 40, 40, false, 0, "lenet")]
    [TestCase("synthetic-28", "0.08", "0.02", 7, 20, false, 6_000, "lenet-16-32-128")]
    [TestCase("synthetic-32", "0.08", "0.02", 7, 20, false, 6_000, "lenet-16-32-128")]
    public void Settings_follow_the_data_set(
        string name, string epsilon, string step, int training, int evaluation, bool cropFlip, int trainSamples, string model)
    {
        RunConfiguration configuration = Compose(("dataset", name));
        Assert.Multiple(() =>
        {
            Assert.That(configuration.Data.Name, Is.EqualTo(name));
            Assert.That(configuration.Model, Is.EqualTo(model));
            Assert.That(
                (configuration.Data.TrainSamples, configuration.Data.TestSamples), Is.EqualTo((trainSamples, trainSamples / 6)));
            Assert.That(configuration.Data.CropFlip, Is.EqualTo(cropFlip));
            Assert.That(Fraction.Text(configuration.Attack.Epsilon), Is.EqualTo(epsilon));
            Assert.That(Fraction.Text(configuration.Attack.StepSize), Is.EqualTo(step));
            Assert.That((configuration.Attack.Steps, configuration.Evaluation.Attack.Steps), Is.EqualTo((training, evaluation)));
            Assert.That(configuration.Evaluation.Attack.Epsilon, Is.EqualTo(configuration.Attack.Epsilon));
            Assert.That(configuration.Evaluation.Attack.StepSize, Is.EqualTo(configuration.Attack.StepSize));
            Assert.That(configuration.Dense.Method, Is.EqualTo(TrainingMethod.Pgd));
        });
    }

    [Test]
    public void Every_data_set_has_defaults_that_can_be_used_and_cross_their_ball()
    {
        foreach (IDataSet set in DataSetCatalog.All)
        {
            RunConfiguration configuration = DataSetDefaults.Of(set);
            Assert.That(configuration.Validate, Throws.Nothing, set.Name);
            Assert.That(configuration.Evaluation.Attack.Steps * configuration.Evaluation.Attack.StepSize,
                Is.GreaterThanOrEqualTo(configuration.Attack.Epsilon), set.Name);
        }
    }

    [TestCase("resnet18-w16", "cifar10-resnet18")]
    [TestCase("vgg16", "cifar10-vgg16")]
    [TestCase("wrn-28-2", "cifar10-wrn34")]
    [TestCase("lenet-4-8-16", "cifar10-resnet18")]
    public void Model_chooses_among_the_presets_of_the_data_set(string model, string preset)
    {
        RunConfiguration configuration = Compose(("dataset", "cifar10"), ("model", model));
        RunConfiguration expected = Presets.Find(preset).Configuration with { Model = model };
        Assert.That(RunJson.Write(configuration), Is.EqualTo(RunJson.Write(expected)));
    }

    [Test]
    public void A_preset_by_name_wins_over_the_data_set_and_file_and_options_over_both()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["named.json"], """{ "preset": "quick", "data": { "name": "cifar10" } }""");
        File.WriteAllText(
            folder["data.json"], """{ "data": { "name": "cifar10", "testSamples": 100 }, "attack": { "steps": 7 } }""");
        RunConfiguration preset = Compose("quick", null, ("dataset", "cifar10"));
        Assert.That((preset.Attack.Epsilon, preset.Data.TrainSamples, preset.Data.Name), Is.EqualTo((0.08, 6_000, "cifar10")));
        Assert.That(Compose(null, folder["named.json"]).Attack.Epsilon, Is.EqualTo(0.08));
        RunConfiguration file = Compose(null, folder["data.json"], ("test-samples", "50"));
        Assert.That((file.Attack.Epsilon, file.Attack.Steps), Is.EqualTo((8.0 / 255, 7)));
        Assert.That((file.Data.TrainSamples, file.Data.TestSamples, file.Data.CropFlip), Is.EqualTo((0, 50, true)));
        // The command line's data set brings its defaults, whatever set the file names.
        Assert.That(Compose(null, folder["data.json"], ("dataset", "mnist")).Attack.Epsilon, Is.EqualTo(0.3));
    }

    [Test]
    public void Run_without_options_is_quick_as_ever()
    {
        Assert.That(RunJson.Hash(Compose()), Is.EqualTo(RunJson.Hash(Presets.Find("quick").Configuration)));
        // The hash in the files of `run --device cpu --seed 3` of version 0.1.0.
        Assert.That(
            RunJson.Hash(Compose(("device", "cpu"), ("seed", "3"))),
            Is.EqualTo("9b842337aad6f9371463c0aad96e2ff3461dd1d2dff549d9694f20ff1577f94e"));
    }

    [TestCase(8.0 / 255, "8/255")]
    [TestCase(2.0 / 255, "2/255")]
    [TestCase(0.3, "0.3")]
    [TestCase(0.2, "0.2")]
    [TestCase(0.0125, "0.0125")]
    [TestCase(1.0 / 3, "85/255")]
    [TestCase(1.0 / 7, "0.14286")]
    [TestCase(0, "0")]
    public void Distances_are_written_as_the_field_does(double value, string text) =>
        Assert.That(Fraction.Text(value), Is.EqualTo(text));

    private static RunConfiguration Compose(params (string Option, string Value)[] options) => Compose(null, null, options);

    private static RunConfiguration Compose(string? preset, string? file, params (string Option, string Value)[] options) =>
        new ConfigurationSources(
            preset, file, [.. options.Select(entry => (ConfigurationOptions.Find(entry.Option), entry.Value))]).Compose();
}
