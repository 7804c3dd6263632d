using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Data;

internal sealed class DataNormalizationTests
{
    [Test]
    public void Constants_of_a_generated_set_do_not_depend_on_how_much_is_generated()
    {
        InputNormalizationConstants usual = Of(DataNormalization.SamplesToLoad("synthetic-28", 0));
        Assert.That(Of(DataNormalization.SamplesToLoad("synthetic-28", 100)).ContentEquals(usual));
        Assert.That(Of(DataNormalization.SamplesToLoad("synthetic-28", 6_100)).ContentEquals(usual));
        Assert.That(usual.Mean[0], Is.GreaterThan(0).And.LessThan(1));

        static InputNormalizationConstants Of(int? samples) =>
            DataNormalization.For(
                DataSetCatalog.Load("synthetic-28", new DataSetOptions(TrainSamples: samples, TestSamples: 10)).Train);
    }

    [TestCase("cifar10", 100, 100)]
    [TestCase("mnist", 100, 100)]
    [TestCase("mnist", 0, null)]
    [TestCase("fashion-mnist", 100, null)]
    [TestCase("synthetic-32", 100, SyntheticDataSet.DefaultTrainSamples)]
    [TestCase("synthetic-32", 9_000, 9_000)]
    public void As_much_is_loaded_as_the_constants_are_measured_on(string name, int wanted, int? expected) =>
        Assert.That(DataNormalization.SamplesToLoad(name, wanted), Is.EqualTo(expected));
}
