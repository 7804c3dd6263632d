using System.Diagnostics;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Data;

internal class SyntheticImagesTests
{
    [Test]
    public void Sets_are_balanced_and_of_their_sizes([Values("synthetic-28", "synthetic-32")] string name)
    {
        IDataSet set = DataSetCatalog.Find(name);
        (ImageSet train, ImageSet test) = set.Load(new DataSetOptions(TrainSamples: 200, TestSamples: 50));
        Assert.That((train.Count, test.Count), Is.EqualTo((200, 50)));
        Assert.That(
            (train.Channels, train.Height, train.Width), Is.EqualTo((set.Shape.Channels, set.Shape.Height, set.Shape.Width)));
        foreach (ImageSet part in new[] { train, test })
            Assert.That(part.Labels.CountBy(label => label).Select(pair => pair.Value), Is.All.EqualTo(
                part.Count / 10).And.Exactly(10).Items);
    }

    [Test]
    public void A_sample_depends_on_the_seed_the_part_and_its_number_alone()
    {
        (ImageSet train, ImageSet test) = SyntheticImages.Generate("s", 1, 28, 100, 60, seed: 1);
        (ImageSet shortTrain, ImageSet longTest) = SyntheticImages.Generate("s", 1, 28, 40, 200, seed: 1);
        Assert.That(shortTrain.Pixels, Is.EqualTo(train.Pixels[..(40 * 784)]));
        Assert.That(longTest.Pixels[..(60 * 784)], Is.EqualTo(test.Pixels));
        Assert.That(test.Sample(0).ToArray(), Is.Not.EqualTo(train.Sample(0).ToArray()));
        Assert.That(SyntheticImages.Generate("s", 1, 28, 1, 1, seed: 2).Train.Sample(0).ToArray(), Is.Not.EqualTo(
            train.Sample(0).ToArray()));
    }

    /// <summary>Results on the generated sets are quoted in documents: a change of the pixels must not go unnoticed.</summary>
    [TestCase("synthetic-28", "5e62301524230e4ab538627f143a6d049e1d3e4c811b0ef99a3c310a5d2979d2")]
    [TestCase("synthetic-32", "9090f233b08b1df04038764195be4109600261f86b70bdbf1f8f96484d029fbd")]
    public void The_pixels_of_a_seed_never_change(string name, string expected) =>
        Assert.That(DataSetCatalog.Load(
            name, new DataSetOptions(TrainSamples: 50, TestSamples: 10, Seed: 7)).Train.ContentHash, Is.EqualTo(expected));

    /// <summary>The glyph stands out by several times the budget of the usual attacks: 0.1 in grey, 8/255 in colour.</summary>
    [TestCase("synthetic-28", 0.1)]
    [TestCase("synthetic-32", 8 / 255.0)]
    public void Classes_differ_by_more_than_an_attack_may_change(string name, double epsilon)
    {
        ImageSet train = DataSetCatalog.Load(name, new DataSetOptions(TrainSamples: 200, TestSamples: 1)).Train;
        int pixels = train.Height * train.Width;
        for (int i = 0; i < train.Count; i++)
        {
            // The brightest twentieth of an image is stroke, the darker half is ground.
            byte[] sorted = [.. train.Sample(i)[..pixels].ToArray().Order()];
            double contrast = (sorted[pixels - pixels / 40] - sorted[pixels / 3]) / 255.0;
            Assert.That(contrast, Is.GreaterThan(3 * epsilon), $"sample {i}");
        }
    }

    [Test]
    public void Generation_is_quick()
    {
        using Process process = Process.GetCurrentProcess();
        DataSetCatalog.Load("synthetic-28", new DataSetOptions(TrainSamples: 100, TestSamples: 100));
        TimeSpan before = process.TotalProcessorTime;
        DataSetCatalog.Load("synthetic-28", new DataSetOptions(TrainSamples: 6000));
        process.Refresh();
        // Processor time of all cores together, which other programs do not lengthen: a few tenths of a second in a release
        // build.
        Assert.That(process.TotalProcessorTime - before, Is.LessThan(TimeSpan.FromSeconds(3)));
    }

    /// <summary>Hard enough to need more than a linear classifier, easy enough that there is something to learn.</summary>
    [TestCase("synthetic-28")]
    [TestCase("synthetic-32")]
    public void A_linear_classifier_learns_something_but_not_everything(string name)
    {
        (ImageSet train, ImageSet test) = DataSetCatalog.Load(name, new DataSetOptions(TrainSamples: 1500, TestSamples: 500));
        var model = new SoftmaxRegression(train.SampleLength, 10);
        model.Train(train, epochs: 6, rate: 0.02);
        double accuracy = model.Accuracy(test);
        TestContext.Out.WriteLine(
            $"{name}: softmax regression {accuracy:P1} on test, {model.Accuracy(train):P1} on training samples");
        Assert.That(accuracy, Is.InRange(0.40, 0.90));
    }
}
