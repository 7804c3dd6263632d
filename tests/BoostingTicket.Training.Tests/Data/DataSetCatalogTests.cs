using BoostingTicket.Training.Data;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

internal class DataSetCatalogTests
{
    [Test]
    public void Names_are_those_documented_and_unique() => Assert.That(
        DataSetCatalog.Names,
        Is.EqualTo(new[] { "synthetic-28", "synthetic-32", "mnist", "fashion-mnist", "cifar10", "cifar100", "svhn" }));

    [Test]
    public void An_unknown_set_suggests_the_nearest() => Assert.That(
        () => DataSetCatalog.Load("cifar-10"),
        Throws.TypeOf<ConfigurationException>().With.Message.EqualTo("There is no data set 'cifar-10'; did you mean 'cifar10'?"));

    [Test]
    public void Every_set_has_its_classes_and_what_it_needs_to_be_fetched()
    {
        foreach (IDataSet set in DataSetCatalog.All)
        {
            Assert.That(set.Classes, Has.Count.EqualTo(set.Name == "cifar100" ? 100 : 10).And.Unique, set.Name);
            Assert.That(set.Description, Is.Not.Empty, set.Name);
            foreach (PublishedFile file in set.Files)
            {
                Assert.That(file.Addresses, Is.Not.Empty, file.Path);
                Assert.That(file.Checksum.Hex, Does.Match("^[0-9a-f]{32}$"), file.Path);
                Assert.That(file.Members.Select(member => member.Checksum.Hex), Is.All.Matches("^[0-9a-f]{64}$"), file.Path);
            }
        }
    }

    [Test]
    public void A_missing_set_names_where_it_was_looked_for(
        [Values("mnist", "fashion-mnist", "cifar10", "cifar100", "svhn")] string name)
    {
        using var root = new TemporaryFolder();
        DataException error = Assert.Throws<DataException>(() => DataSetCatalog.Load(name, new DataSetOptions(root.Path)))!;
        Assert.That(error.Message, Does.Contain(root.Path).And.Contains($"data fetch {name}"));
    }

    [Test]
    public void The_option_goes_before_the_environment_and_that_before_the_default()
    {
        string? before = Environment.GetEnvironmentVariable(DataRoot.EnvironmentVariable);
        try
        {
            Environment.SetEnvironmentVariable(DataRoot.EnvironmentVariable, "from-environment");
            Assert.That(DataRoot.Resolve("from-option"), Is.EqualTo("from-option"));
            Assert.That(DataRoot.Resolve(null), Is.EqualTo("from-environment"));
            Environment.SetEnvironmentVariable(DataRoot.EnvironmentVariable, null);
            Assert.That(DataRoot.Resolve(null), Is.EqualTo("data"));
        }
        finally
        {
            Environment.SetEnvironmentVariable(DataRoot.EnvironmentVariable, before);
        }
    }

    [Test]
    public void A_set_in_the_layout_loads_and_can_be_shortened()
    {
        using var root = new TemporaryFolder();
        SmallData.Save(root["fashion-mnist"], SmallData.Mnist().Select(
            file => KeyValuePair.Create(file.Key + ".gz", SmallData.Gzip(file.Value))));
        (ImageSet train, ImageSet test) = DataSetCatalog.Load(
            "fashion-mnist", new DataSetOptions(root.Path, TrainSamples: 7, TestSamples: 3));
        Assert.That((train.Count, test.Count), Is.EqualTo((7, 3)));
        Assert.That(train.Pixels, Is.EqualTo(SmallData.Noise(20 * 784, 1)[..(7 * 784)]));
        Assert.That(
            () => DataSetCatalog.Load("fashion-mnist", new DataSetOptions(root.Path, TrainSamples: 21)),
            Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(
                "21 training samples of fashion-mnist were asked for; choose a number from 1 to 20."));
        Assert.That(
            () => DataSetCatalog.Load("synthetic-28", new DataSetOptions(TestSamples: 0)),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("0 test samples of synthetic-28 were asked for"));
    }

    [Test]
    public void Images_of_another_size_are_refused()
    {
        using var root = new TemporaryFolder();
        SmallData.Save(root["fashion-mnist"], new Dictionary<string, byte[]>
        {
            ["train-images-idx3-ubyte"] = SmallData.Idx([2, 4, 4], new byte[32]),
            ["train-labels-idx1-ubyte"] = SmallData.Idx([2], new byte[2]),
            ["t10k-images-idx3-ubyte"] = SmallData.Idx([2, 4, 4], new byte[32]),
            ["t10k-labels-idx1-ubyte"] = SmallData.Idx([2], new byte[2]),
        });
        Assert.That(
            () => DataSetCatalog.Load("fashion-mnist", new DataSetOptions(root.Path)),
            Throws.TypeOf<DataException>().With.Message.StartsWith("The images of fashion-mnist are 1x4x4 and not 1x28x28;"));
    }
}
