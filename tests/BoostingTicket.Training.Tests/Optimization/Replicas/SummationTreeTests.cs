using BoostingTicket.Training.Optimization.Replicas;

namespace BoostingTicket.Training.Tests.Optimization.Replicas;

internal sealed class SummationTreeTests
{
    [TestCase(1, "0")]
    [TestCase(2, "(0+1)")]
    [TestCase(3, "((0+1)+2)")]
    [TestCase(4, "((0+1)+(2+3))")]
    [TestCase(6, "(((0+1)+(2+3))+(4+5))")]
    [TestCase(7, "(((0+1)+(2+3))+((4+5)+6))")]
    [TestCase(8, "(((0+1)+(2+3))+((4+5)+(6+7)))")]
    public void Sums_have_this_order(int shards, string expected)
    {
        (string Text, TreeNode Node)[] left = Add(shards, 0, shards);
        Assert.That(left.Select(sum => sum.Text), Is.EqualTo((string[])[expected]));
        Assert.That((left[0].Node.First, left[0].Node.End), Is.EqualTo((0, shards)));
    }

    [Test]
    public void Parts_of_processes_complete_the_same_tree([Range(1, 9)] int shards, [Range(1, 9)] int ranks)
    {
        var parts = new Dictionary<(int First, int End), string>();
        for (int rank = 0; rank < ranks; rank++)
        {
            int first = shards * rank / ranks, end = shards * (rank + 1) / ranks;
            foreach ((string text, TreeNode node) in Add(shards, first, end))
                parts.Add((node.First, node.End), text);
        }
        Assert.That(Complete(0, shards), Is.EqualTo(Add(shards, 0, shards)[0].Text));

        string Complete(int first, int end)
        {
            if (parts.TryGetValue((first, end), out string? text))
                return text;
            int middle = SummationTree.Middle(first, end);
            return $"({Complete(first, middle)}+{Complete(middle, end)})";
        }
    }

    [Test]
    public void Few_places_are_enough()
    {
        Assert.That(new SummationTree(16, 0, 16).Slots, Is.EqualTo(5));
        Assert.That(new SummationTree(2, 1, 2).Slots, Is.EqualTo(1));
        Assert.That(new SummationTree(2, 1, 1).Nodes, Is.Empty, "no shards at all");
    }

    // What a process is left with, as words.
    private static (string Text, TreeNode Node)[] Add(int shards, int first, int end)
    {
        var tree = new SummationTree(shards, first, end);
        string[] slots = new string[tree.Slots];
        for (int shard = first; shard < end; shard++)
        {
            slots[tree.Leaf(shard)] = $"{shard}";
            foreach (TreeSum sum in tree.SumsAfter(shard))
                slots[sum.Into] = $"({slots[sum.Into]}+{slots[sum.From]})";
        }
        return [.. tree.Nodes.Select(node => (slots[node.Slot], node))];
    }
}
