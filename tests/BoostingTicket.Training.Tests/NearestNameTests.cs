namespace BoostingTicket.Training.Tests;

internal class NearestNameTests
{
    private static readonly string[] Known = ["mnist", "fashion-mnist", "cifar10", "synthetic-28", "synthetic-32"];

    [TestCase("", "", 0)]
    [TestCase("abc", "", 3)]
    [TestCase("kitten", "sitting", 3)]
    [TestCase("mnist", "mnsit", 1)]
    [TestCase("ca", "abc", 3)]
    public void Distance_counts_edits_and_swaps_of_neighbours(string a, string b, int expected)
    {
        Assert.That(NearestName.Distance(a, b), Is.EqualTo(expected));
        Assert.That(NearestName.Distance(b, a), Is.EqualTo(expected));
    }

    [TestCase("mnsit", "mnist")]
    [TestCase("MNIST", "mnist")]
    [TestCase("cifar-10", "cifar10")]
    [TestCase("fashonmnist", "fashion-mnist")]
    [TestCase("synthetic-38", "synthetic-28")]
    [TestCase("imagenet", null)]
    [TestCase("", null)]
    [TestCase("xy", null)]
    public void Find_gives_the_nearest_plausible_name(string typed, string? expected) =>
        Assert.That(NearestName.Find(typed, Known), Is.EqualTo(expected));

    [Test]
    public void Unknown_suggests_or_lists()
    {
        Assert.That(NearestName.Unknown("data set", "mnsit", Known).Message, Is.EqualTo(
            "There is no data set 'mnsit'; did you mean 'mnist'?"));
        Assert.That(
            NearestName.Unknown("data set", "imagenet", Known).Message,
            Is.EqualTo(
                "There is no data set 'imagenet'; choose one of: mnist, fashion-mnist, cifar10, synthetic-28, synthetic-32."));
        Assert.That(NearestName.Unknown("data set", "imagenet", Known).ExitCode, Is.EqualTo(2));
    }
}
