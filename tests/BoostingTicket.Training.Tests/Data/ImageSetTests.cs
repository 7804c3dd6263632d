using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Data;

internal class ImageSetTests
{
    private static readonly string[] Classes = ["a", "b"];

    private static ImageSet Create(byte[]? pixels = null, byte[]? labels = null) =>
        new("set", 1, 2, 2, Classes, pixels ?? [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23], labels ?? [0, 1, 0]);

    [Test]
    public void Samples_and_subsets()
    {
        ImageSet set = Create();
        Assert.That(set.Count, Is.EqualTo(3));
        Assert.That(set.Sample(1).ToArray(), Is.EqualTo(new byte[] { 10, 11, 12, 13 }));
        ImageSet subset = set.Subset([2, 1, 1]);
        Assert.That(subset.Pixels, Is.EqualTo(new byte[] { 20, 21, 22, 23, 10, 11, 12, 13, 10, 11, 12, 13 }));
        Assert.That(subset.Labels, Is.EqualTo(new byte[] { 0, 1, 1 }));
        Assert.That(() => set.Subset([3]), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => set.Subset([-1]), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void The_hash_is_that_of_the_content()
    {
        string hash = Create().ContentHash;
        Assert.That(Create().ContentHash, Is.EqualTo(hash));
        Assert.That(Create(labels: [0, 1, 1]).ContentHash, Is.Not.EqualTo(hash));
        Assert.That(Create(pixels: [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 24]).ContentHash, Is.Not.EqualTo(hash));
        Assert.That(new ImageSet("set", 2, 1, 2, Classes, Create().Pixels, Create().Labels).ContentHash, Is.Not.EqualTo(hash));
        Assert.That(new ImageSet("set", 1, 2, 2, ["a", "c"], Create().Pixels, Create().Labels).ContentHash, Is.Not.EqualTo(hash));
        Assert.That(Create().Subset([0, 1, 2]).ContentHash, Is.EqualTo(hash));
        Assert.That(hash, Has.Length.EqualTo(64));
    }

    [Test]
    public void What_does_not_fit_together_is_refused()
    {
        Assert.That(() => Create(pixels: new byte[11]), Throws.ArgumentException);
        Assert.That(() => Create(labels: [0, 1, 2]), Throws.ArgumentException.With.Message.Contains("label 2 of sample 2"));
    }
}
