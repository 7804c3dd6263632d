using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

internal sealed class SquareAttackTests
{
    private const float Epsilon = 0.05f;

    private static readonly FeatureShape Shape = new(3, 8, 6);

    [TestCase(0, 29)]
    [TestCase(10, 29)]
    [TestCase(11, 20)]
    [TestCase(50, 20)]
    [TestCase(51, 14)]
    [TestCase(201, 10)]
    [TestCase(501, 7)]
    [TestCase(1_001, 5)]
    [TestCase(2_001, 4)]
    [TestCase(4_000, 4)]
    [TestCase(4_001, 3)]
    [TestCase(4_999, 3)]
    public void Squares_of_AutoAttack_shrink_as_published(int query, int side) =>
        Assert.That(SquareAttack.Side(query, SquareAttack.UsualShare, 32, 32), Is.EqualTo(side));

    [Test]
    public void A_square_is_never_larger_than_the_image() =>
        Assert.That(SquareAttack.Side(0, 1, 10, 40), Is.EqualTo(10));

    [Test]
    public void It_starts_from_vertical_stripes_of_its_radius()
    {
        AttackBatch batch = Attack(queries: 0);
        List<float> signs = [];
        for (int s = 0; s < batch.Count; s++)
        {
            for (int channel = 0; channel < Shape.Channels; channel++)
            {
                for (int column = 0; column < Shape.Width; column++)
                {
                    float[] stripe = [.. Enumerable.Range(0, Shape.Height).Select(row =>
                    {
                        int e = ((s * Shape.Channels + channel) * Shape.Height + row) * Shape.Width + column;
                        return batch.Adversarial[e] - batch.Clean[e];
                    })];
                    Assert.That(stripe, Is.All.EqualTo(stripe[0]).Within(1e-6));
                    Assert.That(Math.Abs(stripe[0]), Is.EqualTo(Epsilon).Within(1e-6));
                    signs.Add(Math.Sign(stripe[0]));
                }
            }
        }
        Assert.That(signs.Average(), Is.InRange(-0.3, 0.3), "either colour is as likely");
    }

    [Test]
    public void More_queries_never_raise_a_margin_and_never_leave_the_ball()
    {
        double[] last = [.. Enumerable.Repeat(double.PositiveInfinity, 8)];
        foreach (int queries in new[] { 0, 5, 50, 400 })
        {
            AttackBatch batch = Attack(queries);
            Ball.Holds(batch, batch.Adversarial, Epsilon);
            double[] margins = Margins(batch);
            for (int s = 0; s < batch.Count; s++)
                Assert.That(margins[s], Is.LessThanOrEqualTo(last[s] + 1e-6), $"sample {s} after {queries}");
            last = margins;
        }
        double[] first = Margins(Attack(0));
        Assert.That(last.Average(), Is.LessThan(first.Average()));
    }

    [Test]
    public void A_linear_network_is_driven_to_its_worst_corner()
    {
        // Margin of two classes at the worst corner, in closed form; one pixel a square, 1,000 chances for 12 pixels.
        var shape = new FeatureShape(1, 3, 4);
        var network = new TinyNetwork(4, shape, classes: 2, hidden: 0, seed: 3, scale: 0.1);
        AttackBatch batch = network.Images(seed: 4);
        for (int e = 0; e < batch.Clean.Length; e++)
            batch.Clean[e] = 0.3f + 0.4f * batch.Clean[e];
        Array.Fill(batch.Labels, Array.IndexOf(
            network.Logits(network.Image(batch.Clean, 0)), network.Logits(network.Image(batch.Clean, 0)).Max()));
        using var attack = new SquareAttack(network, Epsilon, stream: 9, queries: 1_000, share: 0.01);
        attack.Run(batch, 0);
        for (int s = 0; s < batch.Count; s++)
        {
            int label = batch.Labels[s];
            double[] clean = network.Image(batch.Clean, s), logits = network.Logits(clean);
            double reach = Epsilon * network.Gradient(clean, [1, -1]).Sum(Math.Abs);
            double worst = logits[label] - logits[1 - label] - reach;
            Assert.That(worst, Is.Positive, "otherwise it stops on the way");
            double[] found = network.Logits(network.Image(batch.Adversarial, s));
            Assert.That(found[label] - found[1 - label], Is.EqualTo(worst).Within(1e-5), $"sample {s}");
        }
    }

    [Test]
    public void It_stops_asking_when_all_are_fooled()
    {
        var network = new TinyNetwork(4, Shape, 5, 10, seed: 3);
        AttackBatch batch = network.Images(seed: 4);
        for (int s = 0; s < 4; s++)
            batch.Labels[s] = (batch.Labels[s] + 1) % 5;
        using var attack = new SquareAttack(network, 1e-6f, stream: 9, queries: 100);
        attack.Run(batch, 0);
        Assert.That(network.Queries, Is.EqualTo(1), "the stripes' alone");
    }

    private static AttackBatch Attack(int queries)
    {
        var network = Network();
        AttackBatch batch = network.Images(seed: 4);
        for (int e = 0; e < batch.Clean.Length; e++)
            batch.Clean[e] = 0.1f + 0.8f * batch.Clean[e];
        using var attack = new SquareAttack(network, Epsilon, stream: 9, queries);
        attack.Run(batch, 0);
        return batch;
    }

    private static double[] Margins(AttackBatch batch)
    {
        TinyNetwork network = Network();
        float[] logits = new float[8 * 5];
        network.Logits(batch.Adversarial, logits);
        // A fooled sample is left alone.
        return [.. Enumerable.Range(0, 8).Select(s => Math.Max(LogitLoss.Margin(logits.AsSpan(s * 5, 5), batch.Labels[s]), 0))];
    }

    private static TinyNetwork Network() => new(8, Shape, 5, 10, seed: 3);
}
