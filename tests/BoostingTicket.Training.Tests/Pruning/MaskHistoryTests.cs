using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

internal sealed class MaskHistoryTests
{
    [Test]
    public void The_last_mask_is_compared_with_the_four_before_it()
    {
        var table = ToyModel.Table(6, 12);
        Mask Without(int first, int count)
        {
            byte[] values = new byte[table.PrunableLength];
            Array.Fill(values, (byte)1);
            values.AsSpan(first, count).Clear();
            return Mask.FromValues(table, values);
        }
        var history = new MaskHistory();

        for (int epoch = 0; epoch < 4; epoch++)
        {
            history.Add(Without(0, 3 - epoch));
            Assert.That(history.LargestDistance, Is.Null, "five masks are needed");
        }
        history.Add(Without(0, 0));
        Assert.That(history.LargestDistance, Is.EqualTo(1), "from the first, with none pruned by both");
        history.Add(Without(0, 0));
        Assert.That(history.LargestDistance, Is.EqualTo(1), "the first is forgotten");
        history.Add(Without(0, 4));
        Assert.That(history.LargestDistance, Is.EqualTo(1), "the distance is the last mask's");
        history.Add(Without(0, 4));
        history.Add(Without(0, 4));
        history.Add(Without(0, 4));
        history.Add(Without(3, 4));
        Assert.That(history.LargestDistance, Is.EqualTo(6 / 8d), "of eight entries that may differ, six do");
        Assert.That(history.Masks, Has.Count.EqualTo(MaskHistory.Capacity));
    }

    /// <summary>A share of all weights could not exceed 2 (1 - ratio): 0.02 at 0.99.</summary>
    [TestCase(0.05)]
    [TestCase(0.3)]
    [TestCase(0.5)]
    [TestCase(0.7)]
    [TestCase(0.95)]
    [TestCase(0.99)]
    public void A_distance_means_the_same_at_every_ratio(double ratio)
    {
        var table = ToyModel.Table(10, 1_000);
        int fewer = (int)Math.Round(Math.Min(ratio, 1 - ratio) * table.PrunableLength);
        byte rare = ratio < 0.5 ? (byte)0 : (byte)1;
        Mask At(int first)
        {
            byte[] values = new byte[table.PrunableLength];
            Array.Fill(values, (byte)(1 - rare));
            values.AsSpan(first, fewer).Fill(rare);
            return Mask.FromValues(table, values);
        }
        Assert.That(MaskHistory.Distance(At(0), At(0)), Is.EqualTo(0));
        Assert.That(MaskHistory.Distance(At(0), At(fewer)), Is.EqualTo(1), "disjoint");
        Assert.That(MaskHistory.Distance(At(0), At(fewer / 2)), Is.EqualTo((double)(fewer / 2) / fewer), "half of it moved");
    }

    [Test]
    public void What_all_masks_prune_cannot_differ()
    {
        var table = ToyModel.Table(10, 40);
        byte[] current = [.. Enumerable.Range(0, 50).Select(i => (byte)(i < 20 ? 1 : 0))];
        byte[] first = [.. current.Select((value, i) => (byte)(i < 10 ? value : 0))];
        byte[] second = [.. current.Select((value, i) => (byte)(i < 10 ? 0 : value))];
        var history = new MaskHistory(Mask.FromValues(table, current));
        for (int i = 0; i < 4; i++)
            history.Add(Mask.FromValues(table, first));
        history.Add(Mask.FromValues(table, second));
        Assert.That(history.LargestDistance, Is.EqualTo(1));
        Assert.That(MaskHistory.Distance(Mask.Dense(table), Mask.Dense(table)), Is.EqualTo(0), "nothing can differ");
    }
}
