using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

public sealed class MaskHistoryTests
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
        double weights = table.PrunableLength;

        for (int epoch = 0; epoch < 4; epoch++)
        {
            history.Add(Without(0, 3 - epoch));
            Assert.That(history.LargestDistance, Is.Null, "five masks are needed");
        }
        history.Add(Without(0, 0));
        Assert.That(history.LargestDistance, Is.EqualTo(3 / weights), "from the first");
        history.Add(Without(0, 0));
        Assert.That(history.LargestDistance, Is.EqualTo(2 / weights), "the first is forgotten");
        history.Add(Without(1, 4));
        Assert.That(history.LargestDistance, Is.EqualTo(5 / weights), "the distance is the last mask's");
        Assert.That(history.Masks, Has.Count.EqualTo(MaskHistory.Capacity));
    }
}
