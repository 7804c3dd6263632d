using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Data;

internal class TrainValidationSplitTests
{
    [TestCase(50_000, 5_000)]
    [TestCase(10, 0)]
    [TestCase(2, 1)]
    public void Every_sample_is_in_one_part(int count, int validation)
    {
        var split = TrainValidationSplit.Create(count, validation, 7);
        Assert.That(split.Validation.Length, Is.EqualTo(validation));
        Assert.That(split.Train.Length, Is.EqualTo(count - validation));
        Assert.That(split.Train.ToArray(), Is.Ordered);
        Assert.That(split.Validation.ToArray(), Is.Ordered);
        int[] all = [.. split.Train, .. split.Validation];
        Assert.That(all.Order(), Is.EqualTo(Enumerable.Range(0, count)));
    }

    [Test]
    public void The_seed_decides_and_nothing_else()
    {
        var split = TrainValidationSplit.Create(1000, 100, 1);
        Assert.That(TrainValidationSplit.Create(1000, 100, 1).Hash, Is.EqualTo(split.Hash));
        Assert.That(TrainValidationSplit.Create(1000, 100, 2).Hash, Is.Not.EqualTo(split.Hash));
        // From an independent implementation of the definition; a run records it, so no platform or version may differ.
        Assert.That(split.Hash, Is.EqualTo("6a20fe4eec3240fee5d86fe4a698f78b40530d8cfa301b82c3d9b6a952f2d711"));
    }

    [Test]
    public void The_hash_is_that_of_the_indices()
    {
        var split = TrainValidationSplit.Create(3, 1, 0);
        int[] values = [2, 1, .. split.Train, .. split.Validation];
        byte[] bytes = [.. values.SelectMany(value => new[] { (byte)value, (byte)(value >> 8), (byte)0, (byte)0 })];
        Assert.That(split.Hash, Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))));
    }

    [Test]
    public void Every_sample_is_as_likely_to_validate()
    {
        int[] chosen = new int[20];
        for (ulong seed = 0; seed < 4000; seed++)
        {
            foreach (int sample in TrainValidationSplit.Create(20, 5, seed).Validation)
                chosen[sample]++;
        }

        // Binomial of 4,000 and 1/4: 1,000 with a standard deviation of 27.
        Assert.That(chosen, Is.All.InRange(1000 - 5 * 27, 1000 + 5 * 27));
    }

    [TestCase(10, 10)]
    [TestCase(10, -1)]
    [TestCase(0, 0)]
    public void A_split_that_leaves_nothing_to_train_on_is_refused(int count, int validation) =>
        Assert.That(
            () => TrainValidationSplit.Create(count, validation, 0),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith(
                $"A validation set of {validation} cannot be split from {count}"));
}
