using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Contracts;

/// <summary>What holds for every data set of the catalogue: a new line there is tested without a new test.</summary>
public sealed class DataSetContractTests
{
    private const int TrainSamples = 120, TestSamples = 60;

    private static IEnumerable<string> Names => DataSetCatalog.Names;

    [Test]
    public void What_a_set_says_of_itself_fits_together([ValueSource(nameof(Names))] string name)
    {
        IDataSet set = DataSetCatalog.Find(name);
        DataSetConventions usual = set.Conventions;
        Assert.Multiple(() =>
        {
            Assert.That(set.Description, Is.Not.Empty);
            Assert.That(set.Shape.Length, Is.Positive);
            Assert.That(set.Classes, Has.Count.GreaterThan(1).And.Unique);
            Assert.That(set.TestSamples, Is.Positive);
            Assert.That(set.TrainSamples, Is.GreaterThan(usual.ValidationSamples));
            Assert.That(usual.TrainSamples, Is.InRange(0, set.TrainSamples));
            Assert.That(usual.TestSamples, Is.InRange(0, set.TestSamples));
            Assert.That(usual.Epsilon, Is.Positive.And.LessThan(1));
            Assert.That(
                usual.TrainingSteps * usual.StepSize, Is.GreaterThanOrEqualTo(usual.Epsilon), "training crosses the ball");
            Assert.That(
                usual.EvaluationSteps * usual.StepSize, Is.GreaterThanOrEqualTo(usual.Epsilon), "evaluation crosses the ball");
            Assert.That(usual.Presets, Is.Not.Empty);
            if (set.Normalization is { } constants)
            {
                Assert.That(constants.Mean, Has.Count.EqualTo(set.Shape.Channels));
                Assert.That(constants.AreForUnitPixels);
            }
        });
    }

    [Test]
    public void Its_images_are_what_it_says_and_the_same_again([ValueSource(nameof(Names))] string name)
    {
        IDataSet set = DataSetCatalog.Find(name);
        if (!set.IsThere(DataRoot.Resolve(null)))
            Assert.Ignore($"{name} is not there; BOOSTING_TICKET_DATA names the folder of real data.");
        var options = new DataSetOptions(TrainSamples: TrainSamples, TestSamples: TestSamples, Seed: 3);
        DataSplit split = set.Load(options), again = set.Load(options);
        Assert.Multiple(() =>
        {
            Assert.That((split.Train.Count, split.Test.Count), Is.EqualTo((TrainSamples, TestSamples)));
            foreach ((ImageSet images, ImageSet same) in new[] { (split.Train, again.Train), (split.Test, again.Test) })
            {
                Assert.That(images.Name, Is.EqualTo(name));
                Assert.That(DeviceImages.Shape(images), Is.EqualTo(set.Shape));
                Assert.That(images.Classes, Is.EqualTo(set.Classes));
                Assert.That(images.Pixels, Has.Length.EqualTo(images.Count * set.Shape.Length));
                Assert.That(images.Pixels.Distinct().Count(), Is.GreaterThan(2), "grey or colour");
                Assert.That(images.Labels.Max(), Is.LessThan(set.Classes.Count));
                Assert.That(images.Labels.Distinct().Count(), Is.GreaterThan(1));
                Assert.That(same.ContentHash, Is.EqualTo(images.ContentHash), "the same again");
            }
            Assert.That(split.Train.ContentHash, Is.Not.EqualTo(split.Test.ContentHash));
        });
    }
}
