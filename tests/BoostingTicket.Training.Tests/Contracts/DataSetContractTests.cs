using BoostingTicket.Training.Data;
using BoostingTicket.Training.Data.Own;
using BoostingTicket.Training.Testing;
using BoostingTicket.Training.Tests.Data;

namespace BoostingTicket.Training.Tests.Contracts;

/// <summary>What holds for every data set of the catalogue: a new line there is tested without a new test.</summary>
internal sealed class DataSetContractTests
{
    private const int TrainSamples = 120, TestSamples = 40;

    // Those of the catalogue, and one's own in both forms.
    private static IEnumerable<string> Names => [.. DataSetCatalog.Names, "own.npz", "own/folder"];

    private TemporaryFolder _folder = null!;

    [OneTimeSetUp]
    public void CreateOwn()
    {
        _folder = new TemporaryFolder();
        OwnDataSets.Decoder = new OwnData.Decoder();
        string[] files = [.. Enumerable.Range(0, 240).Select(i => $"{"abc"[i % 3]}/{i}.png")];
        OwnData.Folder(_folder["folder"], [.. files.Select((file, i) => (file, $"color {i}"))]);
        byte[] pixels = new byte[240 * 12];
        new Random(1).NextBytes(pixels);
        OwnData.Npz(
            _folder["own.npz"], ("images", OwnData.Npy("|u1", "240, 2, 2, 3", pixels)),
            ("labels", OwnData.Labels([.. Enumerable.Range(0, 240).Select(i => (long)(i % 5))])));
    }

    [OneTimeTearDown]
    public void RemoveOwn() => _folder.Dispose();

    [Test]
    public void What_a_set_says_of_itself_fits_together([ValueSource(nameof(Names))] string name)
    {
        IDataSet set = Find(name);
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
        IDataSet set = Find(name);
        if (!set.IsThere(DataRoot.Resolve(null)))
            Assert.Ignore($"{name} is not there; BOOSTING_TICKET_DATA names the folder of real data.");
        var options = new DataSetOptions(TrainSamples: TrainSamples, TestSamples: TestSamples, Seed: 3);
        DataSplit split = set.Load(options), again = set.Load(options);
        Assert.Multiple(() =>
        {
            Assert.That((split.Train.Count, split.Test.Count), Is.EqualTo((TrainSamples, TestSamples)));
            foreach ((ImageSet images, ImageSet same) in new[] { (split.Train, again.Train), (split.Test, again.Test) })
            {
                Assert.That(images.Name, Is.EqualTo(set.Name));
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

    private IDataSet Find(string name) =>
        DataSetCatalog.Find(name.StartsWith("own", StringComparison.Ordinal) ? _folder[Path.GetFileName(name)] : name);
}
